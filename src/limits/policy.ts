import { assert } from '../base/index.ts'
import type { LimitAlgorithm, LimitRule } from '../route/limit-class.ts'

/** A rule made ready: checked once, with what every decision needs. Two rules never share buckets. */
export interface LimitPolicy {
  /** Names it in header fields; from the configuration, never from a request. */
  readonly name: string
  /**
   * Policies of one group are decided together; a shared store keeps a group in one place, so that one step can see
   * all of it.
   */
  readonly group: string
  readonly count: number
  readonly windowSeconds: number
  readonly algorithm: LimitAlgorithm
  /** How many at once. */
  readonly burst: number
  /** One request refills in so many milliseconds: `windowSeconds / count`, rounded up to 1/1024 ms. */
  readonly intervalMs: number
  /** Unlike for any other policy of a process with the same configuration, and the same on every node. */
  readonly id: string
  readonly outage: 'share' | 'strict'
}

/** How a policy is named and kept. */
export interface PolicyPlace {
  readonly name: string
  /** The name unless given. */
  readonly group?: string
  readonly outage?: 'share' | 'strict'
}

// 2^-10 ms. Times of day have 41 bits in front of the point, so that with ten behind it every sum and difference of
// them is exact in a double: no rounding that adds up, no tolerance that an attacker could live in.
const ticksPerMs = 1_024
// Keeps a time of day plus a full bucket below 2^43 ms, where the ten bits still fit. 31 years, a milliard of requests.
const maxAmount = 1_000_000_000
const maxFullMs = 2 ** 42

/** Makes a rule ready. @throws AssertionError for a rule that is none: it would let everything through (ASVS 16.5.3) */
export function policyOf(
  rule: LimitRule,
  { name, group = name, outage = 'share' }: PolicyPlace,
): LimitPolicy {
  const { count, windowSeconds, algorithm = 'gcra', burst = count } = rule
  assert(
    isAmount(count) && isAmount(windowSeconds) && isAmount(burst),
    'a limit is made of whole numbers above zero',
  )
  const intervalMs = Math.ceil((windowSeconds * 1_000 * ticksPerMs) / count) / ticksPerMs
  assert(burst * intervalMs <= maxFullMs, 'a bucket refills within 139 years')
  const id = `${group}/${name}/${algorithm}/${count}/${windowSeconds}/${burst}`
  return Object.freeze({ name, group, count, windowSeconds, algorithm, burst, intervalMs, id, outage })
}

function isAmount(value: number): boolean {
  return Number.isInteger(value) && value > 0 && value <= maxAmount
}
