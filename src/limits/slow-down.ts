import type { CountedClass } from './counted-class.ts'
import type { LimitDecision } from './limit.ts'

/**
 * How long an admitted request is held back: nothing for the first `after`, then evenly more up to `maxDelayMs` for the
 * last one before refusal. The fullest bucket of the class's own rule decides.
 */
export function delayMsOf({ name, limits }: CountedClass, { buckets }: LimitDecision): number {
  const { slowDown } = limits
  if (slowDown === undefined) return 0
  const own = buckets.filter(({ policy }) => policy.name === name)
  const delays = own.map(({ policy, remaining }) => {
    const bound = policy.algorithm === 'sliding-window' ? policy.count : policy.burst
    const over = bound - remaining - slowDown.after
    return over <= 0 ? 0 : Math.ceil((slowDown.maxDelayMs * over) / Math.max(1, bound - slowDown.after))
  })
  return Math.max(0, ...delays)
}
