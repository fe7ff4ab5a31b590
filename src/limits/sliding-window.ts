import type { LimitPolicy } from './policy.ts'

// A sliding window counter: time is cut into sub-windows of an eighth of the window, and a bucket counts what it let
// through in the last nine, the current one and the eight before. Those nine always cover a whole window behind every
// moment of the current one, so no window, wherever it begins, holds more than `count`. The price: what was let through
// counts for up to an eighth of a window longer than it had to.
//
// A bucket is ten numbers from `at` on: the index of the latest sub-window that it counted in, then nine counts, that of
// sub-window i at place i mod 9. All zeros is a new bucket.
//
// A sub-window has windowSeconds × 125 ms, a whole number, so there is no rounding anywhere.

const subWindowCount = 8
const placeCount = subWindowCount + 1

/** Numbers that one bucket takes. */
export const slidingCellCount = placeCount + 1

/** What of a policy the window depends on. */
export type SlidingRule = Pick<LimitPolicy, 'count' | 'windowSeconds'>

/** Sub-windows are numbered from the epoch of the clock. */
export function subWindowMs({ windowSeconds }: SlidingRule): number {
  return (windowSeconds * 1_000) / subWindowCount
}

/** The sub-window of now. A clock that went back is taken to stand still, so that it frees nothing. */
function currentIndex(rule: SlidingRule, latest: number, wholeMs: number): number {
  return Math.max(latest, Math.floor(wholeMs / subWindowMs(rule)))
}

/** How much of the count is used. */
export function slidingUsed(rule: SlidingRule, cells: Float64Array, at: number, wholeMs: number): number {
  const latest = cells[at] ?? 0
  const oldest = currentIndex(rule, latest, wholeMs) - subWindowCount
  let used = 0
  for (let index = Math.max(oldest, latest - subWindowCount, 0); index <= latest; index++)
    used += cells[at + 1 + (index % placeCount)] ?? 0
  return used
}

/**
 * Milliseconds until the bucket lets a request of this cost through; 0 when it would now. It is when enough of the
 * oldest sub-windows have left.
 *
 * @param cost A whole number from 1 to `count`; more would never pass.
 */
export function slidingWaitMs(
  rule: SlidingRule,
  cells: Float64Array,
  at: number,
  wholeMs: number,
  cost: number,
): number {
  let over = slidingUsed(rule, cells, at, wholeMs) + cost - rule.count
  if (over <= 0) return 0
  const latest = cells[at] ?? 0
  let index = Math.max(currentIndex(rule, latest, wholeMs) - subWindowCount, latest - subWindowCount, 0)
  for (; index < latest; index++) {
    over -= cells[at + 1 + (index % placeCount)] ?? 0
    if (over <= 0) break
  }
  return (index + placeCount) * subWindowMs(rule) - wholeMs
}

/** Counts a request of this cost in the current sub-window. Only for one that has not to wait. */
export function slidingTake(
  rule: SlidingRule,
  cells: Float64Array,
  at: number,
  wholeMs: number,
  cost: number,
): void {
  const latest = cells[at] ?? 0
  const current = currentIndex(rule, latest, wholeMs)
  for (let index = Math.max(latest + 1, current - subWindowCount); index <= current; index++)
    cells[at + 1 + (index % placeCount)] = 0
  cells[at] = current
  const place = at + 1 + (current % placeCount)
  cells[place] = (cells[place] ?? 0) + cost
}

/**
 * Takes this cost out of the newest sub-windows that hold any. A request is given back while it is under way, so that
 * is where it was counted, or next to it.
 */
export function slidingRefund(cells: Float64Array, at: number, cost: number): void {
  const latest = cells[at] ?? 0
  let left = cost
  for (let index = latest; left > 0 && index >= 0 && index >= latest - subWindowCount; index--) {
    const place = at + 1 + (index % placeCount)
    const given = Math.min(left, cells[place] ?? 0)
    cells[place] = (cells[place] ?? 0) - given
    left -= given
  }
}

/** The moment from which the bucket says nothing that a new one would not. */
export function slidingIdleFromMs(rule: SlidingRule, cells: Float64Array, at: number): number {
  const latest = cells[at] ?? 0
  for (let index = latest; index >= 0 && index >= latest - subWindowCount; index--)
    if ((cells[at + 1 + (index % placeCount)] ?? 0) > 0) return (index + placeCount) * subWindowMs(rule)
  return 0
}
