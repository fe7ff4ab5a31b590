import type { LimitClass } from '../route/limit-class.ts'
import type { LimitDecision } from './limit.ts'

/** A decision, and what the bucket holds afterwards. */
export interface Taken {
  readonly decision: LimitDecision
  /** The theoretical arrival time to store, Unix milliseconds; unchanged after a refusal. */
  readonly arrivalMs: number
}

/**
 * Takes one request from a bucket by the generic cell rate algorithm (GCRA, ITU-T I.371): a single number for each
 * bucket, no window whose edge lets a double portion through. Pure.
 *
 * @param arrivalMs The bucket's theoretical arrival time; 0 for a new one.
 */
export function take({ count, windowSeconds }: LimitClass, arrivalMs: number, nowMs: number): Taken {
  const intervalMs = (windowSeconds * 1000) / count
  const burstMs = windowSeconds * 1000
  const from = Math.max(arrivalMs, nowMs)
  const next = from + intervalMs
  const earlyMs = next - nowMs - burstMs
  // A thousandth of a millisecond forgives the rounding of interval sums.
  if (earlyMs > 0.001) {
    return { decision: { allowed: false, remaining: 0, retryAfterMs: Math.ceil(earlyMs) }, arrivalMs }
  }
  const remaining = Math.floor((burstMs - (next - nowMs)) / intervalMs + 0.001)
  return { decision: { allowed: true, remaining, retryAfterMs: 0 }, arrivalMs: next }
}
