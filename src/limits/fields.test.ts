import { describe, expect, it } from 'vitest'
import { limitFields } from './fields.ts'
import type { BucketState, LimitDecision } from './limit.ts'
import { per } from './per.ts'

const read = { name: 'read', limit: per('minute', 300) }
const daily = { name: 'daily', limit: per('day', 1_000) }

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
    expect(limitFields(allowed({ ...read, remaining: 299, waitMs: 0 }))).toEqual({
      'ratelimit-policy': '"read";q=300;w=60',
      ratelimit: '"read";r=299',
    })
    expect(limitFields(refused({ ...read, remaining: 0, waitMs: 11_001 }))).toEqual({
      'retry-after': '12',
      'ratelimit-policy': '"read";q=300;w=60',
      ratelimit: '"read";r=0;t=12',
    })
  })

  it('never ask a client to come back in no time', () => {
    expect(limitFields(refused({ ...read, remaining: 0, waitMs: 1 }))['retry-after']).toBe('1')
    expect(limitFields(refused({ ...read, remaining: 0, waitMs: 0 }))['retry-after']).toBe('1')
  })

  it('have one item for each class, the tighter of its buckets', () => {
    const decision = refused(
      { ...read, remaining: 5, waitMs: 0 },
      { ...read, remaining: 0, waitMs: 200 },
      { ...daily, remaining: 0, waitMs: 86_400 },
    )
    expect(limitFields(decision)).toEqual({
      'retry-after': '87',
      'ratelimit-policy': '"read";q=300;w=60, "daily";q=1000;w=86400',
      ratelimit: '"read";r=0;t=1, "daily";r=0;t=87',
    })
  })

  it('V1.2.1 cannot be broken out of by a name', () => {
    const fields = limitFields(allowed({ ...read, name: 'a"\\\r\nSet-Cookie: ä', remaining: 1, waitMs: 0 }))
    expect(fields['ratelimit']).toBe('"a\\"\\\\__Set-Cookie: _";r=1')
  })
})
