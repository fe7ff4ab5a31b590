import { describe, expect, it } from 'vitest'
import { concurrencyFields, limitFields } from './fields.ts'
import type { BucketState, LimitDecision } from './limit.ts'
import { per } from './per.ts'
import { policyOf } from './policy.ts'

const read = policyOf(per('minute', 300), { name: 'read' })
const daily = policyOf(per('day', 1_000), { name: 'daily' })

function refused(...buckets: readonly BucketState[]): LimitDecision {
  return {
    allowed: false,
    remaining: 0,
    retryAfterMs: Math.max(...buckets.map(({ waitMs }) => waitMs)),
    buckets,
  }
}

function allowed(...buckets: readonly BucketState[]): LimitDecision {
  const remaining = Math.min(...buckets.map((bucket) => bucket.remaining))
  return { allowed: true, remaining, retryAfterMs: 0, buckets }
}

describe('the fields of a limit', () => {
  it('are those of the draft', () => {
    expect(limitFields(allowed({ policy: read, remaining: 299, waitMs: 0 }))).toEqual({
      'ratelimit-policy': '"read";q=300;w=60',
      ratelimit: '"read";r=299',
    })
    expect(limitFields(refused({ policy: read, remaining: 0, waitMs: 11_001 }))).toEqual({
      'retry-after': '12',
      'ratelimit-policy': '"read";q=300;w=60',
      ratelimit: '"read";r=0;t=12',
    })
  })

  it('say how many may be under way at once', () => {
    expect(concurrencyFields('upload-concurrent', 3, 1_000)).toEqual({
      'retry-after': '1',
      'ratelimit-policy': '"upload-concurrent";q=3;qu="concurrent-requests"',
      ratelimit: '"upload-concurrent";r=0',
    })
  })

  it('are the old ones only on request, and then of the tightest policy', () => {
    const decision = refused(
      { policy: read, remaining: 5, waitMs: 0 },
      { policy: daily, remaining: 0, waitMs: 86_400 },
    )
    expect(Object.keys(limitFields(decision)).filter((name) => name.startsWith('x-'))).toEqual([])
    expect(limitFields(decision, 'ietf-and-legacy')).toMatchObject({
      'x-ratelimit-limit': '1000',
      'x-ratelimit-remaining': '0',
      'x-ratelimit-reset': '87',
      ratelimit: '"read";r=5, "daily";r=0;t=87',
    })
  })

  it('never ask a client to come back in no time', () => {
    expect(limitFields(refused({ policy: read, remaining: 0, waitMs: 1 }))['retry-after']).toBe('1')
    expect(limitFields(refused({ policy: read, remaining: 0, waitMs: 0 }))['retry-after']).toBe('1')
  })

  it('have one item for each policy, the tighter of its buckets', () => {
    const decision = refused(
      { policy: read, remaining: 5, waitMs: 0 },
      { policy: read, remaining: 0, waitMs: 200 },
      { policy: daily, remaining: 0, waitMs: 86_400 },
    )
    expect(limitFields(decision)).toEqual({
      'retry-after': '87',
      'ratelimit-policy': '"read";q=300;w=60, "daily";q=1000;w=86400',
      ratelimit: '"read";r=0;t=1, "daily";r=0;t=87',
    })
  })

  it('V1.2.1 cannot be broken out of by a name', () => {
    const odd = policyOf(per('minute', 300), { name: 'a"\\\r\nSet-Cookie: ä' })
    const fields = limitFields(allowed({ policy: odd, remaining: 1, waitMs: 0 }))
    expect(fields['ratelimit']).toBe('"a\\"\\\\__Set-Cookie: _";r=1')
  })
})
