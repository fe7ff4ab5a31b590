import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { OneBucket } from '../../test/kit/one-bucket.ts'
import type { LimitAlgorithm } from '../route/limit-class.ts'
import type { LimitCheck, LimitDecision } from './limit.ts'
import { memoryStore } from './memory-store.ts'
import { per } from './per.ts'
import { type LimitPolicy, policyOf } from './policy.ts'

const nowMs = 1_795_000_000_000
const algorithms: LimitAlgorithm[] = ['gcra', 'sliding-window', 'token-bucket']
const login = policyOf(per('15 minutes', 10), { name: 'login' })

function check(key: string, policy = login, cost?: number): LimitCheck {
  return cost === undefined ? { policy, key } : { policy, key, cost }
}

/** A policy of a group that all tests share, so that a request can have several. */
function policy(rule: ReturnType<typeof per>, name = 'login'): LimitPolicy {
  return policyOf(rule, { name, group: 'tested' })
}

/** A store of this project answers at once. */
function storeOf(keyCount?: number) {
  const store = memoryStore(keyCount === undefined ? {} : { keyCount })
  const consume = (checks: readonly LimitCheck[], atMs = nowMs): LimitDecision => {
    const decision = store.consume(checks, atMs)
    if (decision instanceof Promise) expect.fail('the memory store answers without waiting')
    return decision
  }
  return { store, consume }
}

setFlagsFromString('--expose-gc')
const collect: () => void = runInNewContext('gc')

function times(count: number, act: (index: number) => void): void {
  for (let index = 0; index < count; index++) act(index)
}

describe('V15.2.2 a full store', () => {
  it.each(algorithms)('V15.2.2 %s: refuses whom it refused, whatever new keys arrive', (algorithm) => {
    const ten = policy(per('15 minutes', 10, { algorithm }))
    for (const keyCount of [1, 10, 500, 9_000]) {
      const { consume } = storeOf(keyCount)
      const victims = Array.from({ length: Math.ceil(keyCount / 10) }, (_, index) => [
        check(`account:${index}`, ten),
      ])
      for (const victim of victims) times(10, () => consume(victim))
      times(20_000, (index) => consume([check(`address:${index}`, ten)]))
      for (const victim of victims) expect(consume(victim).allowed).toBe(false)
    }
  })

  it('V15.2.2 remembers whoever is nearer to the limit than the new keys', () => {
    const { consume } = storeOf(500)
    const victim = [check('account:victim')]
    times(3, () => consume(victim))
    times(20_000, (index) => {
      times(2, () => consume([check(`address:${index}`)]))
    })
    expect(consume(victim)).toMatchObject({ allowed: true, remaining: 6 })
  })

  it('V15.2.2 refuses new keys, not forgets old ones, when every bucket is refusing', () => {
    const { store, consume } = storeOf(50)
    times(50, (index) => times(10, () => consume([check(`address:${index}`)])))
    times(3, (index) => {
      const atMs = nowMs + index * 1_000
      const waitMs = 90_000 - index * 1_000
      expect(consume([check('address:new')], atMs)).toEqual({
        allowed: false,
        remaining: 0,
        retryAfterMs: waitMs,
        buckets: [{ policy: login, remaining: 0, waitMs }],
      })
      expect(store.refusedMs([check('address:new')], atMs)).toBe(waitMs)
    })
    times(50, (index) => expect(consume([check(`address:${index}`)]).allowed).toBe(false))
    expect(consume([check('address:new')], nowMs + 90_000)).toMatchObject({ allowed: true, remaining: 9 })
  })

  it('V15.2.2 has room again as soon as a refusing bucket gets something back', () => {
    const { store, consume } = storeOf(50)
    times(50, (index) => times(10, () => consume([check(`address:${index}`)])))
    expect(consume([check('address:new')]).allowed).toBe(false)
    store.refund([check('address:7')], nowMs)
    expect(consume([check('address:new')]).allowed).toBe(true)
    expect(consume([check('address:newer', login)]).allowed).toBe(true)
    times(50, (index) => {
      if (index !== 7) expect(consume([check(`address:${index}`)]).allowed).toBe(false)
    })
  })

  it('V15.2.2 pushes nothing out for a request that it refuses', () => {
    const { store, consume } = storeOf(50)
    const ten = policy(per('15 minutes', 10))
    const spent = check('account:spent', policy(per('day', 1), 'daily'))
    consume([spent])
    times(50, (index) => consume([check(`address:${index}`, ten)]))
    times(500, (index) => {
      expect(consume([check(`address:new-${index}`, ten), spent]).allowed).toBe(false)
      store.refusedMs([check(`address:new-${index}`, ten)], nowMs)
    })
    times(50, (index) => expect(consume([check(`address:${index}`, ten)])).toMatchObject({ remaining: 8 }))
  })

  it('V15.2.2 has no room for two new keys where only one bucket can go', () => {
    const one = policy(per('hour', 1))
    const { consume } = storeOf(3)
    consume([check('a:1', one)], nowMs)
    times(2, (index) => consume([check(`a:late-${index}`, one)], nowMs + 1_000))
    const atMs = nowMs + 3_600_000
    expect(consume([check('b:1', one), check('b:2', one)], atMs)).toMatchObject({
      allowed: false,
      retryAfterMs: 1_000,
    })
    expect(consume([check('b:1', one)], atMs).allowed).toBe(true)
    times(2, (index) => expect(consume([check(`a:late-${index}`, one)], atMs).allowed).toBe(false))
  })

  it('V15.2.2 forgets nothing for two new keys if there is room for one, and needs one place for one key', () => {
    const two = policy(per('hour', 2))
    const { consume } = storeOf(3)
    consume([check('a:half', two)])
    for (const key of ['a:1', 'a:2']) times(2, () => consume([check(key, two)]))
    expect(consume([check('b:1', two), check('b:2', two)]).allowed).toBe(false)
    expect(consume([check('a:half', two)])).toMatchObject({ allowed: true, remaining: 0 })

    const other = storeOf(3)
    other.consume([check('a:half', two)])
    const wanted = ['b:1', 'b:1', 'b:2'].map((key) => check(key, two))
    expect(other.consume(wanted).allowed).toBe(true)
    expect(other.consume([check('a:half', two)])).toMatchObject({ allowed: true, remaining: 0 })
  })

  it('V15.2.2 pushes no bucket of the request itself out for its new key', () => {
    const two = policy(per('hour', 2))
    const { consume } = storeOf(2)
    times(2, () => consume([check('a:refusing', two)]))
    consume([check('a:half', two)])
    expect(consume([check('a:half', two), check('a:new', two)]).allowed).toBe(false)
    expect(consume([check('a:new', two), check('a:half', two)]).allowed).toBe(false)
    expect(consume([check('a:refusing', two)]).allowed).toBe(false)
    expect(consume([check('a:half', two)])).toMatchObject({ allowed: true, remaining: 0 })
  })

  it('V15.2.2 never holds more keys than it may, and never forgets one that refuses', () => {
    const steps = fc.array(
      fc.record({
        keys: fc.array(fc.integer({ min: 0, max: 25 }), { minLength: 1, maxLength: 3 }),
        gapMs: fc.constantFrom(0, 1, 5_000, 90_000),
      }),
      { maxLength: 200 },
    )
    fc.assert(
      fc.property(
        steps,
        fc.integer({ min: 3, max: 12 }),
        fc.constantFrom(...algorithms),
        (taken, keyCount, algorithm) => {
          const rule = policy(per('15 minutes', 3, { algorithm }))
          const { consume } = storeOf(keyCount)
          // Every bucket, as if there were no bound.
          const model = new Map<number, OneBucket>()
          let atMs = nowMs
          for (const { keys, gapMs } of taken) {
            atMs += gapMs
            const before = [...model].filter(([, bucket]) => bucket.waitMs(atMs) > 0).map(([key]) => key)
            const { allowed, buckets } = consume(
              keys.map((key) => check(`address:${key}`, rule)),
              atMs,
            )
            for (const key of keys) if (before.includes(key)) expect(allowed).toBe(false)
            // Somebody is refused for want of room only if nearly all buckets refuse.
            const isCertain = keys.every((key) => keys.filter((other) => other === key).length === 1)
            if (
              isCertain &&
              before.length + keys.length <= keyCount &&
              !keys.some((key) => before.includes(key))
            )
              expect(allowed).toBe(true)
            if (!allowed) continue
            for (const [index, key] of keys.entries()) {
              // What was forgotten and came back starts anew: the model follows.
              const known = model.get(key) ?? new OneBucket(rule)
              const isKnown = known.remaining(atMs) > (buckets[index]?.remaining ?? 0)
              const bucket = isKnown ? known : new OneBucket(rule)
              bucket.take(atMs)
              model.set(key, bucket)
            }
          }
        },
      ),
      { numRuns: 300 },
    )
  })

  it('V15.2.2 a flood on one class costs the others nothing', () => {
    const { consume } = storeOf(100)
    const read = policyOf(per('minute', 300), { name: 'read' })
    consume([check('address:1', read)])
    times(10_000, (index) => consume([check(`address:${index}`)]))
    expect(consume([check('address:1', read)])).toMatchObject({ remaining: 298 })
  })

  it('V15.2.2 keeps neither keys in memory nor what a key was cut out of', () => {
    const { consume } = storeOf()
    collect()
    const beforeBytes = process.memoryUsage().heapUsed
    times(1_000, (index) => {
      const header = `address-${index}-`.padEnd(32, 'k') + 'x'.repeat(100_000).replace(/x$/, String(index))
      consume([check(header.slice(0, 32))])
    })
    times(300, (index) => consume([check(Buffer.alloc(200_000, `k${index}`).toString('latin1'))]))
    collect()
    expect(process.memoryUsage().heapUsed - beforeBytes).toBeLessThan(5_000_000)
    expect(consume([check('address-7-'.padEnd(32, 'k'))])).toMatchObject({ remaining: 8 })
  })

  it('V15.2.2 has room in the same memory for as many keys later', () => {
    collect()
    const beforeBytes = process.memoryUsage().arrayBuffers
    const { consume } = storeOf()
    times(4, (hour) =>
      times(60_000, (index) => consume([check(`${hour}:${index}`)], nowMs + hour * 3_600_000)),
    )
    collect()
    expect(process.memoryUsage().arrayBuffers - beforeBytes).toBeLessThan(4_000_000)
    expect(consume([check('3:0')], nowMs + 3 * 3_600_000)).toMatchObject({ remaining: 8 })
  })

  it('V15.2.2 holds a hundred thousand keys in less than 6 MB, and one in a kilobyte', () => {
    const bytesOf = (keyCount: number): number => {
      collect()
      const beforeBytes = process.memoryUsage().arrayBuffers
      const { consume } = storeOf()
      times(keyCount, (index) => consume([check(`address:${index}`)]))
      collect()
      const bytes = process.memoryUsage().arrayBuffers - beforeBytes
      expect(consume([check('address:0')])).toMatchObject({ remaining: 8 })
      return bytes
    }
    expect(bytesOf(1)).toBeLessThan(1_000)
    expect(bytesOf(100_000)).toBeLessThan(6_000_000)
  })
})
