import { take } from './gcra.ts'
import type { LimitCheck, LimitDecision, LimitStore } from './limit.ts'

const defaultKeyCount = 100_000
// How many of the longest unused keys are looked at to find the one whose loss matters least.
const candidateCount = 16

/**
 * Buckets in this process's memory, at most `keyCount` of them: an attacker picks the keys, so the map must not
 * grow with them. When it is full, the fullest of the longest unused buckets goes: never one that is refusing,
 * as long as there is another.
 */
export function memoryStore(keyCount: number = defaultKeyCount): LimitStore {
  const arrivals = new Map<string, number>()
  return {
    consume(checks: readonly LimitCheck[], nowMs: number): LimitDecision {
      const taken = checks.map(({ name, limit, key }) => {
        const id = `${name}\n${key}`
        return { id, ...take(limit, arrivals.get(id) ?? 0, nowMs) }
      })
      const refused = taken.filter(({ decision }) => !decision.allowed)
      if (refused.length > 0) {
        const retryAfterMs = Math.max(...refused.map(({ decision }) => decision.retryAfterMs))
        return { allowed: false, remaining: 0, retryAfterMs }
      }
      for (const { id, arrivalMs } of taken) {
        // Deleted first, so that the map's order is the order of last use.
        arrivals.delete(id)
        if (arrivals.size >= keyCount) evict(arrivals)
        arrivals.set(id, arrivalMs)
      }
      return {
        allowed: true,
        remaining: Math.min(...taken.map(({ decision }) => decision.remaining)),
        retryAfterMs: 0,
      }
    },
  }
}

function evict(arrivals: Map<string, number>): void {
  let chosen: string | undefined
  let earliestMs = Number.POSITIVE_INFINITY
  let seenCount = 0
  for (const [id, arrivalMs] of arrivals) {
    if (arrivalMs < earliestMs) {
      chosen = id
      earliestMs = arrivalMs
    }
    if (++seenCount >= candidateCount) break
  }
  if (chosen !== undefined) arrivals.delete(chosen)
}
