import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { enter, type LoggedIn, logIn, startAccounts } from '../kit/accounts.ts'
import { memberOf } from '../kit/client.ts'
import { engineKinds } from '../kit/databases.ts'
import type { NotesServer } from '../kit/notes-server.ts'

const reason = 'seen in a test'

describe.each(engineKinds)('what operators see and do, on %s', (engine) => {
  let notes: NotesServer
  let chief: LoggedIn
  let ann: LoggedIn

  beforeAll(async () => {
    notes = await startAccounts(engine)
    const password = 'violet anchors hum softly'
    await notes.server.createAccount({ email: 'chief@example.com', password, roles: ['admin'] })
    chief = await logIn(notes, 'chief@example.com', password)
    ann = await enter(notes, 'ann@example.com')
  })
  afterAll(() => notes.stop())

  const get = (path: string, by = chief) => notes.ask('GET', path, { headers: by.as })
  const post = (path: string, body: unknown, by = chief) => notes.ask('POST', path, { headers: by.as, body })
  const itemsOf = (json: unknown): readonly unknown[] => {
    const items = memberOf(json, 'items')
    return Array.isArray(items) ? items : []
  }

  it('V8.2.1 is for administrators alone', async () => {
    const reads = ['bans', 'sessions', 'posture']
    const writes = ['bans', `bans/${crypto.randomUUID()}/lift`, `sessions/${crypto.randomUUID()}/revoke`]
    for (const name of reads) {
      expect((await get(`/api/admin/${name}`, ann)).status, name).toBe(403)
      expect((await notes.ask('GET', `/api/admin/${name}`)).status, name).toBe(401)
    }
    for (const name of writes)
      expect((await post(`/api/admin/${name}`, { reason }, ann)).status, name).toBe(403)
  })

  it('V16.2.1 refuses a change without a reason', async () => {
    const target = { kind: 'address', target: '203.0.113.77' }
    for (const bad of [undefined, '', '  x ', 'two\nlines', 'a'.repeat(501)]) {
      const reply = await post('/api/admin/bans', {
        ...target,
        ...(bad === undefined ? {} : { reason: bad }),
      })
      expect(reply.status, JSON.stringify(bad)).toBe(400)
    }
    expect(itemsOf((await get('/api/admin/bans')).json)).toEqual([])
  })

  it('V2.4.1 bans, shows and lifts', async () => {
    const made = await post('/api/admin/bans', {
      kind: 'address',
      target: '203.0.113.8',
      reason,
      forSeconds: 600,
    })
    expect(made.status).toBe(201)
    expect(made.json).toMatchObject({ target: '203.0.113.8', origin: 'manual', reason })
    const banned = { headers: { 'x-forwarded-for': '203.0.113.8' } }
    await expect.poll(async () => (await notes.ask('GET', '/health/live', banned)).status).toBe(429)
    expect(itemsOf((await get('/api/admin/bans')).json)).toHaveLength(1)
    const lifted = await post(`/api/admin/bans/${made.text('id')}/lift`, { reason: 'a mistake' })
    expect(lifted.status).toBe(200)
    await expect.poll(async () => (await notes.ask('GET', '/health/live', banned)).status).toBe(200)
    expect((await post(`/api/admin/bans/${made.text('id')}/lift`, { reason })).status).toBe(404)
    expect(itemsOf((await get('/api/admin/bans?state=all')).json)).toHaveLength(1)
  })

  it('says what is wrong with a ban, and bans nobody', async () => {
    for (const [kind, target, status] of [
      ['address', 'nonsense', 400],
      ['range', '0.0.0.0/0', 409],
      ['address', '127.0.0.1', 409],
      ['address', '203.0.113.0/24', 400],
    ] as const)
      expect((await post('/api/admin/bans', { kind, target, reason })).status, target).toBe(status)
    expect(itemsOf((await get('/api/admin/bans')).json)).toEqual([])
  })

  it('V7.4.5 shows sessions, and ends one', async () => {
    const me = (await get('/api/users/me', ann)).text('id')
    const other = await logIn(notes, 'ann@example.com')
    const found = itemsOf((await get(`/api/admin/sessions?user=${me}`)).json)
    expect(found).toHaveLength(2)
    expect(itemsOf((await get('/api/admin/sessions?limit=1')).json)).toHaveLength(1)
    const [newest] = found
    const ended = await post(`/api/admin/sessions/${String(memberOf(newest, 'id'))}/revoke`, { reason })
    expect(ended.status).toBe(204)
    expect((await get('/api/users/me', other)).status).toBe(401)
    expect((await get('/api/users/me', ann)).status).toBe(200)
    expect(itemsOf((await get(`/api/admin/sessions?user=${me}`)).json)).toHaveLength(1)
    const again = await post(`/api/admin/sessions/${String(memberOf(newest, 'id'))}/revoke`, { reason })
    expect(again.status).toBe(404)
  })

  it('V13.4.2 says how it runs, and no secret of it', async () => {
    const { status, json, content } = await get('/api/admin/posture')
    expect(status).toBe(200)
    expect(json).toMatchObject({ mode: 'test', isHttps: false, database: engine, administratorCount: 1 })
    expect(Array.isArray(memberOf(json, 'openRoutes'))).toBe(true)
    const { settings } = notes.server
    expect(content).not.toContain(settings.secret.reveal().toString('base64'))
    if (settings.database.kind === 'postgres') expect(content).not.toContain('postgres://')
  })
})
