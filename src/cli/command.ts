import type { Terminal } from './terminal.ts'

/** An option of a command. */
export type OptionSpec =
  /** `--json` */
  | { readonly kind: 'flag'; readonly help: string }
  /** `--format text`, one of the words. */
  | { readonly kind: 'choice'; readonly of: readonly string[]; readonly help: string }
  /** `--name TEXT` */
  | { readonly kind: 'text'; readonly what: string; readonly help: string }
  /** `--write FILE` */
  | { readonly kind: 'file'; readonly help: string }

/** One command of `holdfast`. Help and parsing are made from it. */
export interface Command {
  readonly name: string
  /** What it takes besides options: `[FILE]`. */
  readonly operands: string
  /** How many operands it takes at most. */
  readonly operandMaxCount: number
  /** One line for the list of commands. */
  readonly summary: string
  /** Some more for its own help. */
  readonly details: string
  readonly options: Readonly<Record<string, OptionSpec>>
  /** True when the process goes on after `run` has returned. */
  readonly staysUp: boolean
  /** Answers the exit code. */
  run(call: Call): Promise<number>
}

/** One call of a command, checked against its declaration. */
export interface Call {
  readonly operands: readonly string[]
  readonly flags: ReadonlySet<string>
  /** Options with a value, by name. */
  readonly values: ReadonlyMap<string, string>
  readonly terminal: Terminal
}
