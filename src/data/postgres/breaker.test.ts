import { describe, expect, it } from 'vitest'
import { Breaker } from './breaker.ts'

const refused = (): Promise<never> => Promise.reject(new TypeError('refused'))
const always = (): boolean => true

/** A breaker over a clock that the test moves. */
function breakerAt(): { breaker: Breaker; pass: (ms: number) => void } {
  let nowMs = 0
  return {
    breaker: new Breaker(() => nowMs),
    pass: (ms) => {
      nowMs += ms
    },
  }
}

describe('V16.5.2 the breaker', () => {
  it('answers at once after a failure, with a time to come back', async () => {
    const { breaker } = breakerAt()
    await expect(breaker.attempt(refused, always)).rejects.toThrow('refused')
    let attemptCount = 0
    const again = breaker.attempt(async () => {
      attemptCount += 1
    }, always)
    await expect(again).rejects.toMatchObject({ code: 'UNAVAILABLE', headers: { 'retry-after': '1' } })
    expect(attemptCount).toBe(0)
  })

  it('lets one attempt through when its time has come, and all once it has succeeded', async () => {
    const { breaker, pass } = breakerAt()
    await expect(breaker.attempt(refused, always)).rejects.toThrow('refused')
    pass(130)
    const probe = Promise.withResolvers<string>()
    const first = breaker.attempt(() => probe.promise, always)
    await expect(breaker.attempt(async () => 'second', always)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    probe.resolve('first')
    expect(await first).toBe('first')
    const many = [1, 2, 3].map((one) => breaker.attempt(async () => one, always))
    expect(await Promise.all(many)).toEqual([1, 2, 3])
  })

  it('waits longer after each failure, up to 5 seconds', async () => {
    const { breaker, pass } = breakerAt()
    const waits: number[] = []
    for (let failure = 0; failure < 9; failure += 1) {
      await expect(breaker.attempt(refused, always)).rejects.toThrow('refused')
      let waitedMs = 0
      for (;;) {
        let isLetIn = false
        const tried = breaker.attempt(
          async () => {
            isLetIn = true
            throw new TypeError('not an outage')
          },
          () => false,
        )
        await expect(tried).rejects.toThrow()
        if (isLetIn) break
        pass(5)
        waitedMs += 5
      }
      waits.push(waitedMs)
    }
    const expected = [100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000]
    for (const [index, waitedMs] of waits.entries()) {
      const middle = expected[index] ?? 0
      expect(waitedMs).toBeGreaterThanOrEqual(middle * 0.75 - 5)
      expect(waitedMs).toBeLessThanOrEqual(middle * 1.25 + 5)
    }
  })

  it('counts attempts that fail together once', async () => {
    const { breaker, pass } = breakerAt()
    const together = Array.from({ length: 20 }, () => breaker.attempt(refused, always))
    for (const { status } of await Promise.allSettled(together)) expect(status).toBe('rejected')
    pass(130)
    expect(await breaker.attempt(async () => 'in', always)).toBe('in')
  })

  it('keeps one probe at a time while attempts from before the failure still end', async () => {
    const { breaker, pass } = breakerAt()
    const slow = Promise.withResolvers<never>()
    const earlier = breaker.attempt(() => slow.promise, always)
    await expect(breaker.attempt(refused, always)).rejects.toThrow('refused')
    pass(130)
    const probe = Promise.withResolvers<string>()
    const probing = breaker.attempt(() => probe.promise, always)
    slow.reject(new TypeError('late'))
    await expect(earlier).rejects.toThrow('late')
    await expect(breaker.attempt(async () => 'second', always)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    probe.resolve('first')
    expect(await probing).toBe('first')
  })

  it('does not close for what is no outage', async () => {
    const { breaker } = breakerAt()
    await expect(breaker.attempt(refused, () => false)).rejects.toThrow('refused')
    expect(await breaker.attempt(async () => 'in', always)).toBe('in')
  })
})
