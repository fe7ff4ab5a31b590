import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BucketTable } from './bucket-table.ts'
import { take } from './gcra.ts'
import type { LimitCheck } from './limit.ts'
import { memoryStore } from './memory-store.ts'
import { per } from './per.ts'

const login = per('15 minutes', 10)
const nowMs = 1_795_000_000_000

function check(key: string, limit = login, name = 'login'): LimitCheck {
  return { name, limit, key }
}

/** A store of this project answers at once. */
function storeOf(keyCount?: number) {
  const store = memoryStore(keyCount)
  return (checks: readonly LimitCheck[], atMs = nowMs) => {
    const decision = store.consume(checks, atMs)
    if (decision instanceof Promise) expect.fail('the memory store answers without waiting')
    return decision
  }
}

function times(count: number, act: (index: number) => void): void {
  for (let index = 0; index < count; index++) act(index)
}

describe('V2.4.1 the limits in memory', () => {
  it('V2.4.1 admits exactly the limit out of many requests at once', () => {
    const consume = storeOf()
    let allowedCount = 0
    times(200, () => {
      if (consume([check('account:ann')]).allowed) allowedCount++
    })
    expect(allowedCount).toBe(10)
  })

  it('V2.4.1 takes from every bucket or from none', () => {
    const consume = storeOf()
    const mine = check('account:1')
    const tight = check('address:1', per('minute', 1), 'tight')
    expect(consume([mine, tight])).toMatchObject({ allowed: true, remaining: 0, retryAfterMs: 0 })
    times(50, () => {
      expect(consume([mine, tight]).allowed).toBe(false)
      expect(consume([tight, mine]).allowed).toBe(false)
    })
    expect(consume([mine])).toMatchObject({ allowed: true, remaining: 8 })
  })

  it('tells how each bucket stands, and waits for the slowest', () => {
    const consume = storeOf()
    const minute = check('address:1', per('minute', 2), 'read')
    const hour = check('address:1', per('hour', 1), 'export')
    consume([minute, hour])
    expect(consume([minute, hour])).toEqual({
      allowed: false,
      remaining: 0,
      retryAfterMs: 3_600_000,
      buckets: [
        { name: 'read', limit: minute.limit, remaining: 1, waitMs: 0 },
        { name: 'export', limit: hour.limit, remaining: 0, waitMs: 3_600_000 },
      ],
    })
  })

  it('V2.4.1 counts a bucket twice that a request names twice', () => {
    const consume = storeOf()
    const three = per('minute', 3)
    expect(consume([check('account:1', three), check('account:1', three)])).toMatchObject({ remaining: 1 })
    expect(consume([check('account:1', three), check('account:1', three)]).allowed).toBe(false)
    expect(consume([check('account:1', three)])).toMatchObject({ allowed: true, remaining: 0 })
  })

  it('keeps classes of different names, and keys of different spelling, apart', () => {
    const consume = storeOf()
    const one = per('minute', 1)
    const keys = [
      'a',
      'a ',
      ' a',
      'A',
      'a\n',
      `a${'x'.repeat(64)}`,
      `a${'x'.repeat(65)}`,
      '#a',
      'å',
      '日',
      '',
    ]
    for (const name of ['read', 'write', 'read a'])
      for (const key of keys) {
        expect(consume([check(key, one, name)]).allowed, key).toBe(true)
        expect(consume([check(key, one, name)]).allowed, key).toBe(false)
      }
  })

  it('V16.5.3 does not take a request that is counted nowhere', () => {
    expect(() => storeOf()([])).toThrow('counted somewhere')
    for (const keyCount of [0, -1, 1.5, Number.NaN])
      expect(() => memoryStore(keyCount)).toThrow('whole number')
  })
})

describe('V15.2.2 a full store', () => {
  it('V15.2.2 still refuses whom it refused, whatever new keys arrive', () => {
    const consume = storeOf(500)
    const victim = [check('account:victim')]
    times(10, () => consume(victim))
    times(20_000, (index) => consume([check(`address:${index}`)]))
    expect(consume(victim).allowed).toBe(false)
  })

  it('V15.2.2 remembers whoever is nearer to the limit than the new keys', () => {
    const consume = storeOf(500)
    const victim = [check('account:victim')]
    times(3, () => consume(victim))
    times(20_000, (index) => {
      times(2, () => consume([check(`address:${index}`)]))
    })
    expect(consume(victim)).toMatchObject({ allowed: true, remaining: 6 })
  })

  it('V15.2.2 refuses new keys, not forgets old ones, when every bucket is refusing', () => {
    const consume = storeOf(50)
    times(50, (index) => times(10, () => consume([check(`address:${index}`)])))
    const decision = consume([check('address:new')])
    expect(decision).toMatchObject({ allowed: false, retryAfterMs: 90_000 })
    times(50, (index) => expect(consume([check(`address:${index}`)]).allowed).toBe(false))
    expect(consume([check('address:new')], nowMs + 90_000)).toMatchObject({ allowed: true, remaining: 9 })
  })

  it('V15.2.2 pushes nothing out for a request that it refuses', () => {
    const consume = storeOf(50)
    const spent = check('account:spent', per('day', 1), 'daily')
    consume([spent])
    times(50, (index) => consume([check(`address:${index}`)]))
    times(500, (index) => expect(consume([check(`address:new-${index}`), spent]).allowed).toBe(false))
    times(50, (index) => expect(consume([check(`address:${index}`)])).toMatchObject({ remaining: 8 }))
  })

  it('V15.2.2 has no room for two new keys where only one bucket can go', () => {
    const one = per('hour', 1)
    const consume = storeOf(3)
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

  it('V15.2.2 pushes no refusing bucket out for the new key of a request that uses another up', () => {
    const two = per('hour', 2)
    const consume = storeOf(2)
    times(2, () => consume([check('a:refusing', two)]))
    consume([check('a:half', two)])
    expect(consume([check('a:half', two), check('a:new', two)]).allowed).toBe(false)
    expect(consume([check('a:refusing', two)]).allowed).toBe(false)
    expect(consume([check('a:half', two)])).toMatchObject({ allowed: true, remaining: 0 })
  })

  it('V15.2.2 lets go of what is full again, without a timer', () => {
    const table = new BucketTable(100_000)
    times(5_000, (index) => table.put(`flood:${index}`, nowMs + 1_000, nowMs))
    expect(table.size).toBe(5_000)
    times(3_000, (index) => table.put(`later:${index}`, nowMs + 3_000, nowMs + 2_000))
    expect(table.size).toBe(3_000)
  })

  it('V15.2.2 costs other classes nothing', () => {
    const consume = storeOf(100)
    const read = per('minute', 300)
    consume([check('address:1', read, 'read')])
    times(10_000, (index) => consume([check(`address:${index}`)]))
    expect(consume([check('address:1', read, 'read')])).toMatchObject({ remaining: 298 })
  })

  it('V15.2.2 forgets exactly the least used bucket, never one that refuses', () => {
    const steps = fc.array(
      fc.record({ key: fc.integer({ min: 0, max: 25 }), gapMs: fc.constantFrom(0, 1, 5_000, 90_000) }),
      { maxLength: 400 },
    )
    const limit = per('15 minutes', 3)
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 12 }), (taken, keyCount) => {
        const consume = storeOf(keyCount)
        // The same, done by looking through everything each time.
        const model = new Map<string, number>()
        let atMs = nowMs
        for (const { key, gapMs } of taken) {
          atMs += gapMs
          const name = `address:${key}`
          const [least] = [...model].sort(([, a], [, b]) => a - b)
          const isNew = !model.has(name)
          const answer = take(limit, model.get(name) ?? 0, atMs)
          const isFull = isNew && model.size >= keyCount && least !== undefined
          const hasRoom = !isFull || take(limit, least[1], atMs).allowed
          expect(consume([check(name, limit)], atMs).allowed).toBe(answer.allowed && hasRoom)
          if (!answer.allowed || !hasRoom) continue
          if (isFull) model.delete(least[0])
          model.set(name, answer.arrivalMs)
          // Buckets that are full again may be gone or not: nobody can tell.
          for (const [other, arrivalMs] of model) if (arrivalMs <= atMs) model.delete(other)
        }
      }),
      { numRuns: 300 },
    )
  })

  it('V15.2.2 keeps neither long keys in memory nor what a key was cut out of', () => {
    setFlagsFromString('--expose-gc')
    const collect: () => void = runInNewContext('gc')
    const consume = storeOf()
    collect()
    const beforeBytes = process.memoryUsage().heapUsed
    times(1_000, (index) => {
      const header = `address-${index}-`.padEnd(32, 'k') + 'x'.repeat(100_000).replace(/x$/, String(index))
      consume([check(header.slice(0, 32))])
    })
    collect()
    expect(process.memoryUsage().heapUsed - beforeBytes).toBeLessThan(20_000_000)
    expect(consume([check('address-7-'.padEnd(32, 'k'))])).toMatchObject({ remaining: 8 })
    times(300, (index) => consume([check(Buffer.alloc(200_000, `k${index}`).toString('latin1'))]))
    collect()
    expect(process.memoryUsage().heapUsed - beforeBytes).toBeLessThan(20_000_000)
  })
})
