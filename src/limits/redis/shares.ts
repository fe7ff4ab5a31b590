import { maxCostOf } from '../algorithm.ts'
import type { LimitCheck } from '../limit.ts'
import { type LimitPolicy, policyOf } from '../policy.ts'

/**
 * The limits of one node that decides alone: its share, so that all nodes together let through no more than one would.
 * What guards secrets gets half of that. A limit is at least 1, so one that is smaller than the number of nodes can be
 * exceeded by that much, and no more.
 */
export class Shares {
  #nodeCount = 1
  // One for each policy of the configuration, and only for the number of nodes of now.
  #byPolicy = new Map<LimitPolicy, LimitPolicy>()

  /** The checks for a number of nodes. A request that costs more than the share takes all of it. */
  of(checks: readonly LimitCheck[], nodeCount: number): LimitCheck[] {
    if (nodeCount !== this.#nodeCount) {
      this.#nodeCount = nodeCount
      this.#byPolicy = new Map()
    }
    return checks.map(({ policy, key, cost = 1 }) => {
      const share = this.#shareOf(policy)
      return { policy: share, key, cost: Math.min(cost, maxCostOf(share)) }
    })
  }

  #shareOf(policy: LimitPolicy): LimitPolicy {
    const known = this.#byPolicy.get(policy)
    if (known !== undefined) return known
    const { name, group, outage, windowSeconds, algorithm } = policy
    const parts = outage === 'strict' ? this.#nodeCount * 2 : this.#nodeCount
    const count = shareOf(policy.count, parts)
    const rule = { count, windowSeconds, algorithm, burst: shareOf(policy.burst, parts) }
    const made = policyOf(rule, { name, group, outage })
    this.#byPolicy.set(policy, made)
    return made
  }
}

function shareOf(amount: number, parts: number): number {
  return Math.max(1, Math.floor(amount / parts))
}
