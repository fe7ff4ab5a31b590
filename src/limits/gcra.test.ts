import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { LimitClass } from '../route/limit-class.ts'
import { take } from './gcra.ts'
import { per } from './per.ts'

const startMs = 1_795_000_000_000
const five = per('minute', 5)

const classes = fc.record({
  count: fc.integer({ min: 1, max: 60 }),
  windowSeconds: fc.constantFrom(1, 7, 60, 900, 86_400),
})
// From a flood to pauses longer than a window, in shares of the window.
const gapShares = fc.array(
  fc.oneof(fc.constant(0), fc.double({ min: 0, max: 0.2, noNaN: true }), fc.constant(1.5)),
  {
    maxLength: 250,
  },
)

/** The rule as the promise says it, over the whole history. Counted in 1/1024 ms, so everything is a whole number. */
class Reference {
  readonly #limit: LimitClass
  readonly #takenTicks: number[] = []

  constructor(limit: LimitClass) {
    this.#limit = limit
  }

  take(nowMs: number): boolean {
    const nowTicks = (nowMs - startMs) * 1_024
    const { count, windowSeconds } = this.#limit
    const intervalTicks = Math.ceil((windowSeconds * 1_024_000) / count)
    const fits = this.#takenTicks.every(
      (fromTicks, index) =>
        this.#takenTicks.length - index + 1 <= count + Math.floor((nowTicks - fromTicks) / intervalTicks),
    )
    if (fits) this.#takenTicks.push(nowTicks)
    return fits
  }
}

describe('V2.4.1 the rate rule', () => {
  it('V2.4.1 admits exactly what it promises: in D ms at most count + floor(D / interval), and nothing less', () => {
    fc.assert(
      fc.property(classes, gapShares, (limit, gaps) => {
        const reference = new Reference(limit)
        let arrivalMs = 0
        let nowMs = startMs
        for (const share of gaps) {
          nowMs += Math.floor(share * limit.windowSeconds * 1_000)
          const taken = take(limit, arrivalMs, nowMs)
          expect(taken.allowed).toBe(reference.take(nowMs))
          arrivalMs = taken.arrivalMs
        }
      }),
      { numRuns: 400 },
    )
  })

  it('V2.4.1 admits count at once, and at worst 2 × count - 1 in one window', () => {
    let arrivalMs = 0
    let allowedCount = 0
    for (let nowMs = startMs; nowMs < startMs + 60_000; nowMs++) {
      const taken = take(five, arrivalMs, nowMs)
      arrivalMs = taken.arrivalMs
      if (taken.allowed) allowedCount++
      if (nowMs === startMs + 4) expect(allowedCount).toBe(5)
    }
    expect(allowedCount).toBe(9)
  })

  it('V2.4.1 rounds an interval that does not divide up, never down', () => {
    const seven = per('second', 7)
    let arrivalMs = 0
    let allowedCount = 0
    // 1,001 moments are a little more than a window; 7 × 142.857… ms would be one exactly.
    for (let nowMs = startMs; nowMs <= startMs + 1_000; nowMs++) {
      const taken = take(seven, arrivalMs, nowMs)
      arrivalMs = taken.arrivalMs
      if (taken.allowed) allowedCount++
    }
    expect(allowedCount).toBe(13)
  })

  it('V2.4.1 admits less than (k + 1) × count in k windows of a flood', () => {
    // 7 in a second does not divide: a rounded interval must not add up to an extra request.
    const seven = per('second', 7)
    let arrivalMs = 0
    let allowedCount = 0
    for (let nowMs = startMs; nowMs < startMs + 300_000; nowMs += 5) {
      const taken = take(seven, arrivalMs, nowMs)
      arrivalMs = taken.arrivalMs
      if (taken.allowed) allowedCount++
    }
    expect(allowedCount).toBeLessThan(301 * 7)
    // No more than that is lost to the clock that here ticks every 5 ms.
    expect(allowedCount).toBeGreaterThan(300 * 7 - 60)
  })

  it('says when the next request would pass, and that is true to the millisecond', () => {
    fc.assert(
      fc.property(classes, fc.integer({ min: 0, max: 90 }), (limit, takenCount) => {
        let arrivalMs = 0
        let last = take(limit, arrivalMs, startMs)
        for (let index = 0; index < takenCount; index++) {
          arrivalMs = last.arrivalMs
          last = take(limit, arrivalMs, startMs)
        }
        arrivalMs = last.arrivalMs
        if (last.waitMs > 0) expect(take(limit, arrivalMs, startMs + last.waitMs - 1).allowed).toBe(false)
        expect(take(limit, arrivalMs, startMs + last.waitMs).allowed).toBe(true)
      }),
    )
  })

  it('says how many are left', () => {
    let arrivalMs = 0
    const left = [1, 2, 3, 4, 5, 6].map(() => {
      const taken = take(five, arrivalMs, startMs)
      arrivalMs = taken.arrivalMs
      return [taken.allowed, taken.remaining]
    })
    expect(left).toEqual([
      [true, 4],
      [true, 3],
      [true, 2],
      [true, 1],
      [true, 0],
      [false, 0],
    ])
    expect(take(five, arrivalMs, startMs + 24_000).remaining).toBe(1)
  })

  it('V2.4.1 gives nothing when the clock goes back', () => {
    let arrivalMs = 0
    for (let index = 0; index < 5; index++) arrivalMs = take(five, arrivalMs, startMs).arrivalMs
    expect(take(five, arrivalMs, startMs - 30_000)).toMatchObject({
      allowed: false,
      waitMs: 42_000,
      arrivalMs,
    })
  })

  it('V16.5.3 refuses with a class or a time that is none, instead of letting everything through', () => {
    const wrong: LimitClass[] = [
      { count: Number.NaN, windowSeconds: 60 },
      { count: 0, windowSeconds: 60 },
      { count: 2.5, windowSeconds: 60 },
      { count: -5, windowSeconds: 60 },
      { count: 5, windowSeconds: Number.POSITIVE_INFINITY },
      { count: 5, windowSeconds: 1e15 },
    ]
    for (const limit of wrong)
      expect(() => take(limit, 0, startMs), JSON.stringify(limit)).toThrow('whole numbers')
    for (const nowMs of [Number.NaN, Number.POSITIVE_INFINITY])
      expect(() => take(five, 0, nowMs)).toThrow('told the time')
  })
})
