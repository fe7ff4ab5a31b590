import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkOf, login, startMs, storeOf, testedPolicy } from '../../test/kit/limits.ts'
import { sharedStoreOf, TestMemory } from '../../test/kit/shared-memory.ts'
import type { LimitAlgorithm } from '../route/limit-class.ts'
import type { LimitDecision } from './limit.ts'
import { per } from './per.ts'

const algorithms: LimitAlgorithm[] = ['gcra', 'sliding-window', 'token-bucket']
const ten = testedPolicy(per('15 minutes', 10), 'ten')

function times(count: number, act: (index: number) => void): void {
  for (let index = 0; index < count; index++) act(index)
}

function two(keyCount?: number) {
  const memory = new TestMemory()
  const [one, other] = [sharedStoreOf(memory.thread(0), keyCount), sharedStoreOf(memory.thread(1), keyCount)]
  return { memory, one, other }
}

/** What a decision says, but for what is left of single buckets of a refused request: none of it is taken. */
function told({ buckets, ...decision }: LimitDecision) {
  const states = buckets.map(({ waitMs, remaining }) => (decision.allowed ? [waitMs, remaining] : [waitMs]))
  return { ...decision, states }
}

describe('V2.4.1 limits in memory that threads share', () => {
  it('V2.4.1 V15.4.1 decide as one store does, letter by letter, whichever thread is asked', () => {
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
        thread: fc.nat({ max: 1 }),
      }),
      { maxLength: 60 },
    )
    fc.assert(
      fc.property(steps, (taken) => {
        const alone = storeOf()
        const { one, other } = two()
        let atMs = startMs
        for (const { gapMs, wants, isRefunded, thread } of taken) {
          atMs += gapMs
          const asked = thread === 0 ? one : other
          const checks = wants.map(({ rule, key, cost }) => checkOf(key, rule, cost))
          expect(asked.at(atMs, () => asked.store.refusedMs(checks, atMs))).toBe(
            alone.store.refusedMs(checks, atMs),
          )
          const decision = alone.consume(checks, atMs)
          expect(told(asked.consume(checks, atMs))).toEqual(told(decision))
          if (!isRefunded || !decision.allowed) continue
          alone.store.refund(checks, atMs)
          asked.at(atMs, () => asked.store.refund(checks, atMs))
        }
      }),
      { numRuns: 300 },
    )
  })

  it('V2.4.1 take from all buckets of a request or from none, in whatever order they are named', () => {
    const { one, other } = two()
    const [a, b] = [checkOf('account:ann', ten), checkOf('address:192.0.2.1', ten)]
    times(10, () => one.consume([b]))
    times(20, (index) => expect(other.consume(index % 2 === 0 ? [a, b] : [b, a]).allowed).toBe(false))
    expect(one.consume([a])).toMatchObject({ allowed: true, remaining: 9 })
  })

  it('V16.5.3 refuse a cost that is none, and a time that is none', () => {
    const { one } = two()
    for (const cost of [0, -1, 1.5, 11, Number.NaN])
      expect(() => one.consume([checkOf('account:ann', ten, cost)])).toThrow('costs a whole number')
    expect(() => one.consume([checkOf('account:ann', ten)], Number.NaN)).toThrow('told the time')
    expect(() => one.consume([])).toThrow('counted somewhere')
  })
})

describe('V15.2.2 a full store that threads share', () => {
  it.each(algorithms)('V15.2.2 %s: refuses whom it refused, whatever new keys arrive', (algorithm) => {
    const rule = testedPolicy(per('15 minutes', 10, { algorithm }))
    for (const keyCount of [1, 10, 500, 9_000]) {
      const { one, other } = two(keyCount)
      const names = Array.from({ length: Math.ceil(keyCount / 10) }, (_, index) => `account:${index}`)
      const victims = names.map((name) => [checkOf(name, rule)])
      for (const victim of victims) times(10, () => one.consume(victim))
      times(20_000, (index) => other.consume([checkOf(`address:${index}`, rule)]))
      for (const victim of victims) expect(one.consume(victim).allowed).toBe(false)
    }
  })

  it('V15.2.2 remembers whoever is nearer to the limit than the new keys', () => {
    const { one, other } = two(500)
    const victim = [checkOf('account:victim')]
    times(3, () => one.consume(victim))
    times(20_000, (index) => times(2, () => other.consume([checkOf(`address:${index}`)])))
    expect(one.consume(victim)).toMatchObject({ allowed: true, remaining: 6 })
  })

  it('V15.2.2 refuses new keys, not forgets old ones, when all that share their place refuse', () => {
    const { one, other } = two(8)
    const known: string[] = []
    for (let index = 0; known.length < 32 && index < 1_000; index++) {
      const key = `address:${index}`
      const first = one.consume([checkOf(key)])
      if (!first.allowed) continue
      known.push(key)
      times(9, () => one.consume([checkOf(key)]))
    }
    expect(known).toHaveLength(32)
    for (const checks of [[checkOf('address:new')], [checkOf('address:new'), checkOf('address:newer')]]) {
      const refused = other.consume(checks)
      expect(refused).toMatchObject({ allowed: false, remaining: 0, retryAfterMs: 90_000 })
      expect(other.at(startMs, () => other.store.refusedMs(checks, startMs))).toBe(90_000)
    }
    for (const key of known) expect(other.consume([checkOf(key)]).allowed).toBe(false)
    expect(other.consume([checkOf('address:new')], startMs + 90_000)).toMatchObject({ allowed: true })
  })

  it('V15.2.2 never makes room with a bucket of the same request', () => {
    const { one } = two(8)
    const keys = Array.from({ length: 400 }, (_, index) => `address:${index}`)
    for (const key of keys) one.consume([checkOf(key, login, 2)])
    const own = checkOf('account:own')
    one.consume([own])
    for (const key of keys.slice(0, 5)) one.consume([own, checkOf(`${key}/new`, login, 3)])
    expect(one.consume([own])).toMatchObject({ remaining: 3 })
  })
})

describe('V15.4.1 a thread that dies while it decides', () => {
  it('V16.5.3 leaves no lock that nobody opens again, and nothing uncounted', () => {
    const memory = new TestMemory()
    const victim = memory.thread(0)
    const dying = sharedStoreOf(victim)
    const living = sharedStoreOf(memory.thread(1))
    times(4, () => dying.consume([checkOf('account:ann')]))
    // Every lock of the table, as the dead thread would have left it.
    const words = memory.words('limit ')
    const stride = (1 + 16 * 2) * 2
    for (let at = 0; at < words.length; at += stride) words[at] = victim.holder
    memory.kill(victim)
    expect(living.consume([checkOf('account:ann')])).toMatchObject({ allowed: true, remaining: 5 })
    expect(living.consume([checkOf('account:ann'), checkOf('account:bob')])).toMatchObject({ remaining: 4 })
  })
})
