import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { enter, goodPassword, logIn, mailsOf, mailTo, startAccounts, tokenIn } from '../kit/accounts.ts'
import { memberOf } from '../kit/client.ts'
import type { NotesServer } from '../kit/notes-server.ts'

// What went wrong in the account systems of others, each tried here over HTTP.

let notes: NotesServer
beforeAll(async () => {
  notes = await startAccounts('sqlite')
}, 30_000)
afterAll(() => notes.stop())

function post(path: string, body: unknown, headers: Readonly<Record<string, string>> = {}) {
  return notes.ask('POST', path, { body, headers })
}

it('V15.3.3 nobody gives themselves more than they may by naming it (strapi 4.13.1, CVE-2025-64526)', async () => {
  const plain = { email: 'mallory@example.com', password: goodPassword }
  for (const extra of [
    { role: 'admin' },
    { roles: ['admin'] },
    { isAdministrator: 1 },
    { id: '01890000-0000-7000-8000-000000000001' },
    { version: 0 },
    { disabledAt: null },
    { passwordHash: 'x' },
    { createdAt: '2020-01-01T00:00:00Z' },
  ])
    expect((await post('/api/auth/register', { ...plain, ...extra })).status).toBe(400)
  const me = await enter(notes, 'nell@example.com')
  for (const extra of [{ roles: ['admin'] }, { email: 'eve@example.com' }, { version: 9 }]) {
    const patched = await notes.ask('PATCH', '/api/users/me', {
      body: { name: 'Nell', ...extra },
      headers: me.as,
    })
    expect(patched.status).toBe(400)
  }
  expect((await notes.ask('GET', '/api/users/me', { headers: me.as })).json).toMatchObject({
    email: 'nell@example.com',
    roles: [],
  })
})

it('V2.2.1 a text is a text: no object, list, number or null takes its place (CVE-2019-18818)', async () => {
  const { as, refreshToken } = await enter(notes, 'olga@example.com')
  const good: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
    '/api/auth/register': { email: 'x@example.com', password: goodPassword, name: 'X' },
    '/api/auth/login': { email: 'olga@example.com', password: goodPassword, transport: 'bearer' },
    '/api/auth/refresh': { refreshToken },
    '/api/auth/verify-email': { token: 'a'.repeat(43) },
    '/api/auth/password/forgot': { email: 'olga@example.com' },
    '/api/auth/password/reset': { token: 'a'.repeat(43), password: goodPassword },
    '/api/auth/password/change': { currentPassword: goodPassword, newPassword: goodPassword },
    '/api/auth/email/change': { email: 'y@example.com', password: goodPassword },
    '/api/auth/email/confirm': { token: 'a'.repeat(43) },
    '/api/auth/reauthenticate': { password: goodPassword },
    '/api/auth/setup': { token: 'a'.repeat(43), email: 'z@example.com', password: goodPassword },
  }
  for (const [path, body] of Object.entries(good))
    for (const name of Object.keys(body))
      for (const value of [{ $gt: '' }, ['a'], 7, true, null, { length: 43 }]) {
        const { status } = await post(path, { ...body, [name]: value }, as)
        expect({ path, name, value, status }).toEqual({ path, name, value, status: 400 })
      }
})

it('V6.3.8 no spelling of a path is another door (CVE-2023-38507)', async () => {
  const body = { email: 'olga@example.com', password: goodPassword }
  for (const path of [
    '/API/auth/login',
    '/api/auth/Login',
    '/api/auth/login/',
    '//api/auth/login',
    '/api//auth/login',
    '/api/auth/login;x',
    '/api/auth/../auth/login/.',
  ])
    expect([400, 404]).toContain((await post(path, body)).status)
  // An escaped letter is the letter (RFC 3986 §6.2.2.2): the same route, and the same limit of 60 in a minute.
  const headers = { 'x-forwarded-for': '203.0.113.77' }
  // All at once: one after the other they would be slowed down instead.
  const replies = await Promise.all(
    Array.from({ length: 120 }, (_, count) =>
      post(count % 2 === 0 ? '/api/auth/refresh' : '/api/auth/refres%68', { refreshToken: 'x' }, headers),
    ),
  )
  // Two doors would let all of them through; the limit refills one in a second.
  const admitted = replies.filter(({ status }) => status !== 429)
  expect(admitted.length).toBeGreaterThanOrEqual(60)
  expect(admitted.length).toBeLessThan(90)
})

it('V4.1.3 mails link to the configured origin, whatever a request says of itself (GHSA-2wmj-46rj-qm2w)', async () => {
  await enter(notes, 'pia@example.com')
  // The host check refuses another Host; forwarded names come from a trusted proxy here, and still make no link.
  const spoofed = { 'x-forwarded-host': 'evil.example', forwarded: 'host=evil.example' }
  await post('/api/auth/password/forgot', { email: 'pia@example.com' }, spoofed)
  const mail = await mailTo(notes, 'pia@example.com', 2)
  expect(mail.links.every((link) => link.startsWith(`${notes.address}/`))).toBe(true)
  expect(JSON.stringify(mail)).not.toContain('evil.example')
})

it('V2.4.1 nobody fills a mailbox, or uses up the mails that somebody needs', async () => {
  await enter(notes, 'uma@example.com')
  const ask = async (address: string): Promise<void> => {
    const headers = { 'x-forwarded-for': address }
    const { status } = await post('/api/auth/password/forgot', { email: 'uma@example.com' }, headers)
    expect(status).toBe(202)
  }
  const mailCount = async () => (await mailsOf(notes)).filter(({ to }) => to === 'uma@example.com').length
  for (let count = 0; count < 9; count += 1) await ask('198.51.100.7')
  // The first is the one of registering; five are all that one network can ask for.
  await mailTo(notes, 'uma@example.com', 6)
  await ask('203.0.113.5')
  await mailTo(notes, 'uma@example.com', 7)
  for (let network = 0; network < 20; network += 1) await ask(`198.51.101.${network}`)
  const waiting = async () =>
    (await notes.server.unscoped('what waits').selectFrom('holdfast_mail').select('id').execute()).length
  await expect.poll(waiting, { timeout: 10_000 }).toBe(0)
  expect(await mailCount()).toBe(20)
})

describe('V6.3.1 every way on which a password can be tried', () => {
  it('shares one counter (CVE-2026-9798, CVE-2026-16103)', { timeout: 30_000 }, async () => {
    const { as } = await enter(notes, 'quinn@example.com')
    const wrong = 'copper lanterns drift inland'
    const ways = [
      () => post('/api/auth/login', { email: 'quinn@example.com', password: wrong }),
      () => post('/api/auth/reauthenticate', { password: wrong }, as),
      () => post('/api/auth/password/change', { currentPassword: wrong, newPassword: `${wrong}!` }, as),
      () => post('/api/auth/email/change', { email: 'q2@example.com', password: wrong }, as),
    ]
    let tried = 0
    // Five go free, whichever way; from then on each way waits for the failures of the others.
    for (let turn = 0; tried < 9; turn += 1) {
      const way = ways[turn % ways.length]
      const answer = await way?.()
      if (answer?.status === 401) tried += 1
      else {
        expect(answer?.status).toBe(429)
        await delay(Number(answer?.header('retry-after')) * 1000 + 20)
      }
      if (tried === 8) break
    }
    for (const way of ways) expect((await way()).status).toBe(429)
    expect((await post('/api/auth/reauthenticate', { password: goodPassword }, as)).status).toBe(429)
  })
})

it('V16.2.5 V14.2.1 no secret of an account is in the log, in an address or in an error', async () => {
  const email = 'rita@example.com'
  const second = 'seven quiet orchards waiting'
  const first = await enter(notes, email)
  const refreshed = await post('/api/auth/refresh', { refreshToken: first.refreshToken })
  await post('/api/auth/password/forgot', { email })
  const token = tokenIn(await mailTo(notes, email, 2))
  const refused = [
    await post('/api/auth/password/reset', { token, password: 'short' }),
    await post('/api/auth/password/reset', { token: `${token.slice(0, 42)}-`, password: second }),
    await post('/api/auth/login', { email, password: `${goodPassword}?` }),
    await notes.ask('GET', '/api/users/me', { headers: { authorization: `Bearer ${first.accessToken}x` } }),
    await notes.ask('GET', '/api/users/me', { headers: { authorization: 'Bearer %' } }),
  ]
  expect((await post('/api/auth/password/reset', { token, password: second })).status).toBe(204)
  const again = await logIn(notes, email, second)
  const secrets = [
    goodPassword,
    second,
    first.accessToken,
    first.refreshToken,
    refreshed.text('accessToken'),
    refreshed.text('refreshToken'),
    again.accessToken,
    again.refreshToken,
    token,
    ...(await mailsOf(notes)).flatMap(({ links }) => links.flatMap((link) => link.split('#token=')[1] ?? [])),
  ]
  expect(notes.lines.length).toBeGreaterThan(10)
  for (const secret of secrets) {
    expect(notes.lines.filter((line) => line.includes(secret))).toEqual([])
    expect(refused.filter(({ content }) => content.includes(secret))).toEqual([])
  }
  for (const { status, json } of refused) {
    expect([400, 401]).toContain(status)
    expect(memberOf(json, 'instance')).toBeTypeOf('string')
  }
})

it('V6.3.1 wrong tokens are counted by the network too, and right ones are not', async () => {
  const reset = (body: unknown, address: string) =>
    post('/api/auth/password/reset', body, { 'x-forwarded-for': address })
  const wrong = { token: 'x'.repeat(43), password: goodPassword }
  // Thirty-six from each of three customers' subnets of one network: none of them is over its own limit.
  const replies = await Promise.all(
    Array.from({ length: 108 }, (_, count) => reset(wrong, `2001:db8:77:${count % 3}::1`)),
  )
  const refused = replies.filter(({ status }) => status === 429)
  expect(refused).toHaveLength(8)
  expect(refused[0]?.json).toMatchObject({ 'violated-policies': ['token-failed'] })
  expect((await reset(wrong, '2001:db8:78::1')).status).toBe(400)
  const right = await logIn(notes, 'nell@example.com')
  let refreshToken = right.refreshToken
  for (let count = 0; count < 3; count += 1) {
    const from = { 'x-forwarded-for': '2001:db8:79::1' }
    const renewed = await post('/api/auth/refresh', { refreshToken }, from)
    // Taken while it runs, and given back: the next one finds as much.
    expect(renewed.header('ratelimit')).toMatch(/"token-failed";r=99/)
    refreshToken = renewed.text('refreshToken')
  }
})
