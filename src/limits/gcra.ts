import type { LimitPolicy } from './policy.ts'

// The generic cell rate algorithm (GCRA): one number for each bucket, `arrivalMs`, its theoretical arrival time. That is
// the moment from which the bucket is full again; 0 for a new one. No window whose edge lets a double portion through.
//
// A token bucket of `burst` tokens, refilled by one each `intervalMs`, is the same thing seen from the other side: it
// holds `burst - owedMs / intervalMs` tokens. So there is one implementation for both names.
//
// What a policy promises, exactly: any stretch of D ms sees at most `burst + floor(D / intervalMs)` requests, and no
// request is refused that would keep to this. With `burst = count` that is `count` at once; in one window at worst
// `2 × count - 1`, when a full bucket is emptied and used as it refills; over k windows less than `(k + 1) × count`.
// Whoever drives it to the limit gains one portion once, not one each window.
//
// `wholeMs` is a whole number and `intervalMs` a multiple of 2^-10, so every sum and difference here is exact.

/** What of a policy the rate depends on. */
export type Rate = Pick<LimitPolicy, 'burst' | 'intervalMs'>

/** How far the bucket is from full, as the time that it takes to refill. */
export function gcraOwedMs(arrivalMs: number, wholeMs: number): number {
  return arrivalMs > wholeMs ? arrivalMs - wholeMs : 0
}

/**
 * Milliseconds until the bucket lets a request of this cost through; 0 when it would now.
 *
 * @param cost A whole number from 1 to `burst`; more would never pass.
 * @see ITU-T I.371 Annex A
 */
export function gcraWaitMs(
  { burst, intervalMs }: Rate,
  arrivalMs: number,
  wholeMs: number,
  cost: number,
): number {
  const overMs = gcraOwedMs(arrivalMs, wholeMs) + (cost - burst) * intervalMs
  return overMs > 0 ? Math.ceil(overMs) : 0
}

/** How many requests of cost 1 the bucket would let through now. */
export function gcraRemaining({ burst, intervalMs }: Rate, arrivalMs: number, wholeMs: number): number {
  const spareMs = burst * intervalMs - gcraOwedMs(arrivalMs, wholeMs)
  return spareMs > 0 ? Math.floor(spareMs / intervalMs) : 0
}

/** The bucket after a request of this cost. Only for one that has not to wait. */
export function gcraTaken({ intervalMs }: Rate, arrivalMs: number, wholeMs: number, cost: number): number {
  return (arrivalMs > wholeMs ? arrivalMs : wholeMs) + cost * intervalMs
}

/** The bucket after it got this cost back. */
export function gcraRefunded({ intervalMs }: Rate, arrivalMs: number, cost: number): number {
  return Math.max(0, arrivalMs - cost * intervalMs)
}
