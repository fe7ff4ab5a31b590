import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { OneBucket } from '../../test/kit/one-bucket.ts'
import { type LimitPolicy, policyOf } from './policy.ts'

const startMs = 1_795_000_000_000

function perSeconds(windowSeconds: number, count: number, burst = count): LimitPolicy {
  return policyOf({ count, windowSeconds, burst }, { name: 'tested' })
}

/** How many of a request each so many milliseconds pass. */
function admittedCount(bucket: OneBucket, forMs: number, everyMs: number): number {
  let count = 0
  for (let atMs = 0; atMs < forMs; atMs += everyMs) if (bucket.take(startMs + atMs)) count++
  return count
}

describe('V2.4.1 the rate rule', () => {
  it('V2.4.1 lets no stretch of D ms see more than burst + floor(D / interval)', () => {
    const policies = fc
      .record({
        count: fc.integer({ min: 1, max: 30 }),
        windowSeconds: fc.constantFrom(1, 7, 60),
        burst: fc.integer({ min: 1, max: 40 }),
      })
      .map((rule) => policyOf(rule, { name: 'tested' }))
    const gaps = fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 3_000 })), { maxLength: 200 })
    fc.assert(
      fc.property(policies, gaps, (policy, gapsMs) => {
        const bucket = new OneBucket(policy)
        const taken: number[] = []
        let nowMs = startMs
        for (const gapMs of gapsMs) {
          nowMs += gapMs
          if (bucket.take(nowMs)) taken.push(nowMs)
        }
        for (const [first, fromMs] of taken.entries())
          for (let last = first; last < taken.length; last++) {
            const stretchMs = (taken[last] ?? 0) - fromMs
            const most = policy.burst + Math.floor(stretchMs / policy.intervalMs)
            expect(last - first + 1).toBeLessThanOrEqual(most)
          }
      }),
      { numRuns: 150 },
    )
  })

  it('V2.4.1 admits count at once, and at worst 2 × count - 1 in one window', () => {
    const bucket = new OneBucket(perSeconds(60, 5))
    for (let atMs = 0; atMs < 5; atMs++) expect(bucket.take(startMs + atMs)).toBe(true)
    expect(admittedCount(bucket, 60_000, 1)).toBe(4)
  })

  it('V2.4.1 admits no more than the burst at once, whatever the count', () => {
    const small = new OneBucket(perSeconds(60, 60, 3))
    expect(admittedCount(small, 10, 1)).toBe(3)
    expect(small.waitMs(startMs + 10)).toBe(990)
    const large = new OneBucket(perSeconds(60, 6, 20))
    expect(admittedCount(large, 100, 1)).toBe(20)
    expect(large.waitMs(startMs + 100)).toBe(9_900)
  })

  it('V2.4.1 rounds an interval that does not divide up, never down', () => {
    // 1,001 moments are a little more than a window; 7 × 142.857… ms would be one exactly.
    expect(admittedCount(new OneBucket(perSeconds(1, 7)), 1_001, 1)).toBe(13)
  })

  it('V2.4.1 admits less than (k + 1) × count in k windows of a flood', () => {
    // 7 in a second does not divide: a rounded interval must not add up to an extra request.
    const count = admittedCount(new OneBucket(perSeconds(1, 7)), 300_000, 5)
    expect(count).toBeLessThan(301 * 7)
    // No more than that is lost to the clock that here ticks every 5 ms.
    expect(count).toBeGreaterThan(300 * 7 - 60)
  })

  it('says how many are left, and when one more is', () => {
    const bucket = new OneBucket(perSeconds(60, 5))
    const left = [1, 2, 3, 4, 5, 6].map(() => [bucket.take(startMs), bucket.remaining(startMs)])
    expect(left).toEqual([
      [true, 4],
      [true, 3],
      [true, 2],
      [true, 1],
      [true, 0],
      [false, 0],
    ])
    expect(bucket.waitMs(startMs)).toBe(12_000)
    expect(bucket.waitMs(startMs, 3)).toBe(36_000)
    expect(bucket.remaining(startMs + 24_000)).toBe(2)
    expect(bucket.idleFromMs()).toBe(startMs + 60_000)
  })

  it('is exact at the bounds of what a rule can say', () => {
    for (const policy of [perSeconds(1_000_000_000, 1_000_000_000), perSeconds(1, 1_000_000_000)]) {
      const bucket = new OneBucket(policy)
      const endMs = 2 ** 42 - 1
      expect(bucket.take(endMs, 999_999_999)).toBe(true)
      expect(bucket.remaining(endMs)).toBe(1)
      expect([bucket.take(endMs), bucket.take(endMs)]).toEqual([true, false])
      bucket.refund(1)
      expect(bucket.remaining(endMs)).toBe(1)
    }
  })
})
