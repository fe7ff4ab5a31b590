import { parseArgs } from 'node:util'
import { BootError, DatabaseFault, SettingsFault, testToken } from 'holdfast'
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
    const token = testToken(server.settings, { name: 'ann', roles: [] })
    process.stdout.write(
      `\n  Notes API   ${address}\n  Reference   ${address}/docs\n  Health      ${address}/health/ready\n\n` +
        `  Until there are accounts, this token is a person called ann, on this machine only:\n\n` +
        `    export ANN='${token}'\n    curl -H "Authorization: Bearer $ANN" ${address}/api/notes\n\n`,
    )
    if (values.demo) await showDemo(server, address)
  } catch (error) {
    if (!(error instanceof BootError || error instanceof SettingsFault || error instanceof DatabaseFault))
      throw error
    process.stderr.write(error.report)
    process.exitCode = 78
  }
}
