/** What is done now and then, and nobody waits for. */
export interface Upkeep {
  /** Ends it; resolves when nothing runs any more. */
  stop(): Promise<void>
}

const firstAfterMs = 60_000
const everyMs = 3_600_000

/**
 * Forgets what is long over, an hour apart and a minute after the start. Several nodes may do it at the same time: each
 * job deletes by condition.
 *
 * @param onFailure Told of a job that has failed; the next round tries again.
 */
export function startUpkeep(
  jobs: readonly (() => Promise<void>)[],
  onFailure: (error: unknown) => void,
  firstMs: number = firstAfterMs,
): Upkeep {
  let running: Promise<void> = Promise.resolve()
  const run = async (): Promise<void> => {
    for (const job of jobs) await job().catch(onFailure)
  }
  const start = (): void => {
    running = running.then(run)
  }
  let every: NodeJS.Timeout | undefined
  const first = setTimeout(() => {
    start()
    every = setInterval(start, everyMs)
    every.unref()
  }, firstMs)
  first.unref()
  return {
    async stop() {
      clearTimeout(first)
      clearInterval(every)
      await running
    },
  }
}
