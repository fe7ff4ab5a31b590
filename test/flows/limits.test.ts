import { connect } from 'node:net'
import { promisify } from 'node:util'
import { createApp, type IdentitySource, limitKey, Problem, per, words } from 'holdfast'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { memberOf } from '../kit/client.ts'
import { type NotesServer, startNotes } from '../kit/notes-server.ts'

const { route, open, signedIn, vocabulary } = words({
  resources: [],
  roles: [],
  limits: {
    plain: per('hour', 5),
    both: per('hour', 100, { by: ['address'], and: { each: per('hour', 3, { by: ['account'] }) } }),
    guess: per('hour', 3, { by: ['address'], counts: 'failures' }),
    few: per('hour', 1_000, { concurrentCount: 2 }),
    slow: per('hour', 4, { slowDown: { after: 2, maxDelayMs: 300 } }),
    project: per('hour', 2, {
      by: [limitKey('project', ({ params }) => params?.['project'] ?? null), 'address'],
    }),
  },
})

const Ok = z.strictObject({ ok: z.boolean() })
const access = signedIn()
const anyone = open('Answers the same to everybody.')
const Paging = z.strictObject({ limit: z.coerce.number().int().min(1).max(100).default(20) })
const Guess = z.strictObject({ guess: z.string().max(20) })
const ok = () => ({ ok: true })

/** Requests that wait until the test lets them go on. */
const held: (() => void)[] = []
const hold = () => new Promise<{ ok: boolean }>((resolve) => held.push(() => resolve({ ok: true })))

const routes = [
  route('GET /plain', { access, output: Ok, limit: 'plain' }, ok),
  route('GET /plain-too', { access, output: Ok, limit: 'plain' }, ok),
  route('GET /anyone', { access: anyone, output: Ok, limit: 'plain' }, ok),
  route('GET /both', { access, output: Ok, limit: 'both' }, ok),
  route('GET /own', { access, output: Ok, limit: per('hour', 2) }, ok),
  route('GET /dear', { access, output: Ok, limit: per('hour', 10), cost: 4 }, ok),
  route(
    'GET /list',
    { access, query: Paging, output: Ok, limit: per('hour', 20), cost: { query: 'limit', per: 10 } },
    ok,
  ),
  route('GET /few', { access, output: Ok, limit: 'few' }, hold),
  route('GET /slow', { access, output: Ok, limit: 'slow' }, ok),
  route(
    'GET /in/:project',
    { access: anyone, params: z.strictObject({ project: z.string().max(20) }), output: Ok, limit: 'project' },
    ok,
  ),
  route('POST /guess', { access: anyone, body: Guess, output: Ok, limit: 'guess' }, ({ body }) => {
    if (body.guess !== 'right') throw new Problem('FORBIDDEN', 'a wrong guess')
    return { ok: true }
  }),
]
const app = createApp({ title: 'Limits', vocabulary, routes })

describe('limits over HTTP', () => {
  let server: NotesServer
  beforeEach(async () => {
    held.length = 0
    server = await startNotes(app)
  })
  afterEach(() => server.stop())

  it('V2.4.1 are told on every reply, and refuse with the problem of the draft', async () => {
    const ann = server.person('ann')
    const first = await ann.ask('GET', '/plain')
    expect(first.header('ratelimit-policy')).toBe('"plain";q=5;w=3600')
    expect(first.header('ratelimit')).toBe('"plain";r=4')
    expect(first.headers.get('x-ratelimit-limit')).toBeNull()
    // Another route of the class takes from the same bucket.
    expect((await ann.ask('GET', '/plain-too')).header('ratelimit')).toBe('"plain";r=3')
    for (let index = 0; index < 3; index++) await ann.ask('GET', '/plain')
    const refused = await ann.ask('GET', '/plain')
    expect(refused.status).toBe(429)
    expect(refused.header('content-type')).toContain('application/problem+json')
    expect(refused.json).toMatchObject({
      type: 'https://iana.org/assignments/http-problem-types#quota-exceeded',
      status: 429,
      'violated-policies': ['plain'],
    })
    const waitSeconds = Number(refused.header('retry-after'))
    expect(waitSeconds).toBeGreaterThan(600)
    expect(waitSeconds).toBeLessThanOrEqual(720)
    expect(refused.header('ratelimit')).toBe(`"plain";r=0;t=${waitSeconds}`)
  })

  it('V2.4.1 admit exactly as many of two hundred at once as they say', async () => {
    const ann = server.person('ann')
    const replies = await Promise.all(Array.from({ length: 200 }, () => ann.ask('GET', '/plain')))
    expect(replies.filter(({ status }) => status === 200)).toHaveLength(5)
  })

  it('V2.4.1 tell a client that guesses tokens how it stands, and count it', async () => {
    const statuses: number[] = []
    for (let index = 0; index < 7; index++) {
      const reply = await server.ask('GET', '/plain', { headers: { authorization: `Bearer guess-${index}` } })
      statuses.push(reply.status)
      if (index === 0) expect(reply.header('ratelimit')).toBe('"plain";r=4')
    }
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429, 429])
    // Whoever is known pays with their address too: the one who guesses and the one who knows look alike from here.
    expect((await server.person('ann').ask('GET', '/plain')).status).toBe(429)
  })

  it('V2.4.1 that are refused by one rule take nothing from the other', async () => {
    const ann = server.person('ann')
    const statuses: number[] = []
    for (let index = 0; index < 30; index++) statuses.push((await ann.ask('GET', '/both')).status)
    expect(statuses.filter((status) => status === 200)).toHaveLength(3)
    const ben = await server.person('ben').ask('GET', '/both')
    expect(ben.header('ratelimit')).toBe('"both";r=96, "both-each";r=2')
  })

  it('V2.4.1 can be one route’s own', async () => {
    const ann = server.person('ann')
    expect((await ann.ask('GET', '/own')).header('ratelimit-policy')).toBe('"GET /own";q=2;w=3600')
    expect((await ann.ask('GET', '/own')).status).toBe(200)
    expect((await ann.ask('GET', '/own')).status).toBe(429)
    expect((await ann.ask('GET', '/plain')).status).toBe(200)
  })

  it('V2.4.1 take more for what costs more', async () => {
    const ann = server.person('ann')
    expect((await ann.ask('GET', '/dear')).header('ratelimit')).toBe('"GET /dear";r=6')
    const left = async (query: string) => (await ann.ask('GET', `/list${query}`)).header('ratelimit')
    expect(await left('')).toBe('"GET /list";r=18')
    expect(await left('?limit=100')).toBe('"GET /list";r=8')
    expect(await left('?limit=21')).toBe('"GET /list";r=5')
    // What does not fit is refused for what it is, and is not free.
    const odd = await ann.ask('GET', '/list?limit=-5')
    expect([odd.status, odd.header('ratelimit')]).toEqual([400, '"GET /list";r=3'])
    expect((await ann.ask('GET', '/list?limit=100')).status).toBe(429)
    expect((await ann.ask('GET', '/list?limit=1')).status).toBe(200)
  })

  it('V2.4.1 V6.3.1 count what fails alone, where they say so', async () => {
    const guess = async (text: string) =>
      (await server.ask('POST', '/guess', { body: { guess: text } })).status
    for (let index = 0; index < 10; index++) expect(await guess('right')).toBe(201)
    expect([await guess('a'), await guess('b'), await guess('c'), await guess('right')]).toEqual([
      403, 403, 403, 429,
    ])
  })

  it('V15.4.2 do not let guesses that are under way go uncounted', async () => {
    const guesses = Array.from({ length: 40 }, () => server.ask('POST', '/guess', { body: { guess: 'x' } }))
    const replies = await Promise.all(guesses)
    expect(replies.filter(({ status }) => status === 403)).toHaveLength(3)
  })

  it('V15.2.2 bound how many requests of one account are under way', async () => {
    const ann = server.person('ann')
    const running = [ann.ask('GET', '/few'), ann.ask('GET', '/few')]
    await expect.poll(() => held.length).toBe(2)
    const refused = await ann.ask('GET', '/few')
    expect([refused.status, refused.header('ratelimit-policy')]).toEqual([
      429,
      '"few-concurrent";q=2;qu="concurrent-requests"',
    ])
    const ben = server.person('ben').ask('GET', '/few')
    await expect.poll(() => held.length).toBe(3)
    for (const letGo of held) letGo()
    for (const reply of await Promise.all([...running, ben])) expect(reply.status).toBe(200)
  })

  it('V15.2.2 take a place back from a client that goes away', async () => {
    const ann = server.person('ann')
    const { hostname, port } = new URL(server.address)
    const leaving = connect(Number(port), hostname)
    leaving.write(
      `GET /few HTTP/1.1\r\nHost: ${new URL(server.address).host}\r\nAuthorization: Bearer ${ann.token}\r\n\r\n`,
    )
    const staying = ann.ask('GET', '/few')
    await expect.poll(() => held.length).toBe(2)
    leaving.destroy()
    await expect
      .poll(async () => {
        const reply = ann.ask('GET', '/few')
        const outcome = await Promise.race([
          reply.then(({ status }) => status),
          expect
            .poll(() => held.length)
            .toBe(3)
            .then(() => 'under way' as const),
        ]).catch(() => 'refused' as const)
        return outcome
      })
      .toBe('under way')
    for (const letGo of held) letGo()
    expect((await staying).status).toBe(200)
  })

  it('V2.4.2 hold back before they refuse', async () => {
    const ann = server.person('ann')
    const taken: number[] = []
    for (let index = 0; index < 4; index++) {
      const before = performance.now()
      expect((await ann.ask('GET', '/slow')).status).toBe(200)
      taken.push(performance.now() - before)
    }
    expect(taken[2]).toBeGreaterThanOrEqual(149)
    expect(taken[3]).toBeGreaterThanOrEqual(299)
    expect((await ann.ask('GET', '/slow')).status).toBe(429)
  })

  it('V2.4.1 count by a key of the application’s own', async () => {
    const status = async (project: string) => (await server.ask('GET', `/in/${project}`)).status
    expect(await status('a')).toBe(200)
    expect(await status('b')).toBe(200)
    // The address has used up what it has, whatever project it names.
    expect(await status('c')).toBe(429)
  })

  it('V2.4.1 V4.1.1 are the same for a HEAD, a trailing slash and a name in capitals, or there is nothing', async () => {
    const ann = server.person('ann')
    for (let index = 0; index < 5; index++) await ann.ask('HEAD', '/plain')
    expect((await ann.ask('GET', '/plain')).status).toBe(429)
    for (const path of ['/plain/', '//plain', '/PLAIN', '/%70lain'])
      expect([404, 429], path).toContain((await ann.ask('GET', path)).status)
  })

  it('V16.5.1 stand in the reference with what they say', async () => {
    const { json } = await server.ask('GET', '/openapi.json')
    const operation = memberOf(memberOf(memberOf(json, 'paths'), '/list'), 'get')
    expect(memberOf(operation, 'x-holdfast-limit')).toEqual({
      class: 'GET /list',
      count: 20,
      windowSeconds: 3_600,
      cost: { query: 'limit', per: 10 },
    })
    expect(memberOf(operation, 'description')).toContain('each counts as one for every 10 of limit')
  })
})

describe('a client that hangs up while it is looked who asks', () => {
  it('V15.2.2 takes no place with it', async () => {
    const waiting: (() => void)[] = []
    let isSlow = true
    const slowIdentity: IdentitySource = () => async () => {
      if (isSlow) await new Promise<void>((resolve) => waiting.push(resolve))
      return { id: 'ann', roles: [] }
    }
    const one = words({
      resources: [],
      roles: [],
      limits: { one: per('hour', 1_000, { concurrentCount: 1 }) },
    })
    const lone = one.route('GET /one', { access: one.signedIn(), output: Ok, limit: 'one' }, ok)
    const slow = createApp({
      title: 'One',
      vocabulary: one.vocabulary,
      routes: [lone],
      identity: slowIdentity,
    })
    const server = await startNotes(slow, 'sqlite', null)
    try {
      const { hostname, port, host } = new URL(server.address)
      const leaving = connect(Number(port), hostname)
      leaving.write(`GET /one HTTP/1.1\r\nHost: ${host}\r\n\r\n`)
      await expect.poll(() => waiting.length).toBe(1)
      leaving.destroy()
      const connectionCount = promisify(
        server.server.fastify.server.getConnections.bind(server.server.fastify.server),
      )
      await expect.poll(() => connectionCount()).toBe(0)
      isSlow = false
      for (const goOn of waiting) goOn()
      for (let index = 0; index < 3; index++)
        await expect.poll(async () => (await server.ask('GET', '/one')).status).toBe(200)
    } finally {
      await server.stop()
    }
  })
})

describe('the old fields', () => {
  it('are given on request', async () => {
    const legacy = createApp({
      title: 'Limits',
      vocabulary,
      routes,
      http: { rateLimits: { fields: 'ietf-and-legacy' } },
    })
    const server = await startNotes(legacy)
    try {
      const reply = await server.person('ann').ask('GET', '/plain')
      expect([reply.header('x-ratelimit-limit'), reply.header('x-ratelimit-remaining')]).toEqual(['5', '4'])
      const refused = await server.ask('GET', '/plain')
      expect([refused.status, refused.header('x-ratelimit-remaining')]).toEqual([401, '3'])
    } finally {
      await server.stop()
    }
  })
})
