import { assert } from '../base/index.ts'
import type { LimitClass } from '../route/limit-class.ts'

/** How a bucket stands at a moment, and what it would hold if one more request were taken from it. */
export interface Standing {
  /** Requests that it would let through now. */
  readonly remaining: number
  /** Milliseconds until it lets the next one through; 0 when it would now. */
  readonly waitMs: number
  /** The bucket after one more request. Only for storing, and only when `waitMs` is 0. */
  readonly nextArrivalMs: number
}

/** The answer about one request. */
export interface Taken {
  readonly allowed: boolean
  /** The bucket afterwards; unchanged by a refusal. */
  readonly arrivalMs: number
  /** Requests that it would let through after this one. */
  readonly remaining: number
  /** Milliseconds until it lets the next one through; 0 when it would now. */
  readonly waitMs: number
}

// 2^-10 ms. Times of day have 41 bits in front of the point, so that with ten behind it every sum and difference below
// is exact in a double: no rounding that adds up, no tolerance that an attacker could live in.
const ticksPerMs = 1_024
// Keeps a time of day plus a full bucket below 2^43 ms, where the ten bits still fit. 31 years, a milliard of requests.
const maxAmount = 1_000_000_000

/**
 * Takes one request from a bucket by the generic cell rate algorithm (GCRA): one number for each bucket, no window
 * whose edge lets a double portion through. Pure.
 *
 * What a class promises, exactly: with `interval` = `windowSeconds / count`, rounded up to 1/1024 ms, any stretch of
 * D ms sees at most `count + floor(D / interval)` requests, and no request is refused that would keep to this. So
 * `count` at once; in one window at worst `2 × count - 1`, when a full bucket is emptied and used as it refills; over
 * k windows less than `(k + 1) × count`. Whoever drives it to the limit gains one portion once, not one each window.
 *
 * @param arrivalMs The bucket: its theoretical arrival time, the moment from which it is full again; 0 for a new one.
 * @param nowMs Fractions of a millisecond are cut off.
 * @see ITU-T I.371 Annex A
 * @example take(per('minute', 5), 0, 0) // { allowed: true, arrivalMs: 12_000, remaining: 4, waitMs: 0 }
 */
export function take(limit: LimitClass, arrivalMs: number, nowMs: number): Taken {
  const before = standing(limit, arrivalMs, nowMs)
  if (before.waitMs > 0) return { allowed: false, arrivalMs, remaining: 0, waitMs: before.waitMs }
  const { remaining, waitMs } = standing(limit, before.nextArrivalMs, nowMs)
  return { allowed: true, arrivalMs: before.nextArrivalMs, remaining, waitMs }
}

/** How a bucket stands, with nothing taken from it. Pure; see {@link take}. */
export function standing(limit: LimitClass, arrivalMs: number, nowMs: number): Standing {
  const { count, windowSeconds } = limit
  // A limit of NaN would compare as "not over it" for ever; what is no limit refuses instead (ASVS 16.5.3).
  assert(isAmount(count) && isAmount(windowSeconds), 'a limit is made of whole numbers above zero')
  const wholeMs = Math.floor(nowMs)
  assert(Number.isSafeInteger(wholeMs), 'the limiter is told the time')
  const intervalMs = Math.ceil((windowSeconds * 1_000 * ticksPerMs) / count) / ticksPerMs
  const owedMs = Math.max(arrivalMs, wholeMs) - wholeMs
  const spareMs = intervalMs * count - owedMs
  return {
    remaining: Math.max(0, Math.floor(spareMs / intervalMs)),
    waitMs: Math.max(0, Math.ceil(intervalMs - spareMs)),
    nextArrivalMs: wholeMs + owedMs + intervalMs,
  }
}

function isAmount(value: number): boolean {
  return Number.isInteger(value) && value > 0 && value <= maxAmount
}
