import { createLimiter, memoryStore, per } from 'holdfast/limits'
import { describe, expect, it } from 'vitest'
import type { LimitClass } from './limit.ts'

describe('a limiter of one’s own', () => {
  it('counts in memory, under the name "limit", unless told otherwise', async () => {
    const limiter = createLimiter(per('hour', 1))
    expect(await limiter.take({ address: '192.0.2.1' })).toMatchObject({ allowed: true, remaining: 0 })
    expect(await limiter.take({ address: '192.0.2.1' })).toMatchObject({
      allowed: false,
      violated: ['limit'],
    })
    // Another one shares nothing with it.
    expect(await createLimiter(per('hour', 1)).take({ address: '192.0.2.1' })).toMatchObject({
      allowed: true,
    })
  })

  it('V2.4.1 shares its buckets with those of its name on its store', async () => {
    const store = memoryStore()
    const [a, b, c] = ['one', 'one', 'two'].map((name) => createLimiter(per('hour', 1), { name, store }))
    const request = { address: '192.0.2.1' }
    expect(await a?.take(request)).toMatchObject({ allowed: true })
    expect(await b?.take(request)).toMatchObject({ allowed: false })
    expect(await c?.take(request)).toMatchObject({ allowed: true })
  })

  const wrong: [string, LimitClass, string][] = [
    ['a count', per('hour', Number.NaN), 'whole numbers'],
    ['anybody', per('hour', 5, { by: [] }), 'by names nobody'],
    ['a number at once', per('hour', 5, { concurrentCount: Number.NaN }), 'concurrentCount'],
    ['a delay', per('hour', 5, { slowDown: { after: 1, maxDelayMs: Number.NaN } }), 'slowDown'],
    ['a further count', per('hour', 5, { and: { daily: per('day', 0) } }), 'whole numbers'],
  ]
  it.each(wrong)('V16.5.3 is none without %s, and says so at once', (_what, limits, message) => {
    expect(() => createLimiter(limits, { name: 'mine' })).toThrow(TypeError)
    expect(() => createLimiter(limits, { name: 'mine' })).toThrow(message)
  })

  it('says all that is wrong together', () => {
    const limits = per('hour', -1, { by: [], concurrentCount: 0 })
    expect(() => createLimiter(limits)).toThrow(/whole numbers.*\n.*nobody.*\n.*concurrentCount/)
  })
})
