import { strict as assert } from 'node:assert'
import {
  type LimitCheck,
  type LimitDecision,
  type LimitPolicy,
  type LimitRule,
  type LimitStore,
  memoryStore,
  per,
  policyOf,
} from '../../src/limits/index.ts'

/** A store that decides otherwise, and is the given one in everything else. */
export function storeWith(store: LimitStore, consume: LimitStore['consume']): LimitStore {
  return {
    consume,
    refund: (checks, nowMs) => store.refund(checks, nowMs),
    refusedMs: (checks, nowMs) => store.refusedMs(checks, nowMs),
    close: () => store.close(),
  }
}

/** The moment at which the tests of stores begin. */
export const startMs = 1_795_000_000_000
/** Ten in a quarter of an hour. */
export const login = policyOf(per('15 minutes', 10), { name: 'login' })

export function checkOf(key: string, policy = login, cost?: number): LimitCheck {
  return cost === undefined ? { policy, key } : { policy, key, cost }
}

/** A policy of a group that all tests share, so that a request can have several. */
export function testedPolicy(rule: LimitRule, name = 'login'): LimitPolicy {
  return policyOf(rule, { name, group: 'tested' })
}

/** A memory store, which answers at once. */
export function storeOf(keyCount?: number) {
  const store = memoryStore(keyCount === undefined ? {} : { keyCount })
  const consume = (checks: readonly LimitCheck[], atMs = startMs): LimitDecision => {
    const decision = store.consume(checks, atMs)
    assert(!(decision instanceof Promise), 'the memory store answers without waiting')
    return decision
  }
  return { store, consume }
}
