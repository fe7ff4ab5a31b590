import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  enter,
  goodPassword,
  logIn,
  mailAbout,
  mailsOf,
  mailTo,
  makeAccount,
  startAccounts,
  tokenIn,
} from '../kit/accounts.ts'
import { memberOf } from '../kit/client.ts'
import { engineKinds } from '../kit/databases.ts'
import type { NotesServer } from '../kit/notes-server.ts'

describe.each(engineKinds)('accounts over HTTP, on %s', (engine) => {
  let notes: NotesServer
  beforeAll(async () => {
    notes = await startAccounts(engine)
  })
  afterAll(() => notes.stop())

  it('V6.1.1 lets somebody register, verify, log in, refresh, write a note and log out', async () => {
    const registered = await notes.ask('POST', '/api/auth/register', {
      body: { email: 'Ann@Example.com', password: goodPassword, name: 'Ann' },
    })
    expect(registered.status).toBe(202)
    expect(registered.json).toEqual({ status: 'accepted' })
    const early = { email: 'ann@example.com', password: goodPassword }
    expect((await notes.ask('POST', '/api/auth/login', { body: early })).status).toBe(401)
    const mail = await mailTo(notes, 'ann@example.com')
    const token = tokenIn(mail)
    expect(mail.links[0]).toBe(`${notes.address}/account/verify-email#token=${token}`)
    expect((await notes.ask('POST', '/api/auth/verify-email', { body: { token } })).status).toBe(204)
    const again = await notes.ask('POST', '/api/auth/verify-email', { body: { token } })
    expect(again.status).toBe(400)

    const ann = await logIn(notes, 'ann@example.com')
    const me = await notes.ask('GET', '/api/users/me', { headers: ann.as })
    expect(me.json).toMatchObject({ email: 'ann@example.com', name: 'Ann', roles: [] })
    const note = { title: 'a', body: 'b' }
    const made = await notes.ask('POST', '/api/notes', { headers: ann.as, body: note })
    expect(made.status).toBe(201)
    expect(made.text('ownerId')).toBe(me.text('id'))

    const { refreshToken } = ann
    const refreshed = await notes.ask('POST', '/api/auth/refresh', { body: { refreshToken } })
    expect(refreshed.status).toBe(200)
    expect(refreshed.text('refreshToken')).not.toBe(refreshToken)
    const as = { authorization: `Bearer ${refreshed.text('accessToken')}` }
    expect((await notes.ask('GET', '/api/notes', { headers: as })).status).toBe(200)
    expect((await notes.ask('POST', '/api/auth/logout', { headers: as })).status).toBe(204)
    for (const headers of [as, ann.as])
      expect((await notes.ask('GET', '/api/notes', { headers })).status).toBe(401)
    const dead = { refreshToken: refreshed.text('refreshToken') }
    expect((await notes.ask('POST', '/api/auth/refresh', { body: dead })).status).toBe(401)
  })

  it('V6.3.8 answers the same for known and unknown addresses', async () => {
    await makeAccount(notes, 'known@example.com')
    const differing = ['date', 'connection', 'keep-alive', 'ratelimit']
    const seen = async (path: string, body: unknown): Promise<unknown> => {
      const { status, headers, json } = await notes.ask('POST', path, { body })
      const rest = typeof json === 'object' && json !== null ? { ...json, instance: '' } : json
      return { status, rest, headers: [...headers].filter(([name]) => !differing.includes(name)) }
    }
    for (const [path, extra] of [
      ['/api/auth/register', { password: goodPassword }],
      ['/api/auth/login', { password: 'not the right one at all' }],
      ['/api/auth/password/forgot', {}],
    ] as const) {
      const known = await seen(path, { email: 'known@example.com', ...extra })
      const unknown = await seen(path, { email: 'nobody@example.com', ...extra })
      expect(known, path).toEqual(unknown)
    }
    await mailTo(notes, 'known@example.com', 3)
    const mails = (await mailsOf(notes)).filter(({ to }) => to === 'known@example.com')
    // To verify, to reset, and one that only tells of the second registration: mails go out in any order.
    const withToken = mails.filter(({ links }) => links.some((link) => link.includes('#token=')))
    expect([mails.length, withToken.length]).toEqual([3, 2])
  })

  it('V6.4.3 V7.4.3 resets a forgotten password once, and ends every session of before', async () => {
    const ben = await enter(notes, 'ben@example.com')
    await notes.ask('POST', '/api/auth/password/forgot', { body: { email: 'ben@example.com' } })
    const token = tokenIn(await mailTo(notes, 'ben@example.com', 2))
    const weak = await notes.ask('POST', '/api/auth/password/reset', { body: { token, password: 'short' } })
    expect(weak.status).toBe(400)
    const password = 'seven quiet herons wade'
    const body = { token, password }
    expect((await notes.ask('POST', '/api/auth/password/reset', { body })).status).toBe(204)
    expect((await notes.ask('POST', '/api/auth/password/reset', { body })).status).toBe(400)
    expect((await notes.ask('GET', '/api/users/me', { headers: ben.as })).status).toBe(401)
    const { refreshToken } = ben
    expect((await notes.ask('POST', '/api/auth/refresh', { body: { refreshToken } })).status).toBe(401)
    await expect(logIn(notes, 'ben@example.com')).rejects.toThrow('401')
    await logIn(notes, 'ben@example.com', password)
    await mailAbout(notes, 'ben@example.com', /password.*changed/i)
  })

  it('V6.2.3 changes a password against the old one', async () => {
    const cay = await enter(notes, 'cay@example.com')
    const change = async (currentPassword: string, newPassword: string) =>
      await notes.ask('POST', '/api/auth/password/change', {
        headers: cay.as,
        body: { currentPassword, newPassword },
      })
    expect((await change('wrong wrong wrong wrong', 'seven quiet herons wade')).status).toBe(401)
    expect((await change(goodPassword, 'cay@example.com')).status).toBe(400)
    expect((await change(goodPassword, 'seven quiet herons wade')).status).toBe(204)
    expect((await notes.ask('GET', '/api/users/me', { headers: cay.as })).status).toBe(401)
    await logIn(notes, 'cay@example.com', 'seven quiet herons wade')
  })

  it('V6.3.7 changes the address once the new one is verified, and tells the old one', async () => {
    const dee = await enter(notes, 'dee@example.com')
    const body = { email: 'dee.new@example.com', password: goodPassword }
    const asked = await notes.ask('POST', '/api/auth/email/change', { headers: dee.as, body })
    expect(asked.status).toBe(202)
    const token = tokenIn(await mailTo(notes, 'dee.new@example.com'))
    expect((await notes.ask('POST', '/api/auth/email/confirm', { body: { token } })).status).toBe(204)
    expect((await mailTo(notes, 'dee@example.com', 2)).links).toEqual([])
    await expect(logIn(notes, 'dee@example.com')).rejects.toThrow('401')
    await logIn(notes, 'dee.new@example.com')
    // To an address that somebody has: its owner is told, and nothing changes.
    const taken = { email: 'known@example.com', password: goodPassword }
    const again = await logIn(notes, 'dee.new@example.com')
    const other = await notes.ask('POST', '/api/auth/email/change', { headers: again.as, body: taken })
    expect(other.status).toBe(202)
    expect((await mailTo(notes, 'known@example.com', 4)).links.join()).not.toContain('#token=')
  })

  it('V7.5.2 lists sessions, and ends one of them but nobody else’s', async () => {
    const eve = await enter(notes, 'eve@example.com')
    const phone = await logIn(notes, 'eve@example.com')
    const fay = await enter(notes, 'fay@example.com')
    const list = await notes.ask('GET', '/api/auth/sessions', { headers: eve.as })
    const items = memberOf(list.json, 'items')
    expect(Array.isArray(items) && items.length).toBe(2)
    const other = Array.isArray(items) ? items.find((item) => memberOf(item, 'isCurrent') === false) : null
    const path = `/api/auth/sessions/${String(memberOf(other, 'id'))}`
    expect((await notes.ask('DELETE', path, { headers: fay.as })).status).toBe(404)
    expect((await notes.ask('GET', '/api/users/me', { headers: phone.as })).status).toBe(200)
    expect((await notes.ask('DELETE', path, { headers: eve.as })).status).toBe(204)
    expect((await notes.ask('GET', '/api/users/me', { headers: phone.as })).status).toBe(401)
    expect((await notes.ask('GET', '/api/users/me', { headers: eve.as })).status).toBe(200)
  })

  it('V14.2.7 exports and deletes an account with its rows', async () => {
    const gil = await enter(notes, 'gil@example.com')
    const note = { title: 'mine alone', body: 'b' }
    const made = await notes.ask('POST', '/api/notes', { headers: gil.as, body: note })
    const exported = await notes.ask('GET', '/api/users/me/export', { headers: gil.as })
    expect(exported.content).toContain('mine alone')
    expect(exported.content).not.toMatch(/\$argon2|passwordHash/)
    expect((await notes.ask('DELETE', '/api/users/me', { headers: gil.as })).status).toBe(204)
    expect((await notes.ask('GET', '/api/users/me', { headers: gil.as })).status).toBe(401)
    const { refreshToken } = gil
    expect((await notes.ask('POST', '/api/auth/refresh', { body: { refreshToken } })).status).toBe(401)
    await expect(logIn(notes, 'gil@example.com')).rejects.toThrow('401')
    const rows = await notes.server
      .unscoped('looks for what is left of a deleted account')
      .selectFrom('notes')
      .selectAll()
      .where('id', '=', made.text('id'))
      .execute()
    expect(rows).toEqual([])
  })

  it('V10.4.5 V16.3.3 tells of a refresh token that comes back, and ends its family', async () => {
    const first = await enter(notes, 'jim@example.com')
    const refresh = (refreshToken: string) =>
      notes.ask('POST', '/api/auth/refresh', { body: { refreshToken } })
    const second = (await refresh(first.refreshToken)).text('refreshToken')
    const third = (await refresh(second)).text('refreshToken')
    expect((await refresh(first.refreshToken)).status).toBe(401)
    expect((await refresh(third)).status).toBe(401)
    const reuses = notes.lines.filter((line) => line.includes('"authn_token_reuse"'))
    expect(reuses).toHaveLength(1)
  })

  it('V6.3.5 tells of a login on a new device, and not of one on a device that is known', async () => {
    const email = 'kit@example.com'
    await makeAccount(notes, email)
    const login = async (headers: Readonly<Record<string, string>>) => {
      const body = { email, password: goodPassword, transport: 'cookie' }
      const reply = await notes.ask('POST', '/api/auth/login', { body, headers })
      return /__Host-device=[^;]+/.exec(reply.headers.get('set-cookie') ?? '')?.[0] ?? ''
    }
    const device = await login({})
    await login({ cookie: device, 'sec-fetch-site': 'same-origin' })
    const phone = {
      'user-agent': 'Mozilla/5.0 (iPhone) AppleWebKit/605 Safari/604',
      'x-forwarded-for': '203.0.113.40',
    }
    await login(phone)
    // Known by its address, though it has kept no cookie.
    await login(phone)
    const mail = await mailAbout(notes, email, /new device/i)
    expect(mail.text).toContain('Safari on iPhone')
    const about = (await mailsOf(notes)).filter(({ to, subject }) => to === email && /device/i.test(subject))
    expect(about).toHaveLength(1)
  })

  it('V7.5.1 asks for the password again before it deletes an account, when it was given long ago', async () => {
    const ida = await enter(notes, 'ida@example.com')
    const me = await notes.ask('GET', '/api/users/me', { headers: ida.as })
    await notes.server
      .unscoped('the login was 16 minutes ago')
      .updateTable('holdfast_sessions')
      .set({ authTimeSeconds: Math.floor(Date.now() / 1000) - 16 * 60 })
      .where('userId', '=', me.text('id'))
      .execute()
    const { refreshToken } = ida
    const refreshed = await notes.ask('POST', '/api/auth/refresh', { body: { refreshToken } })
    const as = { authorization: `Bearer ${refreshed.text('accessToken')}` }
    // A refresh proves nothing about who sits there.
    const refused = await notes.ask('DELETE', '/api/users/me', { headers: as })
    expect(refused.status).toBe(401)
    expect(refused.header('www-authenticate')).toContain('insufficient_user_authentication')
    const body = { password: goodPassword }
    const again = await notes.ask('POST', '/api/auth/reauthenticate', { headers: as, body })
    const anew = { authorization: `Bearer ${again.text('accessToken')}` }
    expect((await notes.ask('DELETE', '/api/users/me', { headers: anew })).status).toBe(204)
  })

  it('V3.3.4 keeps tokens out of the body with cookies', async () => {
    await makeAccount(notes, 'hal@example.com')
    const reply = await notes.ask('POST', '/api/auth/login', {
      body: { email: 'hal@example.com', password: goodPassword, transport: 'cookie' },
    })
    expect(reply.json).toEqual({ status: 'authenticated', expiresIn: 600 })
    const cookies = reply.headers.getSetCookie()
    expect(cookies.map((cookie) => cookie.split('=')[0])).toEqual([
      '__Host-access',
      '__Host-refresh',
      '__Host-device',
    ])
    for (const cookie of cookies) expect(cookie).toMatch(/; Path=\/; HttpOnly; Secure; SameSite=Strict$/)
    const cookie = cookies.map((one) => one.split(';')[0]).join('; ')
    const same = { cookie, 'sec-fetch-site': 'same-origin' }
    expect((await notes.ask('GET', '/api/users/me', { headers: same })).status).toBe(200)
    const foreign = { cookie, 'sec-fetch-site': 'cross-site' }
    const logout = await notes.ask('POST', '/api/auth/logout', { headers: foreign })
    expect(logout.status).toBe(403)
    const refreshed = await notes.ask('POST', '/api/auth/refresh', { headers: same, body: {} })
    expect(refreshed.json).toEqual({ status: 'authenticated', expiresIn: 600 })
    expect(refreshed.headers.getSetCookie()).toHaveLength(2)
    // The cookie taken out of a browser and sent in a body is no token of that transport.
    const value = /__Host-refresh=([^;]+)/.exec(refreshed.headers.getSetCookie().join('; '))?.[1]
    const stolen = await notes.ask('POST', '/api/auth/refresh', { body: { refreshToken: value } })
    expect(stolen.status).toBe(401)
  })
})
