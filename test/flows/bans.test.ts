import { type IncomingHttpHeaders, request } from 'node:http'
import { createApp, per, testIdentity } from 'holdfast'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import notes from '../../examples/notes/app.ts'
import { migrations } from '../../examples/notes/migrations.ts'
import { vocabulary } from '../../examples/notes/words.ts'
import { enter, goodPassword, startAccounts } from '../kit/accounts.ts'
import { memberOf, requiredHeaders } from '../kit/client.ts'
import { type NotesServer, startNotes } from '../kit/notes-server.ts'

const type = 'https://iana.org/assignments/http-problem-types#abnormal-usage-detected'
const minuteMs = 60_000

interface Sending {
  readonly path?: string
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  /** The address of this end of the connection. */
  readonly from?: string
  readonly body?: string
}

interface Received {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** Sends what `fetch` would not: any Host, any target, from any loopback address. */
function send(server: NotesServer, { path = '/health/live', method = 'GET', ...sending }: Sending) {
  const { hostname, port, host } = new URL(server.address)
  const { from = '127.0.0.1', headers = {}, body } = sending
  return new Promise<Received>((resolve, reject) => {
    const options = { hostname, port, path, method, localAddress: from, agent: false }
    const asked = request(
      { ...options, headers: { host, connection: 'keep-alive', ...headers } },
      (reply) => {
        let text = ''
        reply.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk
        })
        reply.on('end', () => {
          resolve({ status: reply.statusCode ?? 0, headers: reply.headers, body: text })
          asked.destroy()
        })
      },
    )
    asked.on('error', reject)
    asked.end(body)
  })
}

const by = (address: string) => ({ 'x-forwarded-for': address })

describe('behind a trusted proxy, a banned client', () => {
  let server: NotesServer
  const status = async (address: string, path?: string) =>
    (await send(server, { headers: by(address), ...(path === undefined ? {} : { path }) })).status
  beforeAll(async () => {
    const environment = { TRUSTED_PROXIES: '127.0.0.1', NEVER_BANNED: '198.51.100.0/24, 2001:db8:5::5' }
    server = await startNotes(notes, 'sqlite', testIdentity, environment)
  })
  afterAll(() => server.stop())

  it('V2.4.1 gets one answer, with the rest of the ban, whatever it asks', async () => {
    const { bans } = server.server
    await bans.ban({ address: '203.0.113.9', reason: 'the secret reason', forMs: 90_500 })
    const headers = by('203.0.113.9')
    const askings: readonly Sending[] = [
      { headers },
      { headers, path: '/api/notes' },
      { headers, path: '/health/ready' },
      { headers, path: '/docs' },
      { headers, path: '/nowhere' },
      { headers, path: '/%zz' },
      { headers, path: `/${'x'.repeat(9_000)}` },
      { headers: { ...headers, host: 'evil.example' }, path: '/api/notes' },
      { headers: { ...headers, host: 'a b' }, path: '/api/notes' },
      { headers: { ...headers, cookie: '__Host-access=a; __Host-access=b' } },
      {
        headers: { ...headers, origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' },
        method: 'POST',
      },
      {
        headers: { ...headers, origin: 'https://evil.example', 'access-control-request-method': 'POST' },
        method: 'OPTIONS',
        path: '/api/notes',
      },
      {
        headers: { ...headers, 'content-type': 'text/plain' },
        method: 'POST',
        path: '/api/notes',
        body: '{',
      },
    ]
    for (const asking of askings) {
      const { status, headers: fields, body } = await send(server, asking)
      const about = JSON.stringify(asking).slice(0, 200)
      expect(status, about).toBe(429)
      expect(JSON.parse(body), about).toEqual({
        ...{ type, title: 'Requests from here are refused for now.', status: 429 },
        ...{ detail: 'Requests from here are refused for now.', instance: expect.any(String) },
      })
      expect(fields['content-type']).toBe('application/problem+json')
      expect(fields.connection).toBe('close')
      expect(Number(fields['retry-after'])).toBeGreaterThan(60)
      expect(Number(fields['retry-after'])).toBeLessThanOrEqual(91)
      for (const name of requiredHeaders) expect(fields, about).toHaveProperty(name)
    }
    expect(await status('203.0.113.10')).toBe(200)
    await bans.lift({ address: '203.0.113.9' })
    expect(await status('203.0.113.9')).toBe(200)
    // The same askings have other answers when nobody is banned: the ban did come first.
    const free: number[] = []
    for (const asking of askings.slice(4, 9)) free.push((await send(server, asking)).status)
    expect(free).toEqual([404, 400, 414, 421, 400])
  })

  it('V2.4.1 is told a day for a ban without an end', async () => {
    await server.server.bans.ban({ address: '203.0.113.11', reason: 'x' })
    expect((await send(server, { headers: by('203.0.113.11') })).headers['retry-after']).toBe('86400')
  })

  it('V2.4.1 takes its /64 with it, an IPv4 address in IPv6 spelling is the same, ranges have borders', async () => {
    const { bans } = server.server
    await bans.ban({ address: '2001:db8:1:2::7', reason: 'x', forMs: minuteMs })
    await bans.ban({ address: '::ffff:203.0.113.20', reason: 'x', forMs: minuteMs })
    await bans.ban({ range: '203.0.113.64/26', reason: 'x', forMs: minuteMs })
    const hit = ['2001:db8:1:2::7', '[2001:DB8:1:2:ffff::1]:4711', '203.0.113.20', '::ffff:203.0.113.20']
    for (const address of [...hit, '203.0.113.64', '203.0.113.127:80'])
      expect(await status(address), address).toBe(429)
    for (const address of ['2001:db8:1:3::7', '203.0.113.21', '203.0.113.63', '203.0.113.128'])
      expect(await status(address), address).toBe(200)
  })

  it('V15.3.4 is not the proxy, which cannot be banned, nor anybody else behind it', async () => {
    const { bans } = server.server
    for (const target of [
      { address: '127.0.0.1' },
      { range: '127.0.0.0/8' },
      { address: '::ffff:127.0.0.1' },
    ])
      await expect(bans.ban({ ...target, reason: 'x' })).rejects.toMatchObject({ kind: 'trusted-proxy' })
    await bans.ban({ address: '203.0.113.30', reason: 'x', forMs: minuteMs })
    expect(await status('203.0.113.30')).toBe(429)
    expect(await status('203.0.113.31')).toBe(200)
    expect((await send(server, {})).status).toBe(200)
  })

  it('V4.1.3 neither gets rid of the ban nor puts it on others by what it writes into the field', async () => {
    await server.server.bans.ban({ address: '203.0.113.40', reason: 'x', forMs: minuteMs })
    expect(await status('192.0.2.1, 203.0.113.40')).toBe(429)
    expect(await status('198.51.100.1, 203.0.113.40')).toBe(429)
    expect(await status('203.0.113.40, 192.0.2.1')).toBe(200)
  })

  it('V8.2.4 never is an address of the allow list, even with a row that was written by hand', async () => {
    const { bans } = server.server
    await expect(bans.ban({ address: '198.51.100.7', reason: 'x' })).rejects.toMatchObject({
      kind: 'never-banned',
    })
    await bans.ban({ range: '198.51.0.0/16', reason: 'x', forMs: minuteMs })
    await bans.ban({ address: '2001:db8:5::6', reason: 'x', forMs: minuteMs })
    const at = new Date().toISOString()
    const row = { kind: 'range', reason: 'x', origin: 'manual', madeAt: at, changedAt: at }
    await server.server
      .unscoped('a row by hand')
      .insertInto('holdfast_bans')
      .values([
        { ...row, id: 'hand-1', openKey: 'network 127.0.0.0/8', target: '127.0.0.0/8' },
        { ...row, id: 'hand-2', openKey: 'network 192.0.2.0/24', target: '192.0.2.0/24' },
      ])
      .execute()
    await expect.poll(() => status('192.0.2.77'), { timeout: 2_000 }).toBe(429)
    expect((await send(server, {})).status).toBe(200)
    expect([await status('198.51.100.7'), await status('198.51.99.1')]).toEqual([200, 429])
    expect([await status('2001:db8:5::5'), await status('2001:db8:5::7')]).toEqual([200, 429])
  })
})

describe('without a proxy', () => {
  it('V4.1.3 V15.3.4 a forged field neither evades a ban nor frames somebody else', async () => {
    const server = await startNotes()
    const { bans } = server.server
    await bans.ban({ address: '127.0.0.2', reason: 'x', forMs: minuteMs })
    for (const headers of [{}, by('192.0.2.1'), by('127.0.0.3'), { ...by(''), forwarded: 'for=192.0.2.1' }])
      expect((await send(server, { from: '127.0.0.2', headers })).status).toBe(429)
    expect((await send(server, { from: '127.0.0.3', headers: by('127.0.0.2') })).status).toBe(200)
    await server.stop()
  })
})

describe('limits', () => {
  it('V2.4.1 are not taken from by whoever is banned', async () => {
    const limits = { ...vocabulary.limits, probe: per('hour', 3) }
    const app = createApp({ title: 'Notes', vocabulary: { ...vocabulary, limits }, routes: [], migrations })
    const server = await startNotes(app)
    const codes = async (count: number) => {
      const found: unknown[] = []
      for (let index = 0; index < count; index += 1) {
        const { status, body } = await send(server, { from: '127.0.0.2' })
        found.push(status === 429 ? memberOf(JSON.parse(body), 'type') === type : status)
      }
      return found
    }
    await server.server.bans.ban({ address: '127.0.0.2', reason: 'x', forMs: minuteMs })
    expect(await codes(5)).toEqual([true, true, true, true, true])
    await server.server.bans.lift({ address: '127.0.0.2' })
    expect(await codes(4)).toEqual([200, 200, 200, false])
    await server.stop()
  })
})

describe('a banned account', () => {
  it('V2.4.1 V8.2.4 is refused with its token, from wherever; others and strangers are not', async () => {
    const server = await startNotes()
    const [ann, ben] = [server.person('ann'), server.person('ben')]
    const noteId = await ann.note('before')
    await server.server.bans.ban({ account: ann.id, reason: 'spam', forMs: minuteMs })
    const refused = await ann.ask('GET', `/api/notes/${noteId}`)
    expect([refused.status, refused.text('type')]).toEqual([429, type])
    expect(Number(refused.header('retry-after'))).toBeLessThanOrEqual(60)
    expect((await ben.ask('GET', '/api/notes')).status).toBe(200)
    expect((await server.ask('GET', '/api/notes')).status).toBe(401)
    await server.server.bans.lift({ account: ann.id })
    expect((await ann.ask('GET', `/api/notes/${noteId}`)).status).toBe(200)
    await server.stop()
  })

  it('V6.3.1 logs in like any other, so that nobody learns of the ban without the password, and gets no further', async () => {
    const server = await startAccounts('sqlite')
    const ann = await enter(server, 'ann@example.com')
    const me = await server.ask('GET', '/api/users/me', { headers: ann.as })
    await server.server.bans.ban({ account: me.text('id'), reason: 'x', forMs: minuteMs })
    const logIn = (password: string) =>
      server.ask('POST', '/api/auth/login', { body: { email: 'ann@example.com', password } })
    expect((await logIn('not the right password')).status).toBe(401)
    const again = await logIn(goodPassword)
    expect(again.status).toBe(200)
    const headers = { authorization: `Bearer ${again.text('accessToken')}` }
    for (const path of ['/api/users/me', '/api/notes'])
      expect((await server.ask('GET', path, { headers })).status).toBe(429)
    await server.stop()
  })
})

it('V16.2.1 V16.3.3 bans stand in the log as security events, the refused as requests', async () => {
  const server = await startNotes()
  const { id } = await server.server.bans.ban({ address: '127.0.0.2', reason: 'x', actorId: 'eve' })
  await send(server, { from: '127.0.0.2' })
  const lines: unknown[] = server.lines.map((line) => JSON.parse(line))
  expect(lines).toContainEqual(
    expect.objectContaining({
      event: 'authz_change',
      actorId: 'eve',
      details: expect.objectContaining({ to: 'banned', banId: id, target: '127.0.0.2' }),
    }),
  )
  expect(lines).toContainEqual(
    expect.objectContaining({ problem: 'ABNORMAL_USAGE', reason: 'banned', clientAddress: '127.0.0.2' }),
  )
  await server.stop()
})
