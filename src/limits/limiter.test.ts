import { describe, expect, it } from 'vitest'
import { storeWith } from '../../test/kit/limits.ts'
import type { LimitClass } from '../route/limit-class.ts'
import { Limiter, type LimitOutcome, type LimitRequest } from './limiter.ts'
import { memoryStore } from './memory-store.ts'
import { limitKey, per } from './per.ts'

const startMs = 1_795_000_000_000

/** A limiter over an empty store, with a clock that is set by hand. */
function limiterOf(limits: LimitClass) {
  const clock = { nowMs: startMs }
  const store = memoryStore()
  const limiter = new Limiter(limits, { name: 'test', store, nowMs: () => clock.nowMs })
  const take = async (request: LimitRequest): Promise<LimitOutcome> => limiter.take(request)
  return { limiter, clock, take, store }
}

/** How many of these pass, one after the other. */
async function passing(
  take: (request: LimitRequest) => Promise<LimitOutcome>,
  requests: readonly LimitRequest[],
) {
  let count = 0
  for (const request of requests) if ((await take(request)).allowed) count++
  return count
}

const times = (count: number, request: (index: number) => LimitRequest): LimitRequest[] =>
  Array.from({ length: count }, (_, index) => request(index))

describe('whom a limit counts', () => {
  it('V2.4.1 each address and each account, unless it says otherwise', async () => {
    const { take } = limiterOf(per('hour', 5))
    expect(
      await passing(
        take,
        times(9, (index) => ({ address: `192.0.2.${index}`, account: 'ann' })),
      ),
    ).toBe(5)
    expect(
      await passing(
        take,
        times(9, (index) => ({ address: '192.0.2.200', account: `u${index}` })),
      ),
    ).toBe(5)
    expect((await take({ address: '192.0.2.201', account: 'ben' })).allowed).toBe(true)
  })

  it('V2.4.1 an IPv6 customer by the /64, and where it says so by the /48', async () => {
    const byAddress = limiterOf(per('hour', 5, { by: ['address'] })).take
    expect(
      await passing(
        byAddress,
        times(9, (index) => ({ address: `2001:db8::${index}` })),
      ),
    ).toBe(5)
    const neighbours = times(9, (index) => ({ address: `2001:db8:0:${index}::1` }))
    expect(await passing(limiterOf(per('hour', 5, { by: ['address'] })).take, neighbours)).toBe(9)
    expect(await passing(limiterOf(per('hour', 5, { by: ['network'] })).take, neighbours)).toBe(5)
  })

  it('V2.4.1 however its address is written (CVE-2026-45364, CVE-2026-30827)', async () => {
    const { take } = limiterOf(per('hour', 2, { by: ['address'] }))
    const spellings = ['2001:db8::1', '2001:0DB8:0:0::1', '[2001:db8::1]', '2001:db8:0:0:0:0:0:1']
    expect(
      await passing(
        take,
        spellings.map((address) => ({ address })),
      ),
    ).toBe(2)
    expect(
      await passing(
        take,
        ['::ffff:192.0.2.1', '192.0.2.1', '::FFFF:192.0.2.1'].map((address) => ({ address })),
      ),
    ).toBe(2)
    // And all that are no addresses share one bucket, or an unknown peer would have as many as it likes.
    expect(
      await passing(
        take,
        ['unknown', '', 'x'].map((address) => ({ address })),
      ),
    ).toBe(2)
  })

  it('V2.4.1 an account at an address: neither others there nor the account elsewhere', async () => {
    const { take } = limiterOf(per('hour', 2, { by: ['account+address'] }))
    expect(
      await passing(
        take,
        times(4, () => ({ address: '192.0.2.1', account: 'ann' })),
      ),
    ).toBe(2)
    expect(
      await passing(
        take,
        times(4, () => ({ address: '192.0.2.1', account: 'ben' })),
      ),
    ).toBe(2)
    expect(
      await passing(
        take,
        times(4, () => ({ address: '192.0.2.2', account: 'ann' })),
      ),
    ).toBe(2)
    expect(
      await passing(
        take,
        times(4, () => ({ address: '192.0.2.1' })),
      ),
    ).toBe(2)
  })

  it.each([
    ['session', 'session'],
    ['tenant', 'tenant'],
    ['api-key', 'apiKey'],
    ['route', 'route'],
  ] as const)('V2.4.1 each %s', async (by, member) => {
    const { take } = limiterOf(per('hour', 3, { by: [by] }))
    const one = (value: string) => (index: number) => ({ address: `192.0.2.${index}`, [member]: value })
    expect(await passing(take, times(5, one('a')))).toBe(3)
    expect(await passing(take, times(5, one('b')))).toBe(3)
    // Whoever has none is not counted by it.
    expect(
      await passing(
        take,
        times(5, (index) => ({ address: `192.0.2.${index}` })),
      ),
    ).toBe(5)
  })

  it('V2.4.1 whom a function says, and nobody where it says nobody', async () => {
    const project = limitKey('project', ({ params }) => params?.['project'] ?? null)
    const { take } = limiterOf(per('hour', 3, { by: [project] }))
    const inProject = (project: string) => () => ({ address: '192.0.2.1', params: { project } })
    expect(await passing(take, times(5, inProject('a')))).toBe(3)
    expect(await passing(take, times(5, inProject('b')))).toBe(3)
    expect(
      await passing(
        take,
        times(5, () => ({ address: '192.0.2.1' })),
      ),
    ).toBe(5)
  })

  it('V2.4.1 no key of one kind looks like one of another', async () => {
    const own = limitKey('x', ({ params }) => params?.['x'] ?? null)
    const { take } = limiterOf(per('hour', 1, { by: ['account', own] }))
    expect((await take({ address: '192.0.2.1', account: 'ann', params: { x: 'account:ben' } })).allowed).toBe(
      true,
    )
    expect((await take({ address: '192.0.2.1', account: 'ben', params: { x: 'y' } })).allowed).toBe(true)
  })
})

describe('several limits of one class', () => {
  it('V2.4.1 are decided together: what one refuses takes from none', async () => {
    const { take, clock } = limiterOf(
      per('minute', 2, { by: ['account'], and: { daily: per('day', 5, { by: ['tenant'] }) } }),
    )
    const request = { address: '192.0.2.1', account: 'ann', tenant: 'acme' }
    expect(
      await passing(
        take,
        times(10, () => request),
      ),
    ).toBe(2)
    // The eight that were refused by the account have not taken from the tenant.
    expect(
      await passing(
        take,
        times(10, () => ({ ...request, account: 'ben' })),
      ),
    ).toBe(2)
    expect(
      await passing(
        take,
        times(10, () => ({ ...request, account: 'cleo' })),
      ),
    ).toBe(1)
    clock.nowMs += 60_000
    const refused = await take(request)
    expect(refused).toMatchObject({ allowed: false, violated: ['test-daily'] })
    expect(refused.fields['ratelimit']).toMatch(/^"test";r=2, "test-daily";r=0;t=\d+$/)
  })

  it('V2.4.1 take what a request costs', async () => {
    const { take } = limiterOf(per('hour', 10))
    expect((await take({ address: '192.0.2.1', cost: 7 })).remaining).toBe(3)
    expect((await take({ address: '192.0.2.1', cost: 4 })).allowed).toBe(false)
    expect((await take({ address: '192.0.2.1', cost: 3 })).allowed).toBe(true)
  })
})

describe('counting failures', () => {
  it('V2.4.1 V6.3.1 gives back what ended well, and only that', async () => {
    const { take } = limiterOf(per('hour', 3, { counts: 'failures' }))
    const request = { address: '192.0.2.1' }
    for (let index = 0; index < 20; index++) {
      const outcome = await take(request)
      expect(outcome.allowed).toBe(true)
      outcome.settle?.('well')
    }
    for (let index = 0; index < 3; index++) (await take(request)).settle?.('badly')
    expect((await take(request)).allowed).toBe(false)
  })

  it('V2.4.1 V15.4.2 counts what has not ended yet, so that all at once is no way round', async () => {
    const { take } = limiterOf(per('hour', 3, { counts: 'failures' }))
    const outcomes = await Promise.all(times(50, () => ({ address: '192.0.2.1' })).map(take))
    expect(outcomes.filter(({ allowed }) => allowed)).toHaveLength(3)
  })
})

describe('how many at once', () => {
  it('V15.2.2 are as many as it says, for each account or else address', async () => {
    const { take } = limiterOf(per('hour', 1_000, { concurrentCount: 2 }))
    const ann = { address: '192.0.2.1', account: 'ann' }
    const [first, second] = [await take(ann), await take(ann)]
    const third = await take(ann)
    expect([first.allowed, second.allowed, third.allowed]).toEqual([true, true, false])
    expect(third).toMatchObject({ violated: ['test-concurrent'], retryAfterMs: 1_000 })
    expect((await take({ address: '192.0.2.1', account: 'ben' })).allowed).toBe(true)
    first.settle?.('well')
    expect((await take(ann)).allowed).toBe(true)
    expect((await take(ann)).allowed).toBe(false)
  })

  it('V15.2.2 are not used up by requests that the rate refuses', async () => {
    const { take, clock } = limiterOf(per('minute', 1, { concurrentCount: 2 }))
    const request = { address: '192.0.2.1' }
    const first = await take(request)
    for (let index = 0; index < 10; index++) expect((await take(request)).violated).toEqual(['test'])
    first.settle?.('well')
    clock.nowMs += 60_000
    expect((await take(request)).allowed).toBe(true)
  })

  it('V16.5.3 are not taken by a request whose own key throws', async () => {
    const key = limitKey('mine', ({ account }) => {
      if (account === 'bad') throw new TypeError('no key')
      return account ?? null
    })
    const { take } = limiterOf(per('hour', 5, { by: [key], concurrentCount: 1 }))
    await expect(take({ address: '192.0.2.1', account: 'bad' })).rejects.toThrow('no key')
    await expect(take({ address: '192.0.2.1', account: 'bad' })).rejects.toThrow('no key')
  })

  it('V16.5.3 are given back when the store fails', async () => {
    const store = memoryStore()
    let isBroken = true
    const breaking = storeWith(store, (checks, nowMs) =>
      isBroken ? Promise.reject(new TypeError('down')) : store.consume(checks, nowMs),
    )
    const limiter = new Limiter(per('minute', 5, { concurrentCount: 1 }), { name: 'test', store: breaking })
    await expect(limiter.take({ address: '192.0.2.1' })).rejects.toThrow('down')
    isBroken = false
    expect((await limiter.take({ address: '192.0.2.1' })).allowed).toBe(true)
  })
})

describe('slowing down', () => {
  it('V2.4.2 begins where it says, and grows to its most with the last one', async () => {
    const { take } = limiterOf(per('hour', 10, { slowDown: { after: 5, maxDelayMs: 1_000 } }))
    const delays: number[] = []
    for (let index = 0; index < 10; index++) delays.push((await take({ address: '192.0.2.1' })).delayMs)
    expect(delays).toEqual([0, 0, 0, 0, 0, 200, 400, 600, 800, 1_000])
  })

  it('V2.4.2 follows the fuller of two buckets, and leaves further rules alone', async () => {
    const limits = per('hour', 4, { slowDown: { after: 2, maxDelayMs: 100 }, and: { daily: per('day', 3) } })
    const { take } = limiterOf(limits)
    await take({ address: '192.0.2.1', account: 'ann' })
    await take({ address: '192.0.2.2', account: 'ann' })
    expect((await take({ address: '192.0.2.3', account: 'ann' })).delayMs).toBe(50)
  })
})

describe('an address that is over its limit', () => {
  it('V2.4.1 is known without anything being taken', async () => {
    const { take, limiter, clock } = limiterOf(per('minute', 1))
    const request = { address: '192.0.2.1' }
    expect(limiter.addressRefusal(request)).toBeUndefined()
    await take(request)
    for (let index = 0; index < 5; index++)
      expect(limiter.addressRefusal(request)).toMatchObject({
        allowed: false,
        retryAfterMs: 60_000,
        violated: ['test'],
      })
    clock.nowMs += 60_000
    expect(limiter.addressRefusal(request)).toBeUndefined()
    expect((await take(request)).allowed).toBe(true)
  })

  it('V2.4.1 is no refusal of an account: others at the address have used theirs up', async () => {
    const { take, limiter } = limiterOf(per('minute', 1, { by: ['account', 'account+address'] }))
    await take({ address: '192.0.2.1' })
    await take({ address: '192.0.2.1', account: 'ann' })
    expect(limiter.addressRefusal({ address: '192.0.2.1' })).toBeUndefined()
  })
})
