import { addressKeys } from '../base/index.ts'
import type { LimitBy, LimitClass, LimitKey, LimitRule, LimitSubject } from '../route/limit-class.ts'
import type { LimitCheck } from './limit.ts'
import { type LimitPolicy, policyOf } from './policy.ts'

/** A limit class made ready: the policies of its rules, and whom each counts. */
export interface CountedClass {
  readonly name: string
  readonly limits: LimitClass
  readonly rules: readonly CountedRule[]
}

/** One rule of a class. */
export interface CountedRule {
  readonly policy: LimitPolicy
  readonly by: readonly LimitBy[]
  /** True for one that counts failures alone: what ended well is given back. */
  readonly isRefunded: boolean
}

/** Whom a rule counts unless it says so itself. */
export const defaultBy: readonly LimitBy[] = ['address', 'account']

/** Makes a class ready. Its rules share a group, so that one step decides them all. */
export function countedClass(name: string, limits: LimitClass): CountedClass {
  const { and = {}, outage = 'share' } = limits
  const counted = (rule: LimitRule, ruleName: string): CountedRule => ({
    policy: policyOf(rule, { name: ruleName, group: name, outage }),
    by: rule.by ?? defaultBy,
    isRefunded: rule.counts === 'failures',
  })
  const others = Object.entries(and).map(([key, rule]) => counted(rule, `${name}-${key}`))
  return { name, limits, rules: [counted(limits, name), ...others] }
}

/** The buckets that a request takes from; none of those for which it has no key. */
export function checksOf(counted: CountedClass, subject: LimitSubject, cost = 1): LimitCheck[] {
  return checksBy(counted, subject, cost, false)
}

/** Those of them that are the address's own, whoever sends the request. */
export function addressChecksOf(counted: CountedClass, subject: LimitSubject, cost = 1): LimitCheck[] {
  return checksBy(counted, subject, cost, true)
}

function checksBy(
  { rules }: CountedClass,
  subject: LimitSubject,
  cost: number,
  onlyAddress: boolean,
): LimitCheck[] {
  const checks: LimitCheck[] = []
  for (const { policy, by } of rules) {
    for (const whom of by) {
      if (onlyAddress && whom !== 'address' && whom !== 'network') continue
      const key = keyOf(whom, subject)
      if (key !== null) checks.push({ policy, key, cost })
    }
  }
  return checks
}

/**
 * Whose bucket, as a text that no other kind of key can look like. `null` where the request has none.
 *
 * An account with an address counts a stranger by the address alone, so that leaving the credential out is no way round.
 */
function keyOf(by: LimitBy, subject: LimitSubject): string | null {
  const { account, session, tenant, apiKey, route } = subject
  if (typeof by === 'object') return customKey(by, subject)
  switch (by) {
    case 'address':
      // In any spelling, so that no caller who forgets it gives each spelling a bucket of its own (CVE-2026-45364).
      return `address:${addressKeys(subject.address).address}`
    case 'network':
      return `network:${addressKeys(subject.address).network}`
    case 'account':
      return prefixed('account', account)
    case 'account+address':
      return `pair:${addressKeys(subject.address).address} ${account ?? ''}`
    case 'session':
      return prefixed('session', session)
    case 'tenant':
      return prefixed('tenant', tenant)
    case 'api-key':
      return prefixed('api-key', apiKey)
    case 'route':
      return prefixed('route', route)
    default:
      return by satisfies never
  }
}

function prefixed(kind: string, value: string | undefined): string | null {
  return value === undefined ? null : `${kind}:${value}`
}

function customKey({ name, of }: LimitKey, subject: LimitSubject): string | null {
  const value = of(subject)
  return value === null ? null : `own:${name}:${value}`
}
