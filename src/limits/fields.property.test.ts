import fc from 'fast-check'
import { expect, it } from 'vitest'
import { limitFields } from './fields.ts'
import { per } from './per.ts'
import { policyOf } from './policy.ts'

const policies = [
  policyOf(per('minute', 300), { name: 'read' }),
  policyOf(per('day', 1_000), { name: 'a "quoted" näme' }),
]

const bucket = fc.record({
  policy: fc.constantFrom(...policies),
  remaining: fc.nat(3),
  waitMs: fc.constantFrom(0, 1, 999, 1_000, 1_001, 60_000),
})
const decision = fc
  .record({ isAllowed: fc.boolean(), buckets: fc.array(bucket, { minLength: 1, maxLength: 2 }) })
  .map(({ isAllowed, buckets }) => ({
    allowed: isAllowed,
    remaining: isAllowed ? Math.min(...buckets.map(({ remaining }) => remaining)) : 0,
    retryAfterMs: isAllowed ? 0 : Math.max(...buckets.map(({ waitMs }) => waitMs)),
    buckets,
  }))

it('V2.4.1 the fields of one or two buckets are those of many, of which the others say nothing new', () => {
  fc.assert(
    fc.property(decision, fc.constantFrom('ietf' as const, 'ietf-and-legacy' as const), (made, style) => {
      // The same once more, after itself: whichever is the tightest stays it.
      const many = { ...made, buckets: [...made.buckets, ...made.buckets, ...made.buckets] }
      expect(limitFields(made, style)).toEqual(limitFields(many, style))
      expect('retry-after' in limitFields(made, style)).toBe(!made.allowed)
    }),
    { numRuns: 500 },
  )
})
