import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkOf, login, startMs, storeOf, testedPolicy } from '../../test/kit/limits.ts'
import { OneBucket } from '../../test/kit/one-bucket.ts'
import type { LimitAlgorithm } from '../route/limit-class.ts'
import { per } from './per.ts'
import { policyOf } from './policy.ts'

const nowMs = startMs
const algorithms: LimitAlgorithm[] = ['gcra', 'sliding-window', 'token-bucket']

setFlagsFromString('--expose-gc')
const collect: () => void = runInNewContext('gc')

function times(count: number, act: (index: number) => void): void {
  for (let index = 0; index < count; index++) act(index)
}

describe('V15.2.2 a full store', () => {
  it.each(algorithms)('V15.2.2 %s: refuses whom it refused, whatever new keys arrive', (algorithm) => {
    const ten = testedPolicy(per('15 minutes', 10, { algorithm }))
    for (const keyCount of [1, 10, 500, 9_000]) {
      const { consume } = storeOf(keyCount)
      const victims = Array.from({ length: Math.ceil(keyCount / 10) }, (_, index) => [
        checkOf(`account:${index}`, ten),
      ])
      for (const victim of victims) times(10, () => consume(victim))
      times(20_000, (index) => consume([checkOf(`address:${index}`, ten)]))
      for (const victim of victims) expect(consume(victim).allowed).toBe(false)
    }
  })

  it('V15.2.2 remembers whoever is nearer to the limit than the new keys', () => {
    const { consume } = storeOf(500)
    const victim = [checkOf('account:victim')]
    times(3, () => consume(victim))
    times(20_000, (index) => {
      times(2, () => consume([checkOf(`address:${index}`)]))
    })
    expect(consume(victim)).toMatchObject({ allowed: true, remaining: 6 })
  })

  it('V15.2.2 refuses new keys, not forgets old ones, when every bucket is refusing', () => {
    const { store, consume } = storeOf(50)
    times(50, (index) => times(10, () => consume([checkOf(`address:${index}`)])))
    times(3, (index) => {
      const atMs = nowMs + index * 1_000
      const waitMs = 90_000 - index * 1_000
      expect(consume([checkOf('address:new')], atMs)).toEqual({
        allowed: false,
        remaining: 0,
        retryAfterMs: waitMs,
        buckets: [{ policy: login, remaining: 0, waitMs }],
      })
      expect(store.refusedMs([checkOf('address:new')], atMs)).toBe(waitMs)
    })
    times(50, (index) => expect(consume([checkOf(`address:${index}`)]).allowed).toBe(false))
    expect(consume([checkOf('address:new')], nowMs + 90_000)).toMatchObject({ allowed: true, remaining: 9 })
  })

  it('V15.2.2 has room again as soon as a refusing bucket gets something back', () => {
    const { store, consume } = storeOf(50)
    times(50, (index) => times(10, () => consume([checkOf(`address:${index}`)])))
    expect(consume([checkOf('address:new')]).allowed).toBe(false)
    store.refund([checkOf('address:7')], nowMs)
    expect(consume([checkOf('address:new')]).allowed).toBe(true)
    expect(consume([checkOf('address:newer', login)]).allowed).toBe(true)
    times(50, (index) => {
      if (index !== 7) expect(consume([checkOf(`address:${index}`)]).allowed).toBe(false)
    })
  })

  it('V15.2.2 pushes nothing out for a request that it refuses', () => {
    const { store, consume } = storeOf(50)
    const ten = testedPolicy(per('15 minutes', 10))
    const spent = checkOf('account:spent', testedPolicy(per('day', 1), 'daily'))
    consume([spent])
    times(50, (index) => consume([checkOf(`address:${index}`, ten)]))
    times(500, (index) => {
      expect(consume([checkOf(`address:new-${index}`, ten), spent]).allowed).toBe(false)
      store.refusedMs([checkOf(`address:new-${index}`, ten)], nowMs)
    })
    times(50, (index) => expect(consume([checkOf(`address:${index}`, ten)])).toMatchObject({ remaining: 8 }))
  })

  it('V15.2.2 has no room for two new keys where only one bucket can go', () => {
    const one = testedPolicy(per('hour', 1))
    const { consume } = storeOf(3)
    consume([checkOf('a:1', one)], nowMs)
    times(2, (index) => consume([checkOf(`a:late-${index}`, one)], nowMs + 1_000))
    const atMs = nowMs + 3_600_000
    expect(consume([checkOf('b:1', one), checkOf('b:2', one)], atMs)).toMatchObject({
      allowed: false,
      retryAfterMs: 1_000,
    })
    expect(consume([checkOf('b:1', one)], atMs).allowed).toBe(true)
    times(2, (index) => expect(consume([checkOf(`a:late-${index}`, one)], atMs).allowed).toBe(false))
  })

  it('V15.2.2 forgets nothing for two new keys if there is room for one, and needs one place for one key', () => {
    const two = testedPolicy(per('hour', 2))
    const { consume } = storeOf(3)
    consume([checkOf('a:half', two)])
    for (const key of ['a:1', 'a:2']) times(2, () => consume([checkOf(key, two)]))
    expect(consume([checkOf('b:1', two), checkOf('b:2', two)]).allowed).toBe(false)
    expect(consume([checkOf('a:half', two)])).toMatchObject({ allowed: true, remaining: 0 })

    const other = storeOf(3)
    other.consume([checkOf('a:half', two)])
    const wanted = ['b:1', 'b:1', 'b:2'].map((key) => checkOf(key, two))
    expect(other.consume(wanted).allowed).toBe(true)
    expect(other.consume([checkOf('a:half', two)])).toMatchObject({ allowed: true, remaining: 0 })
  })

  it('V15.2.2 pushes no bucket of the request itself out for its new key', () => {
    const two = testedPolicy(per('hour', 2))
    const { consume } = storeOf(2)
    times(2, () => consume([checkOf('a:refusing', two)]))
    consume([checkOf('a:half', two)])
    expect(consume([checkOf('a:half', two), checkOf('a:new', two)]).allowed).toBe(false)
    expect(consume([checkOf('a:new', two), checkOf('a:half', two)]).allowed).toBe(false)
    expect(consume([checkOf('a:refusing', two)]).allowed).toBe(false)
    expect(consume([checkOf('a:half', two)])).toMatchObject({ allowed: true, remaining: 0 })
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
          const rule = testedPolicy(per('15 minutes', 3, { algorithm }))
          const { consume } = storeOf(keyCount)
          // Every bucket, as if there were no bound.
          const model = new Map<number, OneBucket>()
          let atMs = nowMs
          for (const { keys, gapMs } of taken) {
            atMs += gapMs
            const before = [...model].filter(([, bucket]) => bucket.waitMs(atMs) > 0).map(([key]) => key)
            const { allowed, buckets } = consume(
              keys.map((key) => checkOf(`address:${key}`, rule)),
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
            for (const [key, places] of Map.groupBy(keys.keys(), (index) => keys[index] ?? 0)) {
              // What was forgotten and came back starts anew: the model follows. A key may be taken more than once.
              const known = model.get(key) ?? new OneBucket(rule)
              const left = Math.min(...places.map((index) => buckets[index]?.remaining ?? 0))
              const isKnown = left <= known.remaining(atMs) - places.length
              const bucket = isKnown ? known : new OneBucket(rule)
              for (const _ of places) bucket.take(atMs)
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
    consume([checkOf('address:1', read)])
    times(10_000, (index) => consume([checkOf(`address:${index}`)]))
    expect(consume([checkOf('address:1', read)])).toMatchObject({ remaining: 298 })
  })

  it('V15.2.2 keeps neither keys in memory nor what a key was cut out of', () => {
    const { consume } = storeOf()
    collect()
    const beforeBytes = process.memoryUsage().heapUsed
    times(1_000, (index) => {
      const header = `address-${index}-`.padEnd(32, 'k') + 'x'.repeat(100_000).replace(/x$/, String(index))
      consume([checkOf(header.slice(0, 32))])
    })
    times(300, (index) => consume([checkOf(Buffer.alloc(200_000, `k${index}`).toString('latin1'))]))
    collect()
    expect(process.memoryUsage().heapUsed - beforeBytes).toBeLessThan(5_000_000)
    expect(consume([checkOf('address-7-'.padEnd(32, 'k'))])).toMatchObject({ remaining: 8 })
  })

  it('V15.2.2 has room in the same memory for as many keys later', () => {
    collect()
    const beforeBytes = process.memoryUsage().arrayBuffers
    const { consume } = storeOf()
    times(4, (hour) =>
      times(60_000, (index) => consume([checkOf(`${hour}:${index}`)], nowMs + hour * 3_600_000)),
    )
    collect()
    expect(process.memoryUsage().arrayBuffers - beforeBytes).toBeLessThan(4_000_000)
    expect(consume([checkOf('3:0')], nowMs + 3 * 3_600_000)).toMatchObject({ remaining: 8 })
  })

  it('V15.2.2 holds a hundred thousand keys in less than 6 MB, and one in a kilobyte', () => {
    const bytesOf = (keyCount: number): number => {
      collect()
      const beforeBytes = process.memoryUsage().arrayBuffers
      const { consume } = storeOf()
      times(keyCount, (index) => consume([checkOf(`address:${index}`)]))
      collect()
      const bytes = process.memoryUsage().arrayBuffers - beforeBytes
      expect(consume([checkOf('address:0')])).toMatchObject({ remaining: 8 })
      return bytes
    }
    expect(bytesOf(1)).toBeLessThan(1_000)
    expect(bytesOf(100_000)).toBeLessThan(6_000_000)
  })
})
