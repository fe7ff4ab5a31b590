import type { LimitBy, LimitClass, LimitRule } from './limit-class.ts'

const algorithms: readonly unknown[] = ['gcra', 'sliding-window', 'token-bucket']
const words: readonly unknown[] = [
  'address',
  'network',
  'account',
  'account+address',
  'session',
  'tenant',
  'api-key',
  'route',
]
// Somebody who waits longer has gone; and whoever waits holds a connection.
const maxDelayMs = 10_000
const maxAmount = 1_000_000_000
const maxFullSeconds = 3_155_760_000

/** What is wrong with a limit class, and what to write instead. */
export interface LimitFault {
  readonly fault: string
  readonly fix: string
}

/**
 * Everything wrong with a limit class. A limiter would otherwise take some of it for "no limit": a count that is none
 * compares as below every bound, and a rule by nobody counts nobody.
 *
 * @see OWASP ASVS 5.0 §16.5.3
 */
export function limitFaults(name: string, limit: LimitClass): readonly LimitFault[] {
  const faults: LimitFault[] = []
  const refuse = (fault: string, fix: string): void => void faults.push({ fault, fix })
  examineRule(limit, `${name}: per('minute', 60)`, refuse)
  for (const [key, rule] of Object.entries(limit.and ?? {})) {
    if (!/^[a-z][a-z0-9-]{0,31}$/.test(key))
      refuse(`"${key}" is no name for a further rule`, `and: { daily: per('day', 1000) }`)
    examineRule(rule, `and: { ${key}: per('day', 1000) }`, refuse)
  }
  const { slowDown, concurrentCount, outage } = limit
  if (slowDown !== undefined) examineSlowDown(slowDown, limit.burst ?? limit.count, refuse)
  if (concurrentCount !== undefined && !isAmount(concurrentCount))
    refuse('concurrentCount must be a whole number above zero', 'concurrentCount: 4')
  if (outage !== undefined && outage !== 'share' && outage !== 'strict')
    refuse('outage is neither share nor strict', `outage: 'strict'`)
  return faults
}

type Refuse = (fault: string, fix: string) => void

function examineRule(
  { count, windowSeconds, burst, algorithm, by, counts }: LimitRule,
  fix: string,
  refuse: Refuse,
): void {
  if (!isAmount(count) || !isAmount(windowSeconds))
    refuse('the count and the window must be whole numbers above zero', fix)
  if (burst !== undefined && !isAmount(burst))
    refuse('the burst must be a whole number above zero', 'burst: 10')
  if (burst !== undefined && algorithm === 'sliding-window')
    refuse('a sliding window has no burst: no window holds more than the count', 'leave burst out')
  // Past a hundred years the arithmetic would no longer be exact.
  if ((burst ?? count) * (windowSeconds / count) > maxFullSeconds)
    refuse('the burst would take more than a hundred years to come back', 'burst: 10')
  if (algorithm !== undefined && !algorithms.includes(algorithm))
    refuse('there is no such algorithm', `algorithm: 'gcra', 'sliding-window' or 'token-bucket'`)
  if (counts !== undefined && counts !== 'requests' && counts !== 'failures')
    refuse('counts is neither requests nor failures', `counts: 'failures'`)
  if (by === undefined) return
  const keys = by.map(nameOf)
  if (by.length === 0 || keys.some((key) => key === undefined) || new Set(keys).size < keys.length)
    refuse('by names nobody, the same twice, or what is no key', `by: ['account', 'address']`)
}

function nameOf(by: LimitBy): string | undefined {
  if (words.includes(by)) return String(by)
  const isOwn = typeof by === 'object' && by !== null && typeof by.of === 'function'
  return isOwn && /^[a-z][a-z0-9-]{0,31}$/.test(by.name) ? `own:${by.name}` : undefined
}

function examineSlowDown(
  { after, maxDelayMs: delayMs }: NonNullable<LimitClass['slowDown']>,
  burst: number,
  refuse: Refuse,
): void {
  const isCount = Number.isInteger(after) && after >= 0 && after < burst
  if (!isCount || !isAmount(delayMs) || delayMs > maxDelayMs)
    refuse(
      `slowDown begins after fewer than ${burst}, and waits at most ${maxDelayMs / 1000} seconds`,
      `slowDown: { after: ${Math.floor(burst / 2)}, maxDelayMs: 1000 }`,
    )
}

/** Whether this is a whole number from 1 to a milliard. */
export function isAmount(value: unknown): boolean {
  return Number.isInteger(value) && Number(value) > 0 && Number(value) <= maxAmount
}
