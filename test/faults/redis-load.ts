import { setImmediate as turn } from 'node:timers/promises'
import type { LimitCheck } from '../../src/limits/limit.ts'
import type { RedisStore } from '../../src/limits/redis/index.ts'

/** What a load has seen. */
export interface LoadReport {
  /** How many requests were admitted while the node that decided had Redis. */
  sharedCount: number
  /** How many were admitted by a node alone. */
  aloneCount: number
  askedCount: number
  /** The longest that a request waited for its decision. */
  longestMs: number
}

/** A load that runs until it is ended. */
export interface Load {
  readonly report: LoadReport
  end(): Promise<LoadReport>
}

/** The clock of the nodes, which a test may put forward. */
export interface LoadClock {
  aheadMs: number
}

const workerCount = 4

/** Sends requests to all stores, several at a time, as fast as they are decided. */
export function startLoad(
  stores: readonly RedisStore[],
  checks: readonly LimitCheck[],
  clock: LoadClock = { aheadMs: 0 },
): Load {
  const nowMs = (): number => Math.floor(performance.timeOrigin + performance.now()) + clock.aheadMs
  const report: LoadReport = { sharedCount: 0, aloneCount: 0, askedCount: 0, longestMs: 0 }
  let isOver = false
  const work = async (store: RedisStore): Promise<void> => {
    while (!isOver) {
      const startMs = performance.now()
      const decided = await store.consume(checks, nowMs())
      report.longestMs = Math.max(report.longestMs, performance.now() - startMs)
      report.askedCount += 1
      if (decided.allowed && store.isShared) report.sharedCount += 1
      else if (decided.allowed) report.aloneCount += 1
      // A store that decides alone answers in the same turn; Redis's sockets want theirs.
      await turn()
    }
  }
  const all = Promise.all(stores.flatMap((store) => Array.from({ length: workerCount }, () => work(store))))
  return {
    report,
    async end() {
      isOver = true
      await all
      return report
    },
  }
}
