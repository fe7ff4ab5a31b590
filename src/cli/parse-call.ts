import { parseArgs } from 'node:util'
import { nearest } from '../settings/index.ts'
import type { Call, Command, OptionSpec } from './command.ts'
import { UsageFault } from './fault.ts'
import type { Terminal } from './terminal.ts'

/**
 * Holds what was typed against the declaration of a command.
 *
 * @param words What stands after the command's name.
 * @throws UsageFault for anything the command does not take; an option is never ignored.
 */
export function parseCall(command: Command, words: readonly string[], terminal: Terminal): Call {
  // The loose mode hands out every word with its kind, so that the refusals can be our own and can suggest.
  const { tokens } = parseArgs({
    args: [...words],
    options: Object.fromEntries(
      Object.entries(command.options).map(([name, { kind }]) => [
        name,
        { type: kind === 'flag' ? 'boolean' : 'string' },
      ]),
    ),
    strict: false,
    tokens: true,
  })
  const operands: string[] = []
  const flags = new Set<string>()
  const values = new Map<string, string>()
  for (const token of tokens) {
    if (token.kind === 'positional') operands.push(token.value)
    if (token.kind !== 'option') continue
    const { name, rawName, value } = token
    const spec = specOf(command, name, rawName)
    if (flags.has(name) || values.has(name)) throw new UsageFault(`${rawName} stands twice.`, command.name)
    if (spec.kind === 'flag') {
      if (value !== undefined) throw new UsageFault(`${rawName} takes no value.`, command.name)
      flags.add(name)
    } else {
      values.set(name, checked(spec, rawName, value, command.name))
    }
  }
  if (operands.length > command.operandMaxCount) {
    const takes = command.operandMaxCount === 0 ? 'nothing but options' : command.operands
    throw new UsageFault(`${command.name} takes ${takes}.`, command.name)
  }
  return { operands, flags, values, terminal }
}

function specOf(command: Command, name: string, rawName: string): OptionSpec {
  const spec = Object.hasOwn(command.options, name) ? command.options[name] : undefined
  if (spec !== undefined && rawName.startsWith('--')) return spec
  const known = [...Object.keys(command.options), 'help'].map((option) => `--${option}`)
  throw new UsageFault(`There is no option ${quoted(rawName)}.${didYouMean(rawName, known)}`, command.name)
}

function checked(spec: OptionSpec, rawName: string, value: string | undefined, command: string): string {
  if (value === undefined || value === '' || value.startsWith('-')) {
    const what =
      spec.kind === 'choice' ? `one of ${spec.of.join(', ')}` : spec.kind === 'text' ? spec.what : 'a file'
    throw new UsageFault(`${rawName} takes ${what}.`, command)
  }
  if (spec.kind === 'choice' && !spec.of.includes(value)) {
    throw new UsageFault(
      `${rawName} takes one of ${spec.of.join(', ')}.${didYouMean(value, spec.of)}`,
      command,
    )
  }
  return value
}

/** ` Did you mean …?`, or nothing. */
export function didYouMean(word: string, known: readonly string[]): string {
  const meant = nearest(word, known, (candidate) => (candidate.length < 5 ? 1 : 2))
  return meant === undefined ? '' : ` Did you mean ${meant}?`
}

/** A word as it was typed, with nothing in it that a terminal would act upon. */
export function quoted(word: string): string {
  return JSON.stringify(word.length > 60 ? `${word.slice(0, 60)}…` : word)
}
