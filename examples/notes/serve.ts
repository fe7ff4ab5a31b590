import { parseArgs } from 'node:util'
import { BootError, DatabaseFault, SettingsFault } from 'holdfast'
import app from './app.ts'
import { showDemo } from './demo.ts'

const { values } = parseArgs({ options: { demo: { type: 'boolean', default: false } } })

/** Serves the notes until a signal says to stop. */
export async function serve(): Promise<void> {
  try {
    const server = await app.boot()
    const address = await server.listen()
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, () => void server.stop().then(() => process.exit(0)))
    }
    process.stdout.write(
      `\n  Notes API   ${address}\n  Reference   ${address}/docs\n  Account     ${address}/account\n  Health      ${address}/health/ready\n\n`,
    )
    if (values.demo) await showDemo(server, address)
    const link = await server.firstAdministratorLink()
    if (link !== null)
      process.stdout.write(
        `  There is no administrator yet. This link makes one, once, within an hour:\n\n    ${link}\n\n`,
      )
  } catch (error) {
    if (!(error instanceof BootError || error instanceof SettingsFault || error instanceof DatabaseFault))
      throw error
    process.stderr.write(error.report)
    process.exitCode = 78
  }
}
