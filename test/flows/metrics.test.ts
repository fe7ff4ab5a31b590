import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { enter, goodPassword, type LoggedIn, logIn } from '../kit/accounts.ts'
import { memberOf } from '../kit/client.ts'
import { type NotesServer, startNotes } from '../kit/notes-server.ts'

const token = 'f3a9c07d51e84b26f3a9c07d51e84b26'

describe('metrics over HTTP', () => {
  let notes: NotesServer
  let chief: LoggedIn
  let ann: LoggedIn

  beforeAll(async () => {
    notes = await startNotes(undefined, 'sqlite', null, { METRICS_TOKEN: token })
    await notes.server.createAccount({ email: 'chief@example.com', password: goodPassword, roles: ['admin'] })
    chief = await logIn(notes, 'chief@example.com')
    ann = await enter(notes, 'ann@example.com')
  })
  afterAll(() => notes.stop())

  const scrape = (path: string, headers: Readonly<Record<string, string>>) =>
    notes.ask('GET', path, { headers })
  const scraper = { authorization: `Bearer ${token}` }

  it('V13.4.5 is for administrators and for whoever has the token', async () => {
    for (const path of ['/metrics', '/metrics/security']) {
      expect((await scrape(path, {})).status, path).toBe(401)
      expect((await scrape(path, { authorization: `Bearer ${token}x` })).status, path).toBe(401)
      expect((await scrape(path, ann.as)).status, path).toBe(403)
      expect((await scrape(path, chief.as)).status, path).toBe(200)
      expect((await scrape(path, scraper)).status, path).toBe(200)
    }
  })

  it('V8.2.1 the token opens nothing else', async () => {
    for (const path of [
      '/api/notes',
      '/api/users/me',
      '/api/admin/users',
      '/api/admin/events',
      '/api/admin/posture',
    ])
      expect((await scrape(path, scraper)).status, path).toBe(401)
  })

  it('counts requests by route, log-ins and events, and names nobody', async () => {
    await notes.ask('POST', '/api/auth/login', {
      body: { email: 'ann@example.com', password: 'not the right one' },
    })
    await notes.ask('GET', '/no/such/place')
    const read = async () => (await scrape('/metrics', scraper)).content
    await expect
      .poll(read, { timeout: 10_000 })
      .toMatch(/holdfast_security_events_total\{event="authn_login_fail"\} 1/)
    const text = await read()
    expect(text).toMatch(/holdfast_http_requests_total\{.*route="\/api\/auth\/login".*\} \d/)
    expect(text).toMatch(/route="unmatched"/)
    for (const secret of ['ann@example.com', token, goodPassword, '127.0.0.1', '/no/such/place'])
      expect(text).not.toContain(secret)
  })

  it('says the figures about security as JSON', async () => {
    const { json } = await scrape('/metrics/security', scraper)
    expect(Number(memberOf(json, 'uptimeSeconds'))).toBeGreaterThanOrEqual(0)
    expect(JSON.stringify(json)).not.toContain('ann@example.com')
  })

  it('reads every source there is', async () => {
    const text = (await scrape('/metrics', scraper)).content
    const sources = [...text.matchAll(/holdfast_metric_source_up\{source="(\w+)"\} (\d)/g)].map(
      ([, name, isUp]) => `${name} ${isUp}`,
    )
    expect(sources.toSorted()).toEqual(
      [
        'alerts',
        'bans',
        'database',
        'hashing',
        'keys',
        'load',
        'mail',
        'responses',
        'sessions',
        'sockets',
        'trail',
      ].map((name) => `${name} 1`),
    )
  })
})

it('V13.4.5 without a token, administrators alone may look', async () => {
  const notes = await startNotes()
  for (const authorization of ['Bearer ', 'Bearer null', 'Bearer undefined', `Bearer ${token}`])
    expect((await notes.ask('GET', '/metrics', { headers: { authorization } })).status).toBe(401)
  await notes.stop()
})
