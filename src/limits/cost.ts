import { assert } from '../base/index.ts'
import { maxCostOf } from './algorithm.ts'
import type { LimitPolicy } from './policy.ts'

/** @throws AssertionError for what no request costs: a fraction, nothing, or more than the bucket ever holds */
export function assertCost(policy: LimitPolicy, cost: number): void {
  const isPossible = Number.isInteger(cost) && cost > 0 && cost <= maxCostOf(policy)
  assert(isPossible, 'a request costs a whole number above zero, at most what the bucket holds')
}
