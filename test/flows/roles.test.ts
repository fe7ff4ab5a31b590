import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import example from '../../examples/notes/app.ts'
import { orderAccount, revokeSessions } from '../../src/users/index.ts'
import { enter, goodPassword, type LoggedIn, logIn, startAccounts } from '../kit/accounts.ts'
import { memberOf } from '../kit/client.ts'
import { engineKinds } from '../kit/databases.ts'
import type { NotesServer } from '../kit/notes-server.ts'

describe.each(engineKinds)('roles over HTTP, on %s', (engine) => {
  let notes: NotesServer
  let chief: LoggedIn
  let chiefId: string
  beforeAll(async () => {
    notes = await startAccounts(engine)
    const link = await notes.server.firstAdministratorLink()
    const token = link?.split('#token=')[1]
    const body = { token, email: 'chief@example.com', password: goodPassword, name: 'Chief' }
    const made = await notes.ask('POST', '/api/auth/setup', { body })
    expect(made.status).toBe(204)
    chief = await logIn(notes, 'chief@example.com')
    chiefId = await idOf(chief)
  })
  afterAll(() => notes.stop())

  async function idOf({ as }: LoggedIn): Promise<string> {
    return (await notes.ask('GET', '/api/users/me', { headers: as })).text('id')
  }

  async function order(by: LoggedIn, id: string, body: object): Promise<number> {
    const asking = { headers: by.as, body: { ...body, reason: 'a test' } }
    const reply = await notes.ask('PATCH', `/api/admin/users/${id}`, asking)
    return reply.status
  }

  it('V6.3.2 makes the first administrator once, by the link alone', async () => {
    expect(await notes.server.firstAdministratorLink()).toBeNull()
    for (const token of ['x', 'a'.repeat(43)]) {
      const body = { token, email: 'other@example.com', password: goodPassword }
      expect((await notes.ask('POST', '/api/auth/setup', { body })).status).toBe(400)
    }
    const me = await notes.ask('GET', '/api/users/me', { headers: chief.as })
    expect(me.json).toMatchObject({ roles: ['admin'] })
  })

  it('V8.2.1 lets administrators alone see and change accounts', async () => {
    const ann = await enter(notes, 'ann@example.com')
    const annId = await idOf(ann)
    for (const [method, path, body] of [
      ['GET', '/api/admin/users', undefined],
      ['GET', `/api/admin/users/${annId}`, undefined],
      ['PATCH', `/api/admin/users/${annId}`, { roles: ['admin'], reason: 'a test' }],
      ['POST', `/api/admin/users/${annId}/revoke-sessions`, { reason: 'a test' }],
    ] as const) {
      const asking = body === undefined ? {} : { body }
      expect((await notes.ask(method, path, { headers: ann.as, ...asking })).status, path).toBe(403)
      expect((await notes.ask(method, path, asking)).status, path).toBe(401)
    }
  })

  it('V8.3.2 a new role acts at once, and so does its loss', async () => {
    const ben = await enter(notes, 'ben@example.com')
    const id = await idOf(ben)
    expect(await order(chief, id, { roles: ['admin'] })).toBe(200)
    // The token of before is dead; the session goes on with the role.
    expect((await notes.ask('GET', '/api/users/me', { headers: ben.as })).status).toBe(401)
    const { refreshToken } = ben
    const refreshed = await notes.ask('POST', '/api/auth/refresh', { body: { refreshToken } })
    const as = { authorization: `Bearer ${refreshed.text('accessToken')}` }
    expect((await notes.ask('GET', '/api/admin/users', { headers: as })).status).toBe(200)
    expect(await order(chief, id, { roles: [] })).toBe(200)
    expect((await notes.ask('GET', '/api/admin/users', { headers: as })).status).toBe(401)
  })

  it('V8.1.3 nobody changes their own roles, and the last administrator stays', async () => {
    expect(await order(chief, chiefId, { roles: [] })).toBe(403)
    expect(await order(chief, chiefId, { disabled: true })).toBe(403)
    expect((await notes.ask('DELETE', '/api/users/me', { headers: chief.as })).status).toBe(409)
    const cay = await enter(notes, 'cay@example.com')
    const id = await idOf(cay)
    expect(await order(chief, id, { roles: ['nothing-like-it'] })).toBe(400)
    expect(await order(chief, '019a0000-0000-7000-8000-000000000000', { roles: [] })).toBe(404)
  })

  it('V8.3.2 an order counts for what its giver is when it is carried out', async () => {
    const joy = await idOf(await enter(notes, 'joy@example.com'))
    const kim = await idOf(await enter(notes, 'kim@example.com'))
    const { settings } = notes.server
    const environment = {
      NODE_ENV: 'test',
      HOLDFAST_DATA_DIR: settings.dataDir,
      ...(settings.database.kind === 'postgres' ? { DATABASE_URL: settings.database.url.reveal() } : {}),
    }
    // As when the role went while the request was on its way: nobody who asks over HTTP gets here without it.
    const actor = { kind: 'administrator', id: joy } as const
    const from = { address: '192.0.2.1', userAgent: '', device: undefined, requestId: 'late' }
    await example.accounts({ environment }, async (parts) => {
      const late = [
        orderAccount(parts, { actor, userId: kim, order: { roles: ['admin'] } }, from),
        orderAccount(parts, { actor, userId: kim, order: { disabled: true } }, from),
        revokeSessions(parts, { actor, userId: kim, reason: 'late' }, from),
      ]
      for (const one of await Promise.allSettled(late))
        expect(one).toMatchObject({ status: 'rejected', reason: { code: 'FORBIDDEN' } })
    })
    expect((await notes.ask('GET', `/api/admin/users/${kim}`, { headers: chief.as })).json).toMatchObject({
      roles: [],
      disabled: false,
    })
  })

  it('V2.3.4 two administrators who remove one another at once leave one', async () => {
    const dee = await enter(notes, 'dee@example.com')
    const id = await idOf(dee)
    expect(await order(chief, id, { roles: ['admin'] })).toBe(200)
    const admin = await logIn(notes, 'dee@example.com')
    const outcomes = await Promise.all([
      order(chief, id, { roles: [] }),
      order(admin, chiefId, { roles: [] }),
    ])
    expect(outcomes.filter((status) => status === 200)).toHaveLength(1)
    const again = outcomes[0] === 200 ? chief : await logIn(notes, 'dee@example.com')
    const list = await notes.ask('GET', '/api/admin/users?role=admin', { headers: again.as })
    const items = memberOf(list.json, 'items')
    expect(Array.isArray(items) && items.length).toBe(1)
    if (again !== chief) {
      expect(await order(again, chiefId, { roles: ['admin'] })).toBe(200)
      chief = await logIn(notes, 'chief@example.com')
    }
  })

  it('V7.4.2 a disabled account is out at once, and back when it is enabled', async () => {
    const eve = await enter(notes, 'eve@example.com')
    const id = await idOf(eve)
    expect(await order(chief, id, { disabled: true })).toBe(200)
    expect((await notes.ask('GET', '/api/users/me', { headers: eve.as })).status).toBe(401)
    const { refreshToken } = eve
    expect((await notes.ask('POST', '/api/auth/refresh', { body: { refreshToken } })).status).toBe(401)
    await expect(logIn(notes, 'eve@example.com')).rejects.toThrow('401')
    expect(await order(chief, id, { disabled: false })).toBe(200)
    await logIn(notes, 'eve@example.com')
    const path = `/api/admin/users/${id}/revoke-sessions`
    const fresh = await logIn(notes, 'eve@example.com')
    const asking = { headers: chief.as, body: { reason: 'a test' } }
    expect((await notes.ask('POST', path, asking)).status).toBe(204)
    expect((await notes.ask('GET', '/api/users/me', { headers: fresh.as })).status).toBe(401)
  })

  it('V15.3.1 lists accounts by page, search and role, and never a hash', async () => {
    const pages: string[] = []
    let cursor = ''
    do {
      const page = await notes.ask('GET', `/api/admin/users?limit=2${cursor}`, { headers: chief.as })
      expect(page.content).not.toMatch(/argon2|passwordHash/i)
      const items = memberOf(page.json, 'items')
      if (Array.isArray(items)) pages.push(...items.map((item) => String(memberOf(item, 'email'))))
      const next = memberOf(page.json, 'nextCursor')
      cursor = typeof next === 'string' ? `&cursor=${encodeURIComponent(next)}` : ''
    } while (cursor !== '')
    expect(new Set(pages).size).toBe(pages.length)
    expect(pages).toContain('chief@example.com')
    const search = async (text: string): Promise<number> => {
      const query = `search=${encodeURIComponent(text)}`
      const found = await notes.ask('GET', `/api/admin/users?${query}`, { headers: chief.as })
      const items = memberOf(found.json, 'items')
      return Array.isArray(items) ? items.length : -1
    }
    expect(await search('CHIEF@')).toBe(1)
    // Signs that are patterns elsewhere look for themselves.
    for (const text of ['%', '_', '\\', "' or 1=1 --", '*']) expect(await search(text), text).toBe(0)
  })
})
