import type { MigrationDirection, MigrationReport } from '../application.ts'
import type { Command } from '../command.ts'
import { exitCodes, UsageFault } from '../fault.ts'
import { formatOf, formatOptions } from '../format.ts'
import { loadApplication } from '../load-application.ts'
import { didYouMean, quoted } from '../parse-call.ts'
import type { Terminal } from '../terminal.ts'

const formats = ['text', 'json'] as const
const directions: readonly MigrationDirection[] = ['up', 'down', 'status']

/** `holdfast migrate`: the database's tables, step by step. */
export const migrate: Command = {
  name: 'migrate',
  operands: '[up|down|status] [FILE]',
  operandMaxCount: 2,
  summary: 'Brings the database up to date.',
  details: `
up applies every pending migration and is meant when nothing is said; down reverts the last one; status only looks
and exits with 1 when one is pending.
`,
  options: formatOptions(formats),
  staysUp: false,
  run: async (call) => {
    const format = formatOf(call, formats)
    const { direction, file } = targetOf(call.operands)
    const application = await loadApplication(file, process.cwd())
    const report = await application.migrate({ environment: process.env, direction })
    if (format === 'json') call.terminal.out(`${JSON.stringify({ direction, ...report }, null, 2)}\n`)
    else call.terminal.out(textOf(direction, report, call.terminal))
    return direction === 'status' && report.pending.length > 0 ? exitCodes.findings : exitCodes.fine
  },
}

interface Target {
  readonly direction: MigrationDirection
  readonly file: string | undefined
}

function targetOf(operands: readonly string[]): Target {
  const [first, second] = operands
  if (first === undefined) return { direction: 'up', file: undefined }
  const direction = directions.find((word) => word === first)
  if (direction !== undefined) return { direction, file: second }
  // A bare word that is none of the three is a slip; running `up` for `stauts` would be the worst of answers.
  if (second !== undefined || /^[a-z]+$/i.test(first)) {
    throw new UsageFault(`migrate has no ${quoted(first)}.${didYouMean(first, directions)}`, 'migrate')
  }
  return { direction: 'up', file: first }
}

function textOf(direction: MigrationDirection, report: MigrationReport, terminal: Terminal): string {
  const { applied, pending, done } = report
  if (direction === 'status') {
    const lines = [
      ...applied.map((name) => `  applied  ${name}\n`),
      ...pending.map((name) => `  ${terminal.emphasise('yellow', 'pending')}  ${name}\n`),
    ]
    return `${applied.length} applied, ${pending.length} pending.\n${lines.join('')}`
  }
  const word = direction === 'up' ? 'applied' : 'reverted'
  const head = done.length === 0 ? 'Nothing to do.\n' : done.map((name) => `${word}  ${name}\n`).join('')
  return `${head}${applied.length} applied, ${pending.length} pending.\n`
}
