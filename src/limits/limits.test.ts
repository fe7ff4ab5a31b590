import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { limitFields } from './fields.ts'
import { take } from './gcra.ts'
import { memoryStore } from './memory-store.ts'
import { per } from './per.ts'

const five = per('minute', 5)

describe('V2.4.1 the limiter', () => {
  it('never lets through more than a full bucket and its refill, and never refuses less', () => {
    const classes = fc.record({
      count: fc.integer({ min: 1, max: 50 }),
      windowSeconds: fc.constantFrom(1, 60, 900),
    })
    fc.assert(
      fc.property(
        classes,
        fc.array(fc.integer({ min: 0, max: 20_000 }), { maxLength: 300 }),
        (limit, gapsMs) => {
          // The reference: a bucket of tokens that fills evenly.
          let tokens = limit.count
          let arrivalMs = 0
          let nowMs = 1_000_000
          let lastMs = nowMs
          for (const gapMs of gapsMs) {
            nowMs += gapMs
            tokens = Math.min(
              limit.count,
              tokens + ((nowMs - lastMs) / 1000 / limit.windowSeconds) * limit.count,
            )
            lastMs = nowMs
            const taken = take(limit, arrivalMs, nowMs)
            // On the edge either answer is right; away from it there is only one.
            if (Math.abs(tokens - 1) > 1e-6) expect(taken.decision.allowed).toBe(tokens > 1)
            if (taken.decision.allowed) tokens -= 1
            arrivalMs = taken.arrivalMs
          }
        },
      ),
      { numRuns: 300 },
    )
  })

  it('says when a refused request would pass, and that is true', () => {
    let arrivalMs = 0
    for (let index = 0; index < 5; index++) arrivalMs = take(five, arrivalMs, 0).arrivalMs
    const { decision } = take(five, arrivalMs, 0)
    expect(decision).toEqual({ allowed: false, remaining: 0, retryAfterMs: 12_000 })
    expect(take(five, arrivalMs, 11_999).decision.allowed).toBe(false)
    expect(take(five, arrivalMs, 12_000).decision.allowed).toBe(true)
  })

  it('takes from every bucket or from none', () => {
    const store = memoryStore()
    const mine = { name: 'write', limit: five, key: 'account:1' }
    const tight = { name: 'write', limit: per('minute', 1), key: 'address:1' }
    expect(store.consume([mine, tight], 0)).toMatchObject({ allowed: true, remaining: 0 })
    for (let index = 0; index < 9; index++)
      expect(store.consume([mine, tight], 0)).toMatchObject({ allowed: false })
    expect(store.consume([mine], 0)).toMatchObject({ allowed: true, remaining: 3 })
  })

  it('keeps a bounded number of keys, and a refusing key while others are idle', () => {
    const store = memoryStore(1_000)
    const victim = { name: 'login', limit: per('hour', 2), key: 'account:victim' }
    store.consume([victim], 0)
    store.consume([victim], 0)
    for (let index = 0; index < 10_000; index++) {
      store.consume([{ name: 'read', limit: per('second', 100), key: `address:${index}` }], 0)
    }
    expect(store.consume([victim], 0)).toMatchObject({ allowed: false })
  })

  it('writes the fields of the draft', () => {
    expect(limitFields('read', five, { allowed: false, remaining: 0, retryAfterMs: 11_001 })).toEqual({
      'retry-after': '12',
      'ratelimit-policy': '"read";q=5;w=60',
      ratelimit: '"read";r=0;t=12',
    })
    expect(limitFields('read', five, { allowed: true, remaining: 3, retryAfterMs: 0 })).toEqual({
      'ratelimit-policy': '"read";q=5;w=60',
      ratelimit: '"read";r=3',
    })
  })
})
