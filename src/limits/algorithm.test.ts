import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type LimitEvent, modelAllows, tokenBucketAllows } from '../../test/kit/limit-models.ts'
import { OneBucket } from '../../test/kit/one-bucket.ts'
import type { LimitAlgorithm } from '../route/limit-class.ts'
import { type LimitPolicy, policyOf } from './policy.ts'

const startMs = 1_795_000_000_000

function policies(algorithm: LimitAlgorithm): fc.Arbitrary<LimitPolicy> {
  return fc
    .record({
      count: fc.integer({ min: 1, max: 40 }),
      windowSeconds: fc.constantFrom(1, 7, 60, 900, 86_400),
      burst: fc.integer({ min: 1, max: 60 }),
    })
    .map((rule) => policyOf({ ...rule, algorithm }, { name: 'tested' }))
}

interface Step {
  readonly kind: LimitEvent['kind']
  /** In windows. From a flood to pauses longer than a window. */
  readonly gapShare: number
  readonly cost: number
}

function stepsOf(gaps: fc.Arbitrary<number>): fc.Arbitrary<Step[]> {
  const step = fc.record({
    kind: fc.constantFrom<LimitEvent['kind']>('taken', 'taken', 'taken', 'taken', 'refunded'),
    gapShare: gaps,
    cost: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 8 })),
  })
  return fc.array(step, { maxLength: 120 })
}

const forward = fc.oneof(
  fc.constant(0),
  fc.double({ min: 0, max: 0.2, noNaN: true }),
  fc.constantFrom(0.125, 1, 1.5),
)
const anyWay = fc.oneof(forward, fc.double({ min: -1, max: 0, noNaN: true }))

/** Runs the steps on a bucket, and asks the model each time. */
function expectAsModel(
  policy: LimitPolicy,
  steps: readonly Step[],
  allows: typeof modelAllows = modelAllows,
): void {
  const bucket = new OneBucket(policy)
  const history: LimitEvent[] = []
  let nowMs = startMs
  for (const { kind, gapShare, cost: wish } of steps) {
    nowMs += Math.floor(gapShare * policy.windowSeconds * 1_000)
    const cost = Math.min(wish, policy.algorithm === 'sliding-window' ? policy.count : policy.burst)
    if (kind === 'refunded') {
      // Only what was taken is ever given back.
      if (history.reduce((sum, one) => sum + (one.kind === 'taken' ? one.cost : -one.cost), 0) < cost)
        continue
      bucket.refund(cost)
      history.push({ kind, atMs: nowMs, cost })
      continue
    }
    const allowed = allows(policy, history, nowMs, cost)
    expect(bucket.waitMs(nowMs, cost) === 0).toBe(allowed)
    let left = 0
    while (left <= 60 && allows(policy, history, nowMs, left + 1)) left++
    expect(bucket.remaining(nowMs)).toBe(left)
    // True to the millisecond.
    const waitMs = bucket.waitMs(nowMs, cost)
    if (waitMs > 0) expect(allows(policy, history, nowMs + waitMs - 1, cost)).toBe(false)
    expect(allows(policy, history, nowMs + waitMs, cost)).toBe(true)
    expect(bucket.take(nowMs, cost)).toBe(allowed)
    if (allowed) history.push({ kind, atMs: nowMs, cost })
  }
  // What is idle is as good as new, for ever.
  const idleMs = Math.max(nowMs, bucket.idleFromMs())
  const bound = policy.algorithm === 'sliding-window' ? policy.count : policy.burst
  expect(bucket.remaining(Math.ceil(idleMs))).toBe(bound)
}

describe('V2.4.1 how a bucket counts', () => {
  it.each<LimitAlgorithm>(['gcra', 'sliding-window', 'token-bucket'])(
    'V2.4.1 %s: lets through what its rule allows and nothing else, with costs and refunds',
    (algorithm) => {
      fc.assert(
        fc.property(policies(algorithm), stepsOf(forward), (policy, steps) => expectAsModel(policy, steps)),
        { numRuns: 150 },
      )
    },
  )

  it.each<LimitAlgorithm>(['gcra', 'sliding-window'])(
    'V2.4.1 %s: keeps to its rule while the clock goes back and forth',
    (algorithm) => {
      fc.assert(
        fc.property(policies(algorithm), stepsOf(anyWay), (policy, steps) => expectAsModel(policy, steps)),
        { numRuns: 150 },
      )
    },
  )

  it('V2.4.1 gcra and token-bucket are two names of one rule', () => {
    fc.assert(
      fc.property(policies('gcra'), stepsOf(forward), (policy, steps) =>
        expectAsModel(policy, steps, tokenBucketAllows),
      ),
      { numRuns: 150 },
    )
  })

  it.each<LimitAlgorithm>(['gcra', 'sliding-window', 'token-bucket'])(
    'V2.4.1 %s: gives nothing when the clock goes back',
    (algorithm) => {
      const bucket = new OneBucket(policyOf({ count: 5, windowSeconds: 60, algorithm }, { name: 'tested' }))
      expect([1, 2, 3, 4, 5, 6].map(() => bucket.take(startMs))).toEqual([
        true,
        true,
        true,
        true,
        true,
        false,
      ])
      for (const backMs of [1, 30_000, 120_000, startMs]) {
        expect(bucket.take(startMs - backMs)).toBe(false)
        expect(bucket.waitMs(startMs - backMs)).toBe(bucket.waitMs(startMs) + backMs)
      }
    },
  )

  it.each<LimitAlgorithm>(['gcra', 'sliding-window', 'token-bucket'])(
    'V16.5.3 %s: refuses a time that is none, instead of letting everything through',
    (algorithm) => {
      const bucket = new OneBucket(policyOf({ count: 5, windowSeconds: 60, algorithm }, { name: 'tested' }))
      for (const nowMs of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -1, 2 ** 42])
        expect(() => bucket.take(nowMs), String(nowMs)).toThrow('told the time')
    },
  )

  it('V16.5.3 refuses a rule that is none, instead of letting everything through', () => {
    const wrong = [
      { count: Number.NaN, windowSeconds: 60 },
      { count: 0, windowSeconds: 60 },
      { count: 2.5, windowSeconds: 60 },
      { count: -5, windowSeconds: 60 },
      { count: 5, windowSeconds: Number.NaN },
      { count: 5, windowSeconds: Number.POSITIVE_INFINITY },
      { count: 5, windowSeconds: 1e15 },
      { count: 5, windowSeconds: 60, burst: Number.NaN },
      { count: 5, windowSeconds: 60, burst: 0 },
    ]
    for (const rule of wrong)
      expect(() => policyOf(rule, { name: 'wrong' }), JSON.stringify(rule)).toThrow('whole numbers')
    const huge = { count: 1, windowSeconds: 1_000_000_000, burst: 1_000_000_000 }
    expect(() => policyOf(huge, { name: 'huge' })).toThrow('139 years')
  })
})
