import { createLimiter, type Limiter, memoryStore, per, type Refusal } from 'holdfast/limits'
import { afterEach, describe, expect, it } from 'vitest'
import { memberOf } from '../../test/kit/client.ts'
import {
  type Limited,
  type LimitedSetup,
  type StartLimited,
  withExpress,
  withFastify,
  withNothing,
} from '../../test/kit/limited.ts'
import { storeWith } from '../../test/kit/limits.ts'

const frameworks: [string, StartLimited][] = [
  ['Express', withExpress],
  ['Fastify', withFastify],
  ['node:http', withNothing],
]
const withProxies = frameworks.slice(0, 2)

const running: Limited[] = []
afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.close()))
})

const startMs = 1_795_000_000_000
const nowMs = () => startMs

/** Limits on a clock that stands still. */
const still = (limits: Parameters<typeof createLimiter>[0], name = 'limit') =>
  createLimiter(limits, { name, nowMs })

async function started(
  start: StartLimited,
  limiter: Limiter | readonly Limiter[],
  setup: Omit<LimitedSetup, 'limiters'> = {},
): Promise<Limited> {
  const server = await start({ ...setup, limiters: 'take' in limiter ? [limiter] : limiter })
  running.push(server)
  return server
}

const accountOf: LimitedSetup['subject'] = ({ headers }) => {
  const account = headers['x-test-account']
  return typeof account === 'string' ? { account } : {}
}
const as = (account: string): RequestInit => ({ headers: { 'x-test-account': account } })

async function statuses(server: Limited, askings: readonly RequestInit[], path = '/'): Promise<number[]> {
  const found: number[] = []
  for (const asking of askings) found.push((await server.ask(path, asking)).status)
  return found
}

describe.each(frameworks)('limits in front of %s', (_name, start) => {
  it('V2.4.1 V15.4.2 admit exactly as many of two hundred at once as they say', async () => {
    const server = await started(start, still(per('hour', 37)))
    const replies = await Promise.all(Array.from({ length: 200 }, () => server.ask('/')))
    expect(replies.filter(({ status }) => status === 200)).toHaveLength(37)
    expect(replies.filter(({ status }) => status === 429)).toHaveLength(163)
    expect(server.handledCount).toBe(37)
  })

  it('V2.4.1 tell how a client stands, and refuse with the problem of the draft', async () => {
    const server = await started(start, still(per('hour', 2), 'search'))
    const first = await server.ask('/')
    expect(first.headers.get('ratelimit-policy')).toBe('"search";q=2;w=3600')
    expect(first.headers.get('ratelimit')).toBe('"search";r=1')
    expect(first.headers.get('retry-after')).toBeNull()
    await server.ask('/')
    const refused = await server.ask('/')
    expect(refused.status).toBe(429)
    expect(refused.headers.get('content-type')).toBe('application/problem+json')
    expect(refused.headers.get('cache-control')).toBe('no-store')
    expect(refused.headers.get('retry-after')).toBe('1800')
    expect(refused.headers.get('ratelimit')).toBe('"search";r=0;t=1800')
    const text = await refused.text()
    expect(refused.headers.get('content-length')).toBe(String(text.length))
    expect(JSON.parse(text)).toEqual({
      type: 'https://iana.org/assignments/http-problem-types#quota-exceeded',
      title: 'Too many requests.',
      status: 429,
      detail: 'Too many requests.',
      instance: expect.stringMatching(/^[\w-]+$/),
      'violated-policies': ['search'],
    })
  })

  it('V2.4.1 count each account that the application names', async () => {
    const server = await started(start, still(per('hour', 2, { by: ['account'] })), { subject: accountOf })
    expect(await statuses(server, [as('ann'), as('ann'), as('ann'), as('ben')])).toEqual([200, 200, 429, 200])
  })

  it('V2.4.1 ignore forwarding fields that anybody can send', async () => {
    const server = await started(start, still(per('hour', 2)))
    const forged = Array.from({ length: 5 }, (_, index) => ({
      headers: {
        'x-forwarded-for': `203.0.113.${index}`,
        forwarded: `for=203.0.113.${index}`,
        'x-real-ip': `203.0.113.${index}`,
      },
    }))
    expect(await statuses(server, forged)).toEqual([200, 200, 429, 429, 429])
  })

  it('V2.4.1 count HEAD and OPTIONS like everything else', async () => {
    const server = await started(start, still(per('hour', 2)))
    expect(await statuses(server, [{ method: 'HEAD' }, { method: 'OPTIONS' }])).toEqual([200, 200])
    const head = await server.ask('/', { method: 'HEAD' })
    expect([head.status, await head.text()]).toEqual([429, ''])
    expect(head.headers.get('content-type')).toBe('application/problem+json')
    expect(await statuses(server, [{ method: 'OPTIONS' }, { method: 'POST', body: 'x' }, {}])).toEqual([
      429, 429, 429,
    ])
  })

  it('V2.4.1 take what a request costs, and let none through whose cost is none', async () => {
    const server = await started(start, still(per('hour', 10)), {
      subject: ({ headers }) => ({ cost: Number(headers['x-test-cost']) }),
    })
    const costs = ['7', '4', '3', 'NaN', '0', '-5', '0.5', '11', 'Infinity'].map((cost) => ({
      headers: { 'x-test-cost': cost },
    }))
    expect(await statuses(server, costs)).toEqual([200, 429, 200, 500, 500, 500, 500, 500, 500])
    expect(server.handledCount).toBe(2)
  })

  it('V2.4.1 V6.3.1 count what fails alone, where they say so', async () => {
    const server = await started(start, still(per('hour', 3, { counts: 'failures' })), {
      handle: ({ url }) => (url === '/right' ? 200 : 401),
    })
    for (let index = 0; index < 10; index++) expect((await server.ask('/right')).status).toBe(200)
    expect(await statuses(server, [{}, {}, {}, {}], '/wrong')).toEqual([401, 401, 401, 429])
    expect((await server.ask('/right')).status).toBe(429)
  })

  it('V16.3.3 say what was refused, by the name that the client sees too', async () => {
    const refusals: Refusal[] = []
    const onRefused = (refusal: Refusal) => void refusals.push(refusal)
    const server = await started(start, still(per('hour', 1), 'search'), { onRefused })
    await server.ask('/')
    const body: unknown = await (await server.ask('/')).json()
    expect(refusals).toEqual([{ instance: memberOf(body, 'instance'), reason: 'limit search' }])
  })

  it('V2.4.1 stand one behind the other, and each is told', async () => {
    const server = await started(
      start,
      [still(per('minute', 5), 'burst'), still(per('day', 2, { by: ['account'] }), 'daily')],
      { subject: accountOf },
    )
    const first = await server.ask('/', as('ann'))
    expect(first.headers.get('ratelimit-policy')).toBe('"burst";q=5;w=60, "daily";q=2;w=86400')
    expect(first.headers.get('ratelimit')).toBe('"burst";r=4, "daily";r=1')
    await server.ask('/', as('ann'))
    const refused = await server.ask('/', as('ann'))
    expect(refused.headers.get('ratelimit')).toBe('"burst";r=2, "daily";r=0;t=43200')
    expect(await refused.json()).toMatchObject({ 'violated-policies': ['daily'] })
    expect(await statuses(server, [as('ben'), as('ben'), as('cleo')])).toEqual([200, 200, 429])
    expect(server.handledCount).toBe(4)
  })

  it('give the old fields of the tighter of two', async () => {
    const fields = 'ietf-and-legacy'
    const two = [per('minute', 2), per('minute', 9)].map((limits, index) =>
      createLimiter(limits, { name: `l${index}`, nowMs, fields }),
    )
    for (const limiters of [two, two.toReversed()]) {
      const reply = await (await started(start, limiters)).ask('/')
      expect(reply.headers.get('x-ratelimit-limit')).toBe('2')
    }
  })
})

describe.each(frameworks)('V15.2.2 how many at once in front of %s', (_name, start) => {
  it('V15.2.2 bounds what is under way, and takes a place back from a client that goes away', async () => {
    const held: (() => void)[] = []
    let arrived = Promise.withResolvers<void>()
    const handle: LimitedSetup['handle'] = () => {
      arrived.resolve()
      return new Promise((resolve) => held.push(() => resolve(200)))
    }
    const server = await started(start, still(per('hour', 100, { concurrentCount: 1 })), { handle })
    const first = server.ask('/')
    await arrived.promise
    const refused = await server.ask('/')
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '1'])
    expect(await refused.json()).toMatchObject({ 'violated-policies': ['limit-concurrent'] })
    held[0]?.()
    expect((await first).status).toBe(200)
    arrived = Promise.withResolvers()
    await server.askAndGo('/', arrived.promise)
    const last = server.ask('/')
    while (held.length < 3) await new Promise(setImmediate)
    held[2]?.()
    expect((await last).status).toBe(200)
  })

  it('V15.2.2 takes it back from one that went away before the store had answered', async () => {
    const asked = Promise.withResolvers<void>()
    const answering = Promise.withResolvers<void>()
    const store = memoryStore()
    const slow = storeWith(store, async (checks, atMs) => {
      asked.resolve()
      await answering.promise
      return store.consume(checks, atMs)
    })
    const limiter = createLimiter(per('hour', 100, { concurrentCount: 1 }), { store: slow, nowMs })
    const server = await started(start, limiter)
    await server.askAndGo('/', asked.promise)
    answering.resolve()
    expect((await server.ask('/')).status).toBe(200)
    // And nothing was done for nobody.
    expect(server.handledCount).toBe(1)
  })
})

describe.each(frameworks)('V2.4.2 slowing down in front of %s', (_name, start) => {
  it('V2.4.2 holds back before it refuses', async () => {
    const limits = per('hour', 4, { slowDown: { after: 2, maxDelayMs: 200 } })
    const server = await started(start, still(limits))
    const lastedMs: number[] = []
    for (let index = 0; index < 4; index++) {
      const fromMs = performance.now()
      expect((await server.ask('/')).status).toBe(200)
      lastedMs.push(performance.now() - fromMs)
    }
    expect(lastedMs[2]).toBeGreaterThanOrEqual(99)
    expect(lastedMs[3]).toBeGreaterThanOrEqual(199)
    expect((await server.ask('/')).status).toBe(429)
  })

  it('V2.4.2 V15.2.2 refuses those for whom there is no room', async () => {
    const limits = per('hour', 10, { slowDown: { after: 1, maxDelayMs: 9_000 } })
    const server = await started(start, still(limits), { delayedCount: 0 })
    expect((await server.ask('/')).status).toBe(200)
    const refused = await server.ask('/')
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '1'])
    expect(await refused.json()).toMatchObject({ title: 'Too many requests.' })
    expect(server.handledCount).toBe(1)
  })

  it('V2.4.2 does no work for a client that goes away instead of waiting', async () => {
    const arrivals: (() => void)[] = []
    const limits = per('hour', 10, { slowDown: { after: 0, maxDelayMs: 10_000 } })
    const refusals: Refusal[] = []
    const server = await started(start, still(limits), {
      delayedCount: 1,
      onRefused: (refusal) => void refusals.push(refusal),
      subject: () => {
        arrivals.shift()?.()
        return {}
      },
    })
    // The place in the queue is free again each time, or the second would be refused.
    for (let index = 0; index < 2; index++)
      await server.askAndGo('/', new Promise<void>((resolve) => arrivals.push(resolve)))
    expect([server.handledCount, refusals]).toEqual([0, []])
  })
})

describe.each(frameworks)('V16.5.3 what fails in front of %s', (_name, start) => {
  const failures: [string, () => never | Promise<never>][] = [
    [
      'throws',
      () => {
        throw new TypeError('down')
      },
    ],
    ['rejects', () => Promise.reject(new TypeError('down'))],
    ['rejects with nothing', () => Promise.reject()],
    ['rejects with null', () => Promise.reject(null)],
    ['rejects with what Express takes for "go on"', () => Promise.reject('route')],
    ['rejects with what Express takes for "leave the router"', () => Promise.reject('router')],
  ]

  it.each(failures)('V16.5.3 lets nothing through when the store %s', async (_how, fail) => {
    const store = storeWith(memoryStore(), fail)
    const server = await started(start, createLimiter(per('hour', 5), { store }))
    expect((await server.ask('/')).status).toBe(500)
    expect(server.handledCount).toBe(0)
  })

  it.each(failures)('V16.5.3 lets nothing through when the subject %s', async (_how, subject) => {
    const server = await started(start, still(per('hour', 5)), { subject })
    expect((await server.ask('/')).status).toBe(500)
    expect(server.handledCount).toBe(0)
  })

  it('V16.5.3 does not start with a limit that would count nobody', async () => {
    const limiter = still(per('hour', 5, { by: ['account', 'tenant'] }), 'mine')
    await expect(start({ limiters: [limiter] })).rejects.toThrow('"mine" counts nobody')
  })
})

describe.each(withProxies)('V2.4.1 the address behind a proxy that %s trusts', (_name, start) => {
  const from = (address: string): RequestInit => ({ headers: { 'x-forwarded-for': address } })

  it('V2.4.1 is the one that the proxy names', async () => {
    const server = await started(start, still(per('hour', 1)), { isProxyTrusted: true })
    const addresses = ['203.0.113.1', '203.0.113.2', '203.0.113.1', '198.51.100.9, 203.0.113.2']
    expect(await statuses(server, addresses.map(from))).toEqual([200, 200, 429, 429])
  })

  it('V2.4.1 is one customer by its IPv6 /64, and one however it is written', async () => {
    const server = await started(start, still(per('hour', 2)), { isProxyTrusted: true })
    const network = ['2001:db8::1', '2001:DB8:0:0:ffff::2', '2001:db8:0:0::3', '2001:db8:0:1::1']
    expect(await statuses(server, network.map(from))).toEqual([200, 200, 429, 200])
    const mapped = ['203.0.113.7', '::ffff:203.0.113.7', '::FFFF:203.0.113.7']
    expect(await statuses(server, mapped.map(from))).toEqual([200, 200, 429])
  })
})
