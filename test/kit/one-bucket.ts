import { algorithmOf } from '../../src/limits/algorithm.ts'
import type { LimitPolicy } from '../../src/limits/index.ts'
import { wholeTimeMs } from '../../src/limits/whole-time.ts'

/** A bucket without a store: the arithmetic alone. */
export class OneBucket {
  readonly policy: LimitPolicy
  readonly cells: Float64Array

  constructor(policy: LimitPolicy) {
    this.policy = policy
    this.cells = new Float64Array(algorithmOf(policy).cellCount)
  }

  /** Takes a request if it passes. */
  take(nowMs: number, cost = 1): boolean {
    if (this.waitMs(nowMs, cost) > 0) return false
    algorithmOf(this.policy).take(this.policy, this.cells, 0, wholeTimeMs(nowMs), cost)
    return true
  }

  waitMs(nowMs: number, cost = 1): number {
    return algorithmOf(this.policy).waitMs(this.policy, this.cells, 0, wholeTimeMs(nowMs), cost)
  }

  remaining(nowMs: number): number {
    return algorithmOf(this.policy).remaining(this.policy, this.cells, 0, wholeTimeMs(nowMs))
  }

  idleFromMs(): number {
    return algorithmOf(this.policy).idleFromMs(this.policy, this.cells, 0)
  }

  refund(cost = 1): void {
    algorithmOf(this.policy).refund(this.policy, this.cells, 0, cost)
  }
}
