import type { LimitAlgorithm } from '../route/limit-class.ts'
import { gcraOwedMs, gcraRefunded, gcraRemaining, gcraTaken, gcraWaitMs } from './gcra.ts'
import type { LimitPolicy } from './policy.ts'
import {
  slidingCellCount,
  slidingIdleFromMs,
  slidingRefund,
  slidingTake,
  slidingUsed,
  slidingWaitMs,
} from './sliding-window.ts'

/** One way to count, over buckets that lie as numbers in an array, each from `at` on. All zeros is a new bucket. */
export interface Algorithm {
  /** How many numbers one bucket is. */
  readonly cellCount: number
  /** Milliseconds until it lets a request of this cost through; 0 when it would now. */
  waitMs(policy: LimitPolicy, cells: Float64Array, at: number, wholeMs: number, cost: number): number
  /** How many requests of cost 1 it would let through now. */
  remaining(policy: LimitPolicy, cells: Float64Array, at: number, wholeMs: number): number
  /** Takes a request that has not to wait. */
  take(policy: LimitPolicy, cells: Float64Array, at: number, wholeMs: number, cost: number): void
  refund(policy: LimitPolicy, cells: Float64Array, at: number, cost: number): void
  /** How much of it is used: buckets of one policy compare by it. */
  usage(policy: LimitPolicy, cells: Float64Array, at: number, wholeMs: number): number
  /** The moment from which it says nothing that a new one would not; never earlier after a take. */
  idleFromMs(policy: LimitPolicy, cells: Float64Array, at: number): number
}

const gcra: Algorithm = {
  cellCount: 1,
  waitMs: (policy, cells, at, wholeMs, cost) => gcraWaitMs(policy, cells[at] ?? 0, wholeMs, cost),
  remaining: (policy, cells, at, wholeMs) => gcraRemaining(policy, cells[at] ?? 0, wholeMs),
  take(policy, cells, at, wholeMs, cost) {
    cells[at] = gcraTaken(policy, cells[at] ?? 0, wholeMs, cost)
  },
  refund(policy, cells, at, cost) {
    cells[at] = gcraRefunded(policy, cells[at] ?? 0, cost)
  },
  usage: (_policy, cells, at, wholeMs) => gcraOwedMs(cells[at] ?? 0, wholeMs),
  idleFromMs: (_policy, cells, at) => cells[at] ?? 0,
}

const slidingWindow: Algorithm = {
  cellCount: slidingCellCount,
  waitMs: slidingWaitMs,
  remaining: (policy, cells, at, wholeMs) =>
    Math.max(0, policy.count - slidingUsed(policy, cells, at, wholeMs)),
  take: slidingTake,
  refund: (_policy, cells, at, cost) => slidingRefund(cells, at, cost),
  usage: slidingUsed,
  idleFromMs: slidingIdleFromMs,
}

const algorithms = { gcra, 'token-bucket': gcra, 'sliding-window': slidingWindow } satisfies Record<
  LimitAlgorithm,
  Algorithm
>

/** How this policy counts. */
export function algorithmOf({ algorithm }: LimitPolicy): Algorithm {
  return algorithms[algorithm]
}

/** The most that one request can cost: more would never pass. */
export function maxCostOf({ algorithm, burst, count }: LimitPolicy): number {
  return algorithm === 'sliding-window' ? count : burst
}
