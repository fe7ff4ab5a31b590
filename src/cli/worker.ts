import { inspect } from 'node:util'
import { takeSeat } from '../workers/index.ts'
import { exitCodes, UsageFault } from './fault.ts'
import { loadApplication } from './load-application.ts'
import { reportOf } from './report.ts'

// One worker of `holdfast start --workers`: the whole server, in a thread.
const { seat, data } = takeSeat()
try {
  const application = await loadApplication(typeof data === 'string' ? data : undefined, process.cwd())
  await application.start({ worker: seat })
} catch (error) {
  const report = reportOf(error)
  if (error instanceof UsageFault) seat.failed(`${error.message}\n`, exitCodes.usage)
  else if (report !== undefined) seat.failed(report, exitCodes.configuration)
  else seat.failed(`${inspect(error)}\n`, exitCodes.findings)
  process.exit(exitCodes.findings)
}
