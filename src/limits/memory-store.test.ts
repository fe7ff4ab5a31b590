import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type LimitEvent, modelAllows } from '../../test/kit/limit-models.ts'
import { checkOf, login, startMs, storeOf, testedPolicy } from '../../test/kit/limits.ts'
import type { LimitAlgorithm } from '../route/limit-class.ts'
import { per } from './per.ts'
import { policyOf } from './policy.ts'

const nowMs = startMs
const algorithms: LimitAlgorithm[] = ['gcra', 'sliding-window', 'token-bucket']

function times(count: number, act: (index: number) => void): void {
  for (let index = 0; index < count; index++) act(index)
}

describe('V2.4.1 the limits in memory', () => {
  it.each(algorithms)('V2.4.1 %s: admits exactly the limit out of many requests at once', (algorithm) => {
    const { consume } = storeOf()
    const ten = testedPolicy(per('15 minutes', 10, { algorithm }))
    let allowedCount = 0
    times(200, () => {
      if (consume([checkOf('account:ann', ten)]).allowed) allowedCount++
    })
    expect(allowedCount).toBe(10)
  })

  it('V2.4.1 decides as the rules do, for any mixture of buckets, costs and refunds', () => {
    const rules = algorithms.flatMap((algorithm) => [
      testedPolicy(per('second', 4, { algorithm }), `few-${algorithm}`),
      testedPolicy(per('minute', 9, { algorithm, burst: 5 }), `more-${algorithm}`),
    ])
    const wanted = fc.record({
      rule: fc.constantFrom(...rules),
      key: fc.constantFrom('account:ann', 'account:bob', 'address:日'),
      cost: fc.integer({ min: 1, max: 4 }),
    })
    const steps = fc.array(
      fc.record({
        gapMs: fc.constantFrom(0, 0, 1, 90, 1_000, 20_000),
        wants: fc.array(wanted, { minLength: 1, maxLength: 4 }),
        isRefunded: fc.constantFrom(false, false, true),
      }),
      { maxLength: 60 },
    )
    fc.assert(
      fc.property(steps, (taken) => {
        const { store, consume } = storeOf()
        const histories = new Map<string, LimitEvent[]>()
        let atMs = nowMs
        for (const { gapMs, wants, isRefunded } of taken) {
          atMs += gapMs
          const checks = wants.map(({ rule, key, cost }) => checkOf(key, rule, cost))
          // Each bucket after what earlier checks of the same request took from it.
          const trial = new Map<string, LimitEvent[]>()
          const answers = wants.map(({ rule, key, cost }) => {
            const name = `${rule.id} ${key}`
            const history = trial.get(name) ?? histories.get(name) ?? []
            const passes = modelAllows(rule, history, atMs, cost)
            trial.set(name, passes ? [...history, { kind: 'taken', atMs, cost }] : history)
            return passes
          })
          const allowed = answers.every(Boolean)
          expect(store.refusedMs(checks, atMs) === 0).toBe(allowed)
          const decision = consume(checks, atMs)
          expect(decision.allowed).toBe(allowed)
          expect(decision.retryAfterMs === 0).toBe(allowed)
          if (!allowed) {
            expect(decision.buckets.map(({ waitMs }) => waitMs === 0)).toEqual(answers)
            continue
          }
          for (const [name, history] of trial) histories.set(name, history)
          if (!isRefunded) continue
          store.refund(checks, atMs)
          for (const { rule, key, cost } of wants)
            histories.get(`${rule.id} ${key}`)?.push({ kind: 'refunded', atMs, cost })
        }
      }),
      { numRuns: 200 },
    )
  })

  it.each(algorithms)('V2.4.1 %s: one check is decided as two are', (algorithm) => {
    const steps = fc.array(
      fc.record({ gapMs: fc.constantFrom(0, 0, 1, 300, 70_000), cost: fc.constantFrom(1, 1, 2, 5) }),
      { maxLength: 60 },
    )
    const rule = testedPolicy(per('minute', 5, { algorithm }))
    const beside = testedPolicy(per('second', 1_000_000), 'beside')
    fc.assert(
      fc.property(steps, (taken) => {
        const alone = storeOf()
        const together = storeOf()
        let atMs = nowMs
        for (const { gapMs, cost } of taken) {
          atMs += gapMs
          const mine = checkOf('account:ann', rule, cost)
          const waitMs = alone.store.refusedMs([mine], atMs)
          const decision = alone.consume([mine], atMs)
          expect(decision.retryAfterMs).toBe(waitMs)
          const other = together.consume([mine, checkOf('account:ann', beside)], atMs)
          expect(other.buckets[0]).toEqual(decision.buckets[0])
          expect(other).toMatchObject({ allowed: decision.allowed, retryAfterMs: decision.retryAfterMs })
        }
      }),
    )
  })

  it('V2.4.1 takes from every bucket or from none', () => {
    const { consume } = storeOf()
    const mine = checkOf('account:1', testedPolicy(per('15 minutes', 10)))
    const tight = checkOf('address:1', testedPolicy(per('minute', 1), 'tight'))
    expect(consume([mine, tight])).toMatchObject({ allowed: true, remaining: 0, retryAfterMs: 0 })
    times(50, () => {
      expect(consume([mine, tight]).allowed).toBe(false)
      expect(consume([tight, mine]).allowed).toBe(false)
    })
    expect(consume([mine])).toMatchObject({ allowed: true, remaining: 8 })
  })

  it('tells how each bucket stands, and waits for the slowest', () => {
    const { store, consume } = storeOf()
    const minute = checkOf('address:1', testedPolicy(per('minute', 2), 'read'))
    const hour = checkOf('address:1', testedPolicy(per('hour', 1), 'export'))
    expect(consume([minute, hour])).toEqual({
      allowed: true,
      remaining: 0,
      retryAfterMs: 0,
      buckets: [
        { policy: minute.policy, remaining: 1, waitMs: 0 },
        { policy: hour.policy, remaining: 0, waitMs: 3_600_000 },
      ],
    })
    const refused = {
      allowed: false,
      remaining: 0,
      retryAfterMs: 3_600_000,
      buckets: [
        { policy: minute.policy, remaining: 1, waitMs: 0 },
        { policy: hour.policy, remaining: 0, waitMs: 3_600_000 },
      ],
    }
    expect(consume([minute, hour])).toEqual(refused)
    expect(store.refusedMs([minute, hour], nowMs)).toBe(3_600_000)
    expect(store.refusedMs([minute], nowMs)).toBe(0)
    expect(consume([minute, hour])).toEqual(refused)
  })

  it('V2.4.1 counts a bucket twice that a request names twice', () => {
    const { consume } = storeOf()
    const three = testedPolicy(per('minute', 3))
    const twice = [checkOf('account:1', three), checkOf('account:1', three)]
    expect(consume(twice)).toMatchObject({ remaining: 1 })
    expect(consume(twice).allowed).toBe(false)
    expect(consume([checkOf('account:1', three)])).toMatchObject({ allowed: true, remaining: 0 })
  })

  it('V2.4.1 takes what a request costs, and gives back what was taken', () => {
    const { store, consume } = storeOf()
    expect(consume([checkOf('account:ann', login, 7)])).toMatchObject({ allowed: true, remaining: 3 })
    expect(consume([checkOf('account:ann', login, 4)])).toMatchObject({
      allowed: false,
      remaining: 0,
      retryAfterMs: 90_000,
      buckets: [{ remaining: 3, waitMs: 90_000 }],
    })
    store.refund([checkOf('account:ann', login, 7), checkOf('account:nobody', login)], nowMs)
    expect(consume([checkOf('account:ann', login, 10)])).toMatchObject({ allowed: true, remaining: 0 })
    expect(consume([checkOf('account:nobody', login, 10)])).toMatchObject({ allowed: true, remaining: 0 })
    for (const cost of [0, -1, 1.5, 11, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => consume([checkOf('account:bob', login, cost)])).toThrow('whole number')
      expect(() => store.refund([checkOf('account:bob', login, cost)], nowMs)).toThrow('whole number')
    }
  })

  it('keeps policies of different names, and keys of different spelling, apart', () => {
    const { consume } = storeOf()
    const long = 'x'.repeat(255)
    const keys = ['a', 'a ', ' a', 'A', 'a\n', `a${long}`, `a${long}x`, `a${long}y`, '#a', 'å', '日', '']
    for (const name of ['read', 'write', 'read a'])
      for (const key of keys) {
        const one = testedPolicy(per('minute', 1), name)
        expect(consume([checkOf(key, one)]).allowed, key).toBe(true)
        expect(consume([checkOf(key, one)]).allowed, key).toBe(false)
      }
  })

  it('V16.5.3 does not take a request that is counted nowhere, or at no time', async () => {
    const { store, consume } = storeOf()
    expect(() => consume([])).toThrow('counted somewhere')
    expect(() => store.refusedMs([], nowMs)).toThrow('counted somewhere')
    const elsewhere = policyOf(per('minute', 5), { name: 'a', group: 'elsewhere' })
    expect(() => consume([checkOf('a'), checkOf('a', elsewhere)])).toThrow('one group')
    for (const atMs of [Number.NaN, Number.POSITIVE_INFINITY, -1]) {
      expect(() => consume([checkOf('a')], atMs)).toThrow('told the time')
      expect(() => store.refund([checkOf('a')], atMs)).toThrow('told the time')
      expect(() => store.refusedMs([checkOf('a')], atMs)).toThrow('told the time')
    }
    for (const keyCount of [0, -1, 1.5, Number.NaN]) expect(() => storeOf(keyCount)).toThrow('whole number')
    expect(() => storeOf(2 ** 25)).toThrow('at most')
    await store.close()
  })
})
