import type { LimitPolicy } from '../../src/limits/index.ts'

// The rules of the limits as their promises say them, over the whole history of one bucket, in plain code and whole
// numbers. Slow, and nothing like what ships.

/** What has happened to a bucket: a request that it let through, or one that was given back. */
export interface LimitEvent {
  readonly kind: 'taken' | 'refunded'
  /** A whole number of milliseconds. */
  readonly atMs: number
  readonly cost: number
}

/** Whether a request may pass, by the rule of the policy's algorithm. */
export function modelAllows(
  policy: LimitPolicy,
  history: readonly LimitEvent[],
  atMs: number,
  cost: number,
): boolean {
  switch (policy.algorithm) {
    case 'gcra':
      return gcraAllows(policy, history, atMs, cost)
    case 'token-bucket':
      return tokenBucketAllows(policy, history, atMs, cost)
    default:
      return slidingWindowAllows(policy, history, atMs, cost)
  }
}

/** 1/1024 ms, the unit in which an interval is a whole number. */
function ticks(ms: number): bigint {
  return BigInt(ms * 1_024)
}

/**
 * Any stretch of D ms, from any request to this one, holds at most `burst + floor(D / interval)`; what was given back
 * is taken off. Right for a clock that goes back, too.
 */
export function gcraAllows(
  policy: LimitPolicy,
  history: readonly LimitEvent[],
  atMs: number,
  cost: number,
): boolean {
  const interval = ticks(policy.intervalMs)
  if (cost > policy.burst) return false
  return history.every((from, index) => {
    if (from.kind === 'refunded') return true
    const held = history
      .slice(index)
      .reduce((sum, one) => (one.kind === 'taken' ? sum + one.cost : sum - one.cost), cost)
    return BigInt(held - policy.burst) * interval <= ticks(atMs - from.atMs)
  })
}

/**
 * A bucket of `burst` tokens that gets one each interval, a little in each tick, and never more than it holds. For a
 * clock that does not go back.
 */
export function tokenBucketAllows(
  policy: LimitPolicy,
  history: readonly LimitEvent[],
  atMs: number,
  cost: number,
): boolean {
  const token = ticks(policy.intervalMs)
  const full = BigInt(policy.burst) * token
  let held = full
  let lastMs = history[0]?.atMs ?? atMs
  const fill = (untilMs: number, more: bigint): void => {
    held += ticks(untilMs - lastMs) + more
    if (held > full) held = full
    lastMs = untilMs
  }
  for (const event of history) {
    fill(event.atMs, event.kind === 'refunded' ? BigInt(event.cost) * token : 0n)
    if (event.kind === 'taken') held -= BigInt(event.cost) * token
  }
  fill(atMs, 0n)
  return held >= BigInt(cost) * token
}

/**
 * The current eighth of a window and the eight before hold at most `count`. What is given back comes off the newest
 * eighths that hold any. While the clock is behind what it once said, that eighth is the current one.
 */
export function slidingWindowAllows(
  policy: LimitPolicy,
  history: readonly LimitEvent[],
  atMs: number,
  cost: number,
): boolean {
  const eighthMs = policy.windowSeconds * 125
  const held = new Map<number, number>()
  let current = 0
  for (const event of history) {
    if (event.kind === 'taken') {
      current = Math.max(current, Math.floor(event.atMs / eighthMs))
      held.set(current, (held.get(current) ?? 0) + event.cost)
      continue
    }
    let left = event.cost
    for (let eighth = current; left > 0 && eighth >= current - 8; eighth--) {
      const given = Math.min(left, held.get(eighth) ?? 0)
      held.set(eighth, (held.get(eighth) ?? 0) - given)
      left -= given
    }
  }
  current = Math.max(current, Math.floor(atMs / eighthMs))
  let used = cost
  for (const [eighth, count] of held) if (eighth >= current - 8) used += count
  return used <= policy.count
}
