import { readFileSync, writeFileSync } from 'node:fs'
import type { Plan } from '../../route/index.ts'
import { accessMap } from '../access-map.ts'
import type { Call, Command } from '../command.ts'
import { exitCodes, UsageFault } from '../fault.ts'
import { formatOf, formatOptions } from '../format.ts'
import { limitsTable } from '../limits-table.ts'
import { loadApplication } from '../load-application.ts'
import { quoted } from '../parse-call.ts'
import { planDifferences } from '../plan-diff.ts'
import { planFile } from '../plan-file.ts'

const formats = ['text', 'json', 'limits'] as const

/** `holdfast routes`: who may call what. */
export const routes: Command = {
  name: 'routes',
  operands: '[FILE]',
  operandMaxCount: 1,
  summary: 'Prints the access map: each route with who may call it, how often, what it takes and gives.',
  details: `
It starts nothing and needs no settings. --write keeps the plan in a file to be committed, --check compares it and
exits with 1 when the application says something else by now; line numbers do not count. The format "limits" is a
Markdown table of what each endpoint lets through.
`,
  options: {
    ...formatOptions(formats),
    write: { kind: 'file', help: 'Write the plan to this file.' },
    check: { kind: 'file', help: 'Compare the plan with this file.' },
  },
  staysUp: false,
  run: async (call) => {
    const format = formatOf(call, formats)
    const write = call.values.get('write')
    const check = call.values.get('check')
    if (write !== undefined && check !== undefined)
      throw new UsageFault('--write or --check, not both.', 'routes')
    const committed = check === undefined ? undefined : readPlanFile(check)
    const application = await loadApplication(call.operands[0], process.cwd())
    const plan = await application.plan()
    if (write !== undefined) {
      writeFileSync(write, planFile(plan))
      return exitCodes.fine
    }
    if (check !== undefined) return compare(call, plan, { file: check, committed })
    const print = {
      text: () => accessMap(plan, call.terminal),
      json: () => `${JSON.stringify(plan, null, 2)}\n`,
      limits: () => limitsTable(plan),
    }
    call.terminal.out(print[format]())
    return exitCodes.fine
  },
}

function readPlanFile(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    throw new UsageFault(`The file ${quoted(file)} cannot be read as a plan; make it with --write.`, 'routes')
  }
}

function compare(
  call: Call,
  plan: Plan,
  against: { readonly file: string; readonly committed: unknown },
): number {
  const now: unknown = JSON.parse(planFile(plan))
  const differences = planDifferences(against.committed, now, call.terminal)
  if (differences.length === 0) return exitCodes.fine
  call.terminal.out(`${differences.join('\n')}\n`)
  call.terminal.err(
    `\nThe application differs from ${against.file}. If that is meant: --write ${against.file}\n`,
  )
  return exitCodes.findings
}
