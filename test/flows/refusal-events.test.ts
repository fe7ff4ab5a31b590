import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { memberOf } from '../kit/client.ts'
import { type NotesServer, type Person, startNotes } from '../kit/notes-server.ts'

describe('refusals that are security events', () => {
  let notes: NotesServer
  let ann: Person

  beforeAll(async () => {
    notes = await startNotes()
    ann = notes.person('ann')
  })
  afterAll(() => notes.stop())

  /** The event of a name that tells of a route, once it is there. */
  const eventAt = async (name: string, route: string): Promise<unknown> => {
    const find = () =>
      notes.lines
        .map((line): unknown => JSON.parse(line))
        .find((line) => memberOf(line, 'event') === name && memberOf(line, 'route') === route)
    await expect.poll(find, { timeout: 10_000 }).toBeDefined()
    return find()
  }

  it('V16.3.3 input that does not fit', async () => {
    await ann.ask('POST', '/api/notes', { body: { title: 7, secretWord: 'canary' } })
    const event = await eventAt('input_validation_fail', 'POST /api/notes')
    expect(event).toMatchObject({
      userId: ann.id,
      outcome: 'failure',
      details: { problem: 'VALIDATION_FAILED' },
    })
    expect(JSON.stringify(event)).not.toContain('canary')
  })

  it('V16.3.2 a caller without the role', async () => {
    expect((await ann.ask('GET', '/api/admin/users')).status).toBe(403)
    expect(await eventAt('authz_fail', 'GET /api/admin/users')).toMatchObject({
      userId: ann.id,
      address: '127.0.0.1',
    })
  })

  it('V16.3.3 a request that another site makes a browser send', async () => {
    const headers = { cookie: 'a=b', 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }
    expect((await notes.ask('POST', '/api/notes', { headers, body: {} })).status).toBe(403)
    expect(await eventAt('malicious_csrf', 'POST /api/notes')).toMatchObject({ userId: null })
  })

  it('V16.3.3 a preflight of an origin that nobody has allowed', async () => {
    const headers = { origin: 'https://evil.example', 'access-control-request-method': 'GET' }
    await notes.ask('OPTIONS', '/api/notes', { headers })
    const line = () => notes.lines.find((one) => one.includes('"malicious_cors"'))
    await expect.poll(line, { timeout: 10_000 }).toBeDefined()
    expect(line()).not.toContain('evil.example')
  })
})
