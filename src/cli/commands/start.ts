import { availableParallelism } from 'node:os'
import type { Command } from '../command.ts'
import { exitCodes, UsageFault } from '../fault.ts'
import { loadApplication } from '../load-application.ts'

const workerMaxCount = 64

/** `holdfast start`: serves the application until a signal stops it. */
export const start: Command = {
  name: 'start',
  operands: '[FILE]',
  operandMaxCount: 1,
  summary: 'Serves the application.',
  details: `
Outside production the database is migrated first. SIGTERM or SIGINT stops it in good order, a second one at once.

With --workers N it serves on N cores from one port, each with a thread of its own. Limits, bans and log-outs hold for
all of them together, as in one. Linux and FreeBSD can do this; elsewhere, run several processes with REDIS_URL behind
a proxy.
`,
  options: {
    workers: {
      kind: 'text',
      what: 'N',
      help: `How many threads serve, 1 to ${workerMaxCount}; \`auto\` is one for each core. 1 unless given.`,
    },
  },
  staysUp: true,
  run: async ({ operands, values, terminal }) => {
    const workerCount = workerCountOf(values.get('workers'))
    if (workerCount > 1) {
      // What only workers need costs the other commands nothing.
      const { runWorkers } = await import('../run-workers.ts')
      return await runWorkers({ file: operands[0], workerCount, terminal })
    }
    const application = await loadApplication(operands[0], process.cwd())
    await application.start()
    return exitCodes.fine
  },
}

function workerCountOf(given: string | undefined): number {
  if (given === undefined) return 1
  if (given === 'auto') return Math.min(availableParallelism(), workerMaxCount)
  const count = /^[0-9]{1,3}$/.test(given) ? Number(given) : 0
  if (count >= 1 && count <= workerMaxCount) return count
  throw new UsageFault(`--workers is a number from 1 to ${workerMaxCount}, or auto.`, 'start')
}
