import type { Command } from '../command.ts'
import { exitCodes } from '../fault.ts'
import { loadApplication } from '../load-application.ts'

/** `holdfast start`: serves the application until a signal stops it. */
export const start: Command = {
  name: 'start',
  operands: '[FILE]',
  operandMaxCount: 1,
  summary: 'Serves the application.',
  details: `
Outside production the database is migrated first. SIGTERM or SIGINT stops it in good order, a second one at once.
`,
  options: {},
  staysUp: true,
  run: async ({ operands }) => {
    const application = await loadApplication(operands[0], process.cwd())
    await application.start()
    return exitCodes.fine
  },
}
