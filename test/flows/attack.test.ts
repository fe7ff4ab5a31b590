import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { goodPassword } from '../kit/accounts.ts'
import { type Answer, memberOf } from '../kit/client.ts'
import { type NotesServer, startNotes } from '../kit/notes-server.ts'
import { freshPostgres } from '../kit/postgres.ts'
import { startRedis } from '../kit/redis.ts'

const home = '203.0.113.66'
const soon = { timeout: 15_000 }
const reason = 'our own exercise'

interface Site {
  readonly nodes: readonly NotesServer[]
  stop(): Promise<void>
}

async function alone(): Promise<Site> {
  const node = await startNotes(undefined, 'sqlite', null, { DETECTION: 'on', TRUSTED_PROXIES: '127.0.0.1' })
  return { nodes: [node], stop: () => node.stop() }
}

/** Two nodes with one PostgreSQL and one Redis. */
async function together(): Promise<Site> {
  const postgres = await freshPostgres()
  const redis = await startRedis()
  const environment = {
    DETECTION: 'on',
    TRUSTED_PROXIES: '127.0.0.1',
    // One application has one origin: tokens of one node are good on the other.
    PUBLIC_ORIGIN: 'http://127.0.0.1:4000',
    DATABASE_URL: postgres.url,
    REDIS_URL: redis.url.reveal(),
    HOLDFAST_SECRET: randomBytes(32).toString('base64'),
  }
  const nodes = [
    await startNotes(undefined, 'sqlite', null, environment),
    await startNotes(undefined, 'sqlite', null, environment),
  ]
  return {
    nodes,
    async stop() {
      for (const node of nodes) await node.stop()
      await redis.stop()
      await postgres.drop()
    },
  }
}

describe.each([
  ['one node with SQLite', alone],
  ['two nodes with PostgreSQL and Redis', together],
] as const)('an attack on %s', (name, start) => {
  let site: Site
  let turn = 0
  let chief: Readonly<Record<string, string>>
  let mallory: Readonly<Record<string, string>>
  /** Other sessions of the same person. */
  let others: readonly Readonly<Record<string, string>>[]

  /** Sends a request from an address, to one node after the other. */
  const ask = (
    method: string,
    path: string,
    { from, as = {}, body }: { from: string; as?: Readonly<Record<string, string>>; body?: unknown },
  ): Promise<Answer> => {
    turn += 1
    const node = site.nodes[turn % site.nodes.length]
    if (node === undefined) throw new TypeError('a site has nodes')
    const headers = { 'x-forwarded-for': from, ...as }
    return node.ask(method, path, body === undefined ? { headers } : { headers, body })
  }
  const enter = async (email: string, from: string) => {
    const reply = await ask('POST', '/api/auth/login', { from, body: { email, password: goodPassword } })
    const as = { authorization: `Bearer ${reply.text('accessToken')}` }
    return { as, refreshToken: reply.text('refreshToken') }
  }
  const office = '198.51.100.7'
  const look = async (path: string): Promise<readonly unknown[]> => {
    const items = memberOf((await ask('GET', path, { from: office, as: chief })).json, 'items')
    return Array.isArray(items) ? items : []
  }
  /** The event of a detector, and after how many milliseconds it was there. */
  const found = async (event: string, detector: string): Promise<number> => {
    const startMs = performance.now()
    const isThere = async () =>
      (await look(`/api/admin/events?event=${event}`)).some((one) =>
        JSON.stringify(one).includes(`"${detector}"`),
      )
    await expect.poll(isThere, { ...soon, interval: 50 }).toBe(true)
    const tookMs = performance.now() - startMs
    process.stdout.write(`${name}: ${detector} is an event after ${tookMs.toFixed(0)} ms\n`)
    return tookMs
  }
  const responseOf = async (response: string): Promise<unknown> => {
    const find = async () =>
      (await look('/api/admin/responses')).find((one) => memberOf(one, 'response') === response)
    await expect.poll(find, soon).toBeDefined()
    return await find()
  }

  beforeAll(async () => {
    site = await start()
    const [first] = site.nodes
    const make = (email: string, roles: readonly string[]) =>
      first?.server.createAccount({ email, password: goodPassword, roles })
    await make('chief@example.com', ['admin'])
    await make('mallory@example.com', [])
    await make('ann@example.com', [])
    chief = (await enter('chief@example.com', office)).as
    mallory = (await enter('mallory@example.com', home)).as
    others = [(await enter('mallory@example.com', home)).as, (await enter('mallory@example.com', home)).as]
  }, 60_000)
  afterAll(() => site.stop())

  it('V6.3.5 password spraying from many addresses is found', async () => {
    const tries = Array.from({ length: 44 }, (_, index) => index)
    for (const index of tries) {
      // One of them from where everything else will come from.
      const from = index === 40 ? home : `203.0.113.${100 + index}`
      const body = { email: `person${index}@example.com`, password: 'Winter 2026 is here' }
      expect((await ask('POST', '/api/auth/login', { from, body })).status).toBe(401)
    }
    await found('attack_detected', 'distributed-spraying')
  }, 60_000)

  it('V8.2.2 somebody who tries one id after the other is found, and has to authenticate again', async () => {
    for (let count = 0; count < 44; count += 1) {
      const reply = await ask('GET', `/api/notes/${crypto.randomUUID()}`, { from: home, as: mallory })
      // The step-up may come before the last of them.
      expect([404, 401]).toContain(reply.status)
    }
    await found('malicious_direct_reference', 'object-enumeration')
    const isAsked = async () => {
      const replies = [
        await ask('GET', '/api/notes', { from: home, as: mallory }),
        await ask('GET', '/api/users/me', { from: home, as: mallory }),
      ]
      return replies.every(({ status }) => status === 401)
    }
    await expect.poll(isAsked, soon).toBe(true)
    const refused = await ask('GET', '/api/users/me', { from: home, as: mallory })
    expect(refused.json).toMatchObject({ type: 'urn:holdfast:problem:reauthentication-required' })
  }, 60_000)

  it('V7.5.3 whoever has to authenticate again can do so, and can log out', async () => {
    const [first = {}, second = {}] = others
    const me = async (as: Readonly<Record<string, string>>) =>
      (await ask('GET', '/api/users/me', { from: home, as })).status
    expect(await me(first)).toBe(401)
    let as = first
    // Times of authentication are whole seconds: within the second of the finding it is asked for once more.
    const again = async () => {
      const body = { password: goodPassword }
      const reply = await ask('POST', '/api/auth/reauthenticate', { from: home, as, body })
      as = { authorization: `Bearer ${reply.text('accessToken')}` }
      return await me(as)
    }
    await expect.poll(again, { ...soon, interval: 1_000 }).toBe(200)
    expect(await me(second)).toBe(401)
    expect((await ask('POST', '/api/auth/logout', { from: home, as: second })).status).toBe(204)
  })

  it('V10.4.5 a refresh token that is sent again is found, and its session ends', async () => {
    const ann = await enter('ann@example.com', '198.51.100.20')
    let { refreshToken } = ann
    for (let count = 0; count < 2; count += 1) {
      const body = { refreshToken }
      refreshToken = (await ask('POST', '/api/auth/refresh', { from: '198.51.100.20', body })).text(
        'refreshToken',
      )
    }
    const stolen = { refreshToken: ann.refreshToken }
    expect((await ask('POST', '/api/auth/refresh', { from: home, body: stolen })).status).toBe(401)
    await found('attack_detected', 'token-reuse')
    const status = async () =>
      (await ask('GET', '/api/users/me', { from: '198.51.100.20', as: ann.as })).status
    await expect.poll(status, soon).toBe(401)
  })

  it('V1.2.4 probes for an injection are found, and slowed down', async () => {
    for (const probe of ["' OR 1=1--", '1 UNION SELECT password FROM users'])
      await ask('GET', `/api/notes?q=${encodeURIComponent(probe)}`, { from: home })
    await found('malicious_sqli', 'sql-injection')
    const slow = await responseOf('slow-down')
    expect(slow).toMatchObject({ targetKind: 'address', mode: 'applied', outcome: 'done' })
    const tookMs = async () => {
      const startMs = performance.now()
      await ask('GET', '/', { from: home })
      return performance.now() - startMs
    }
    await expect.poll(tookMs, soon).toBeGreaterThan(400)
  })

  it('V16.3.3 all of it is one alert with a count', async () => {
    const wanted = ['distributed-spraying', 'object-enumeration', 'token-reuse', 'sql-injection']
    const detectorsOf = async () => {
      const alerts = await look('/api/admin/alerts')
      const detectors = alerts.map((one) => memberOf(one, 'detectors'))
      return detectors.find((list) => Array.isArray(list) && wanted.every((one) => list.includes(one)))
    }
    await expect.poll(detectorsOf, soon).toBeDefined()
    const alerts = await look('/api/admin/alerts')
    expect(alerts).toHaveLength(1)
    expect(alerts[0]).toMatchObject({ state: 'open', severity: 'critical' })
    expect(Number(memberOf(alerts[0], 'count'))).toBeGreaterThanOrEqual(4)
    expect(JSON.stringify(alerts)).toContain(home)
  })

  it('what was done can be undone by hand, on every node, and stands in the trail with its reason', async () => {
    for (const response of await look('/api/admin/responses')) {
      const path = `/api/admin/responses/${String(memberOf(response, 'id'))}/undo`
      const undone = await ask('POST', path, { from: office, as: chief, body: { reason } })
      const isFinal = memberOf(response, 'response') === 'revoke-sessions'
      expect(undone.status, undone.content).toBe(isFinal ? 409 : 200)
    }
    const free = async () => {
      const startMs = performance.now()
      const replies = [
        await ask('GET', '/api/users/me', { from: home, as: mallory }),
        await ask('GET', '/api/users/me', { from: home, as: mallory }),
      ]
      return replies.every(({ status }) => status === 200) && performance.now() - startMs < 900
    }
    await expect.poll(free, soon).toBe(true)
    const events = async () => await look('/api/admin/events?event=response_undone')
    await expect.poll(async () => (await events()).length, soon).toBeGreaterThanOrEqual(2)
    expect(JSON.stringify(await events())).toContain(reason)
  })

  it('an alert is acknowledged and closed, once each', async () => {
    const [alert] = await look('/api/admin/alerts')
    const act = (verb: string) =>
      ask('POST', `/api/admin/alerts/${String(memberOf(alert, 'id'))}/${verb}`, {
        from: office,
        as: chief,
        body: { reason },
      })
    expect((await act('acknowledge')).json).toMatchObject({ state: 'acknowledged', reason })
    expect((await act('acknowledge')).status).toBe(409)
    expect((await act('close')).json).toMatchObject({ state: 'closed' })
    expect((await act('close')).status).toBe(409)
    expect(await look('/api/admin/alerts')).toEqual([])
  })

  it('V16.4.2 the trail is whole after all of it', async () => {
    const report = await site.nodes[0]?.server.events.verify()
    expect(report?.findings).toEqual([])
    expect(report?.rowCount).toBeGreaterThan(50)
  })
})
