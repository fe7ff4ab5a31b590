import { readFileSync, writeFileSync } from 'node:fs'
import { environmentReference, withEnvironmentTable } from '../../settings/index.ts'
import type { Command } from '../command.ts'
import { exitCodes, UsageFault } from '../fault.ts'
import { formatOf, formatOptions } from '../format.ts'
import { quoted } from '../parse-call.ts'

const formats = ['text', 'markdown', 'json'] as const

/** `holdfast env`: the reference of the environment variables. */
export const env: Command = {
  name: 'env',
  operands: '',
  operandMaxCount: 0,
  summary: 'Prints every environment variable with its meaning and default. No values.',
  details: `
--write and --check keep the table of a document, such as README.md, up to date; it stands between the lines
<!-- environment:start --> and <!-- environment:end -->. --check exits with 1 when it differs.
`,
  options: {
    ...formatOptions(formats),
    write: { kind: 'file', help: 'Write the table into this document.' },
    check: { kind: 'file', help: 'Compare the table in this document.' },
  },
  staysUp: false,
  run: async (call) => {
    const write = call.values.get('write')
    const check = call.values.get('check')
    if (write !== undefined && check !== undefined)
      throw new UsageFault('--write or --check, not both.', 'env')
    if (write !== undefined) {
      writeFileSync(write, renewed(write).made)
      return exitCodes.fine
    }
    if (check === undefined) {
      call.terminal.out(environmentReference(formatOf(call, formats)))
      return exitCodes.fine
    }
    const { found, made } = renewed(check)
    if (found === made) return exitCodes.fine
    call.terminal.err(`The table in ${check} differs. Write it anew: holdfast env --write ${check}\n`)
    return exitCodes.findings
  },
}

function renewed(file: string): { readonly found: string; readonly made: string } {
  let found: string
  try {
    found = readFileSync(file, 'utf8')
  } catch {
    throw new UsageFault(`The file ${quoted(file)} cannot be read.`, 'env')
  }
  const made = withEnvironmentTable(found)
  if (made === null) throw new UsageFault(`The file ${quoted(file)} has no environment markers.`, 'env')
  return { found, made }
}
