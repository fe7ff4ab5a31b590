import { assert } from '../base/index.ts'

// With ten bits behind the point, a time below 2^42 ms (the year 2109) plus a full bucket of at most 2^42 ms is exact.
const endMs = 2 ** 42

/**
 * The moment of a decision in whole milliseconds. A time that is none would compare as "not over the limit" for ever.
 *
 * @throws AssertionError for what is no time
 * @see OWASP ASVS 5.0 §16.5.3
 */
export function wholeTimeMs(nowMs: number): number {
  const wholeMs = Math.floor(nowMs)
  assert(wholeMs >= 0 && wholeMs < endMs, 'the limiter is told the time')
  return wholeMs
}
