import type { Call, OptionSpec } from './command.ts'
import { UsageFault } from './fault.ts'

/** `--format` with these words, and `--json` for short. The first word is the default. */
export function formatOptions(formats: readonly string[]): Readonly<Record<'format' | 'json', OptionSpec>> {
  return {
    format: { kind: 'choice', of: formats, help: `How to print it; ${formats[0]} unless given.` },
    json: { kind: 'flag', help: 'The same as --format json.' },
  }
}

/** The format that a call asks for. */
export function formatOf<Format extends string>(
  { flags, values }: Call,
  formats: readonly [Format, ...(Format | 'json')[]],
): Format | 'json' {
  const asked = values.get('format')
  if (!flags.has('json')) return formats.find((format) => format === asked) ?? formats[0]
  if (asked !== undefined && asked !== 'json')
    throw new UsageFault(`--json and --format ${asked} exclude each other.`)
  return 'json'
}
