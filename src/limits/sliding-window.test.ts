import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { OneBucket } from '../../test/kit/one-bucket.ts'
import { type LimitPolicy, policyOf } from './policy.ts'

const startMs = 1_795_000_000_000

function perSeconds(windowSeconds: number, count: number): LimitPolicy {
  return policyOf({ count, windowSeconds, algorithm: 'sliding-window' }, { name: 'tested' })
}

describe('V2.4.1 the sliding window', () => {
  it('V2.4.1 lets no window, wherever it begins, hold more than count', () => {
    const gaps = fc.array(
      fc.record({
        gapMs: fc.oneof(
          fc.constant(0),
          fc.integer({ min: 0, max: 600 }),
          fc.constantFrom(124, 125, 126, 875),
        ),
        cost: fc.constantFrom(1, 1, 1, 2, 3),
      }),
      { maxLength: 200 },
    )
    fc.assert(
      fc.property(
        fc.integer({ min: 3, max: 12 }),
        fc.constantFrom(1, 2),
        gaps,
        (count, windowSeconds, steps) => {
          const bucket = new OneBucket(perSeconds(windowSeconds, count))
          const taken: { readonly atMs: number; readonly cost: number }[] = []
          let atMs = startMs
          for (const { gapMs, cost } of steps) {
            atMs += gapMs
            if (bucket.take(atMs, cost)) taken.push({ atMs, cost })
          }
          // Every window that could hold more than another begins at a request. Both ends count.
          for (const { atMs: fromMs } of taken) {
            const untilMs = fromMs + windowSeconds * 1_000
            const inside = taken.filter((one) => one.atMs >= fromMs && one.atMs <= untilMs)
            expect(inside.reduce((sum, one) => sum + one.cost, 0)).toBeLessThanOrEqual(count)
          }
        },
      ),
      { numRuns: 200 },
    )
  })

  it('V2.4.1 refuses no request whose window and the eighth before it hold less than count', () => {
    const gaps = fc.array(fc.integer({ min: 0, max: 500 }), { maxLength: 200 })
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 }), gaps, (count, gapsMs) => {
        const bucket = new OneBucket(perSeconds(1, count))
        const taken: number[] = []
        let atMs = startMs
        for (const gapMs of gapsMs) {
          atMs += gapMs
          const held = taken.filter((one) => one > atMs - 1_125).length
          const allowed = bucket.take(atMs)
          if (held < count) expect(allowed).toBe(true)
          if (allowed) taken.push(atMs)
        }
      }),
      { numRuns: 200 },
    )
  })

  it('V2.4.1 has no edge at which a double portion passes', () => {
    const bucket = new OneBucket(perSeconds(60, 10))
    // The end of a minute of the clock, and the beginning of the next.
    const edgeMs = Math.ceil(startMs / 60_000) * 60_000
    for (let index = 0; index < 10; index++) expect(bucket.take(edgeMs - 1)).toBe(true)
    expect(bucket.take(edgeMs)).toBe(false)
    expect(bucket.take(edgeMs - 1 + 60_000)).toBe(false)
    expect(bucket.waitMs(edgeMs)).toBe(60_000)
    expect(bucket.take(edgeMs + 60_000)).toBe(true)
  })

  it('waits for as many of the oldest to leave as a request costs', () => {
    const bucket = new OneBucket(perSeconds(8, 10))
    const edgeMs = Math.ceil(startMs / 1_000) * 1_000
    for (const second of [0, 2, 4]) expect(bucket.take(edgeMs + second * 1_000, 3)).toBe(true)
    const nowMs = edgeMs + 4_500
    expect([1, 2, 4, 5, 7, 8, 10].map((cost) => bucket.waitMs(nowMs, cost))).toEqual([
      0, 4_500, 4_500, 6_500, 6_500, 8_500, 8_500,
    ])
  })

  it('gives back to the sub-window that it was taken from, while that is the newest', () => {
    const bucket = new OneBucket(perSeconds(8, 10))
    const edgeMs = Math.ceil(startMs / 1_000) * 1_000
    bucket.take(edgeMs, 6)
    bucket.take(edgeMs + 3_000, 4)
    bucket.refund(4)
    expect(bucket.idleFromMs()).toBe(edgeMs + 9_000)
    expect(bucket.remaining(edgeMs + 3_000)).toBe(4)
    bucket.refund(6)
    expect(bucket.idleFromMs()).toBe(0)
    expect(bucket.remaining(edgeMs + 3_000)).toBe(10)
  })
})
