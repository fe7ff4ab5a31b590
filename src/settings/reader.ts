import { resolve } from 'node:path'
import { assert } from '../base/index.ts'
import type { Fault } from './fault.ts'
import { readSmallFile } from './files.ts'
import type { Parsed, Setting } from './setting.ts'
import type { Mode } from './table.ts'

/** Names and values, as `process.env` has them. */
export type Environment = Readonly<Record<string, string | undefined>>

/** What was found for one setting. `faulty` has been reported already. */
export type Reading<T> =
  | { readonly kind: 'given'; readonly value: T }
  | { readonly kind: 'absent' }
  | { readonly kind: 'faulty' }

// A tab or a line end inside a value is a slip of the file it came from, and could forge a log line.
const hasControls = /\p{Cc}/u

/** How a reader looks for settings. */
export interface ReaderOptions {
  /** Where values are looked for, the first that has one wins. */
  readonly layers: readonly Environment[]
  /** Relative paths start here; absolute. */
  readonly workingDir: string
  /** Production refuses where a setting that it needs is absent. */
  readonly mode: Mode | undefined
}

/** Reads settings and gathers what is wrong with them. */
export class SettingReader {
  /** Everything wrong so far. */
  readonly faults: Fault[] = []
  readonly workingDir: string
  readonly mode: Mode | undefined
  readonly #layers: readonly Environment[]

  constructor({ layers, workingDir, mode }: ReaderOptions) {
    this.#layers = layers
    this.workingDir = workingDir
    this.mode = mode
  }

  refuse(env: string, problem: string, fix: string): void {
    this.faults.push({ env, problem, fix })
  }

  /** The value behind an answer, or `undefined` after its fault has been noted. */
  accept<T>(env: string, parsed: Parsed<T>): T | undefined {
    if (parsed.ok) return parsed.value
    this.refuse(env, parsed.problem, parsed.fix)
    return undefined
  }

  /** What is given for a setting; its fallback text where nothing is. */
  read<T>(setting: Setting<T>): Reading<T> {
    const found = this.#find(setting.env)
    if (found === null) return { kind: 'faulty' }
    if (found === undefined) return this.#absent(setting)
    const parsed = setting.parse(found.text)
    if (parsed.ok) return { kind: 'given', value: parsed.value }
    this.refuse(found.env, parsed.problem, parsed.fix)
    return { kind: 'faulty' }
  }

  #absent<T>(setting: Setting<T>): Reading<T> {
    if (this.mode !== 'production' || !setting.neededInProduction) return fallbackOf(setting)
    this.refuse(
      setting.env,
      'is required in production',
      `set it (${setting.unit}: ${setting.range.replaceAll('`', '')})`,
    )
    return { kind: 'faulty' }
  }

  /** The text for a variable, `undefined` when it is not set, `null` after its fault has been noted. */
  #find(env: string): { readonly env: string; readonly text: string } | undefined | null {
    const fileEnv = `${env}_FILE`
    for (const layer of this.#layers) {
      const { [env]: direct, [fileEnv]: file } = layer
      if (direct !== undefined && file !== undefined) {
        this.refuse(env, `is set twice: ${fileEnv} is set as well`, 'unset one of the two')
        return null
      }
      if (direct !== undefined) return this.#usable(env, direct)
      if (file !== undefined) return this.#fromFile(fileEnv, file)
    }
    return undefined
  }

  #fromFile(fileEnv: string, path: string): { readonly env: string; readonly text: string } | null {
    const usable = this.#usable(fileEnv, path)
    if (usable === null) return null
    const read = readSmallFile(resolve(this.workingDir, usable.text))
    if ('text' in read) return this.#usable(fileEnv, read.text.replace(/[\r\n]+$/, ''))
    this.refuse(fileEnv, `names a file that ${read.problem}`, 'name a file that the server may read')
    return null
  }

  #usable(env: string, text: string): { readonly env: string; readonly text: string } | null {
    // An empty variable is most often one that a deployment forgot to fill; a default in its place would hide it.
    if (text === '') this.refuse(env, 'is empty', 'give it a value, or unset it for its default')
    else if (text.trim() !== text) this.refuse(env, 'has blanks around it', 'remove them')
    else if (hasControls.test(text))
      this.refuse(env, 'holds a control character', 'write it on one line, without tabs')
    else return { env, text }
    return null
  }
}

function fallbackOf<T>({ env, fallback, parse }: Setting<T>): Reading<T> {
  if (fallback.kind === 'rule') return { kind: 'absent' }
  const parsed = parse(fallback.text)
  assert(parsed.ok, `the default of ${env} is not a value of it`)
  return { kind: 'given', value: parsed.value }
}
