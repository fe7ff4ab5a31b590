import { request as httpRequest } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { enter, goodPassword, type LoggedIn, logIn, startAccounts } from '../kit/accounts.ts'
import { memberOf } from '../kit/client.ts'
import { engineKinds } from '../kit/databases.ts'
import type { NotesServer } from '../kit/notes-server.ts'

interface Told {
  readonly id: string | null
  readonly event: unknown
}

/** A reader of the stream, as a browser is one. */
class StreamReader {
  readonly told: Told[] = []
  lastId: string | null = null
  isOver = false
  readonly #close: () => void

  constructor(address: string, headers: Readonly<Record<string, string>>, query = '') {
    let rest = ''
    const asked = httpRequest(`${address}/api/admin/events/stream${query}`, { headers }, (reply) => {
      reply.setEncoding('utf8')
      reply.on('data', (text: string) => {
        const blocks = (rest + text).split('\n\n')
        rest = blocks.pop() ?? ''
        for (const block of blocks) this.#take(block)
      })
      reply.on('close', () => {
        this.isOver = true
      })
    })
    asked.on('error', () => {
      this.isOver = true
    })
    asked.end()
    this.#close = () => asked.destroy()
  }

  names(): readonly unknown[] {
    return this.told.map(({ event }) => memberOf(event, 'event'))
  }

  close(): void {
    this.#close()
  }

  #take(block: string): void {
    const fields = new Map(
      block.split('\n').map((line): [string, string] => {
        const at = line.indexOf(': ')
        return [line.slice(0, at), line.slice(at + 2)]
      }),
    )
    const id = fields.get('id') ?? null
    this.lastId = id ?? this.lastId
    const data = fields.get('data')
    if (data !== undefined) this.told.push({ id, event: JSON.parse(data) })
  }
}

const soon = { timeout: 10_000 }

describe.each(engineKinds)('the audit trail over HTTP, on %s', (engine) => {
  let notes: NotesServer
  let chief: LoggedIn

  beforeAll(async () => {
    notes = await startAccounts(engine)
    await notes.server.createAccount({ email: 'chief@example.com', password: goodPassword, roles: ['admin'] })
    chief = await logIn(notes, 'chief@example.com')
  })
  afterAll(() => notes.stop())

  const get = (path: string, by = chief) => notes.ask('GET', path, { headers: by.as })
  const eventsAt = async (query: string): Promise<readonly unknown[]> => {
    const { json } = await get(`/api/admin/events?${query}`)
    const items = memberOf(json, 'items')
    return Array.isArray(items) ? items : []
  }
  const wrongPassword = (email: string) =>
    notes.ask('POST', '/api/auth/login', { body: { email, password: 'not the right one' } })

  it('V8.2.1 V16.4.2 is for administrators alone', async () => {
    const ann = await enter(notes, 'ann@example.com')
    for (const path of ['/api/admin/events', '/api/admin/events/stream']) {
      expect((await get(path, ann)).status, path).toBe(403)
      expect((await notes.ask('GET', path)).status, path).toBe(401)
    }
  })

  it('V16.2.1 V16.3.1 says who, from where, for what and when, by every filter', async () => {
    const ben = await enter(notes, 'ben@example.com')
    const benId = (await get('/api/users/me', ben)).text('id')
    await wrongPassword('ben@example.com')
    await expect.poll(() => eventsAt(`user=${benId}&event=authn_login_fail`), soon).toHaveLength(1)
    const [failure] = await eventsAt(`user=${benId}&event=authn_login_fail`)
    expect(failure).toMatchObject({
      level: 'warn',
      outcome: 'failure',
      userId: benId,
      route: 'POST /api/auth/login',
      address: expect.stringMatching(/^10\./),
      requestId: expect.any(String),
    })
    const address = String(memberOf(failure, 'address'))
    const filters = [`address=${address}`, 'route=POST%20/api/auth/login', 'level=warn', `user=${benId}`]
    for (const filter of filters)
      expect(
        (await eventsAt(filter)).map((one) => memberOf(one, 'id')),
        filter,
      ).toContain(memberOf(failure, 'id'))
    const at = Date.parse(String(memberOf(failure, 'at')))
    const around = [new Date(at).toISOString(), new Date(at + 1).toISOString()]
    expect(await eventsAt(`since=${around[0]}&until=${around[1]}&event=authn_login_fail`)).toHaveLength(1)
    expect(await eventsAt(`until=${around[0]}&event=authn_login_fail&user=${benId}`)).toHaveLength(0)
    const session = (await eventsAt(`user=${benId}&event=session_created`)).map((one) =>
      memberOf(one, 'sessionId'),
    )
    expect(await eventsAt(`session=${String(session[0])}`)).not.toHaveLength(0)
  })

  it('V16.2.5 holds no password, token or address of mail', async () => {
    const { content } = await get('/api/admin/events?limit=100')
    for (const secret of [
      goodPassword,
      'not the right one',
      chief.accessToken,
      chief.refreshToken,
      'ben@example.com',
    ])
      expect(content).not.toContain(secret)
  })

  it('V2.2.1 refuses what is no filter, and a cursor of somebody else', async () => {
    for (const query of ['event=nonsense', 'limit=101', 'level=high', 'since=yesterday', 'cursor=abc', 'x=1'])
      expect((await get(`/api/admin/events?${query}`)).status, query).toBe(400)
    for (const query of ['?event=nonsense', '?x=1', '?event=user_created&event=user_updated'])
      expect((await get(`/api/admin/events/stream${query}`)).status, query).toBe(400)
    const headers = { ...chief.as, 'last-event-id': 'nonsense' }
    expect((await notes.ask('GET', '/api/admin/events/stream', { headers })).status).toBe(400)
  })

  it('pages from the newest to the oldest, each once', async () => {
    const seen: unknown[] = []
    let cursor = ''
    do {
      const { json } = await get(`/api/admin/events?limit=7${cursor}`)
      const items = memberOf(json, 'items')
      seen.push(...(Array.isArray(items) ? items.map((one) => memberOf(one, 'id')) : []))
      const next = memberOf(json, 'nextCursor')
      cursor = typeof next === 'string' ? `&cursor=${next}` : ''
    } while (cursor !== '')
    expect(new Set(seen).size).toBe(seen.length)
    expect(seen.map(String)).toEqual(seen.map(String).toSorted().reverse())
    expect(seen.length).toBeGreaterThan(10)
  })

  it('tells of events as they come, and misses none that came while its reader was away', async () => {
    const first = new StreamReader(notes.address, chief.as)
    await expect.poll(() => first.lastId, soon).not.toBeNull()
    await wrongPassword('nobody@example.com')
    await expect.poll(() => first.names(), soon).toContain('authn_login_fail')
    const { lastId } = first
    first.close()
    await wrongPassword('nobody2@example.com')
    notes.server.events.emit({ event: 'app_while_away', details: { n: 1 } })
    const second = new StreamReader(notes.address, { ...chief.as, 'last-event-id': String(lastId) })
    await expect.poll(() => second.names(), soon).toContain('app_while_away')
    expect(second.names()).toContain('authn_login_fail')
    const ids = second.told.map(({ event }) => memberOf(event, 'id'))
    const before = first.told.map(({ event }) => memberOf(event, 'id'))
    expect(ids.filter((id) => before.includes(id))).toEqual([])
    second.close()
  })

  it('tells of one kind of event alone where it is asked to', async () => {
    const reader = new StreamReader(notes.address, chief.as, '?event=app_wanted')
    await expect.poll(() => reader.lastId, soon).not.toBeNull()
    notes.server.events.emit({ event: 'app_other' })
    notes.server.events.emit({ event: 'app_wanted' })
    await expect.poll(() => reader.names(), soon).toEqual(['app_wanted'])
    reader.close()
  })

  it('V16.4.3 each checkpoint is in the log as well: a copy outside of the database', async () => {
    const db = notes.server.unscoped('a test reads the checkpoints')
    const rows = await db.selectFrom('holdfast_event_checkpoints').select('hash').execute()
    const lines = notes.lines.map((line): unknown => JSON.parse(line))
    const reached = lines.map((line) => String(memberOf(line, 'reached')).replaceAll(' ', ''))
    const known = rows.map(({ hash }) => String(hash))
    expect(reached.some((hash) => known.includes(hash))).toBe(true)
  })

  it('V16.4.2 is whole', async () => {
    expect((await notes.server.events.verify()).findings).toEqual([])
  })
})

it('V7.4.1 ends its streams when the server stops', async () => {
  const notes = await startAccounts('sqlite')
  await notes.server.createAccount({ email: 'chief@example.com', password: goodPassword, roles: ['admin'] })
  const chief = await logIn(notes, 'chief@example.com')
  const reader = new StreamReader(notes.address, chief.as)
  await expect.poll(() => reader.lastId, soon).not.toBeNull()
  await notes.stop()
  await expect.poll(() => reader.isOver, soon).toBe(true)
})
