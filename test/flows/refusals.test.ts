import { request } from 'node:http'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Answer, memberOf } from '../kit/client.ts'
import { type NotesServer, type Person, startNotes } from '../kit/notes-server.ts'

let notes: NotesServer
let ann: Person
let ben: Person
beforeEach(async () => {
  notes = await startNotes()
  ann = notes.person('ann')
  ben = notes.person('ben')
})
afterEach(() => notes.stop())

const missingId = '00000000-0000-7000-8000-000000000000'

describe('rows of others', () => {
  /** All of a reply that could tell two cases apart. */
  function visible({ status, headers, content }: Answer): unknown {
    const body: unknown = content === '' ? null : JSON.parse(content)
    const { instance, ...rest } = typeof body === 'object' && body !== null ? { instance: '', ...body } : {}
    const fields = [...headers].filter(([name]) => name !== 'date' && name !== 'ratelimit')
    return { status, fields, rest, hasInstance: typeof instance === 'string' && instance !== '' }
  }

  it('V8.2.2 cannot be told from rows that do not exist', async () => {
    const foreignId = await ann.note('secret')
    const share = `/shares/${ben.id}`
    const asked: readonly (readonly [string, string, unknown])[] = [
      ['GET', '', undefined],
      ['HEAD', '', undefined],
      ['PATCH', '', { title: 'mine' }],
      ['PATCH', '', { title: '' }],
      ['PATCH', '', { ownerId: ben.id }],
      ['DELETE', '', undefined],
      ['PUT', share, { permission: 'write' }],
      ['DELETE', share, undefined],
    ]
    const conditions: readonly Readonly<Record<string, string>>[] = [
      {},
      { 'if-match': '"1"' },
      { 'if-match': '*' },
      { 'if-none-match': '*' },
    ]
    for (const [method, rest, body] of asked) {
      for (const headers of conditions) {
        const asking = { ...(body === undefined ? {} : { body }), headers }
        const foreign = await ben.ask(method, `/api/notes/${foreignId}${rest}`, asking)
        const missing = await ben.ask(method, `/api/notes/${missingId}${rest}`, asking)
        expect([method, rest, visible(foreign)]).toEqual([method, rest, visible(missing)])
        expect([400, 404]).toContain(foreign.status)
      }
    }
    expect((await ann.ask('GET', `/api/notes/${foreignId}`)).text('title')).toBe('secret')
  })
})

describe('mass assignment', () => {
  it('V15.3.3 refuses members that the server owns, and changes nothing', async () => {
    const path = `/api/notes/${await ann.note('mine')}`
    const before = await ann.ask('GET', path)
    const extras: readonly string[] = [
      `"ownerId":"${ben.id}"`,
      `"id":"${missingId}"`,
      '"createdAt":"2000-01-01T00:00:00.000Z"',
      '"updatedAt":"2000-01-01T00:00:00.000Z"',
      '"revision":99',
      '"__proto__":{"ownerId":"x"}',
      '"constructor":{"prototype":{"ownerId":"x"}}',
      '"OwnerId":"x"',
      '"ownerId\\u0000":"x"',
      '"title":"twice"',
    ]
    const headers = { 'content-type': 'application/json' }
    for (const extra of extras) {
      const raw = `{"title":"t","body":"b",${extra}}`
      for (const [method, target] of [
        ['POST', '/api/notes'],
        ['PATCH', path],
      ] as const) {
        const refused = await ann.ask(method, target, { raw, headers })
        expect([method, extra, refused.status]).toEqual([method, extra, 400])
      }
    }
    const after = await ann.ask('GET', path)
    expect([after.json, after.header('etag')]).toEqual([before.json, before.header('etag')])
    const all = await ann.ask('GET', '/api/notes')
    expect(memberOf(all.json, 'items')).toHaveLength(1)
    expect((await ben.ask('GET', path)).status).toBe(404)
  })

  it('V15.3.3 refuses members in the query, where no schema names them', async () => {
    const path = `/api/notes/${await ann.note('mine')}`
    for (const query of [`ownerId=${ben.id}`, 'id=1', 'revision=2', '__proto__[ownerId]=x', 'title=x']) {
      const body = { title: 'changed', body: 'changed' }
      expect((await ann.ask('PATCH', `${path}?${query}`, { body })).status).toBe(400)
      expect((await ann.ask('POST', `/api/notes?${query}`, { body })).status).toBe(400)
      expect((await ann.ask('GET', `/api/notes?${query}`)).status).toBe(400)
    }
    expect((await ann.ask('GET', '/api/notes?limit=1&limit=2')).status).toBe(400)
    expect((await ann.ask('GET', path)).text('title')).toBe('mine')
  })
})

describe('credentials', () => {
  it('V8.2.1 are required: 401 with WWW-Authenticate on every route that is not open', async () => {
    const path = `/api/notes/${await ann.note('mine')}`
    const closed = notes.server.plan.routes.filter(({ access }) => access.kind !== 'open')
    expect(closed.length).toBeGreaterThan(5)
    for (const { method, path: declared } of closed) {
      const target = declared.replace(':id', path.slice('/api/notes/'.length)).replace(':userId', ben.id)
      const refused = await notes.ask(method, target)
      expect([method, target, refused.status]).toEqual([method, target, 401])
      expect(refused.header('www-authenticate')).toMatch(/^Bearer/)
      expect(refused.text('type')).toBe('urn:holdfast:problem:unauthenticated')
    }
  })

  it('V14.2.1 are not read from the address, the body or a cookie', async () => {
    for (const name of ['access_token', 'token', 'authorization', 'api_key']) {
      const query = `${name}=${encodeURIComponent(ann.token)}`
      expect((await notes.ask('GET', `/api/notes?${query}`)).status).toBe(401)
      expect((await notes.ask('GET', '/api/notes', { headers: { cookie: query } })).status).toBe(401)
      const body = { title: 'a', body: 'b', [name]: ann.token }
      expect((await notes.ask('POST', '/api/notes', { body })).status).toBe(401)
    }
    expect(notes.lines.join('')).not.toContain(ann.token)
  })

  it('V9.1.1 are worth nothing after any change', async () => {
    const { token } = ann
    const wrong = [
      `Basic ${token}`,
      token,
      'Bearer',
      'Bearer ',
      `Bearer ${token.slice(0, -1)}`,
      `Bearer ${token}x`,
      `Bearer ${token}, Bearer ${token}`,
      `Bearer ${token.replace('ann', 'ben')}`,
      `Bearer ${token.toUpperCase()}`,
    ]
    for (const authorization of wrong) {
      const refused = await notes.ask('GET', '/api/notes', { headers: { authorization } })
      expect([authorization, refused.status]).toEqual([authorization, 401])
    }
  })
})

describe('methods', () => {
  it('V4.1.4 answer HEAD as GET without its content', async () => {
    const path = `/api/notes/${await ann.note('mine')}`
    for (const target of ['/', '/api/notes', path, `/api/notes/${missingId}`, '/openapi.json', '/nothing']) {
      const got = await ann.ask('GET', target)
      const head = await ann.ask('HEAD', target)
      const fields = ({ headers }: Answer): unknown =>
        [...headers].filter(([name]) => !/^(date|connection|keep-alive|ratelimit)$/.test(name))
      expect([target, head.status, head.content]).toEqual([target, got.status, ''])
      expect([target, fields(head)]).toEqual([target, fields(got)])
    }
  })

  it('V4.1.4 refuse what is not offered with 405 and Allow, and tell OPTIONS what is', async () => {
    const path = `/api/notes/${missingId}`
    const offered: readonly (readonly [string, string, string])[] = [
      ['/', 'POST', 'GET, HEAD, OPTIONS'],
      ['/api/notes', 'DELETE', 'GET, HEAD, POST, OPTIONS'],
      [path, 'POST', 'GET, HEAD, PATCH, DELETE, OPTIONS'],
      [`${path}/shares/${missingId}`, 'GET', 'PUT, DELETE, OPTIONS'],
    ]
    for (const [target, method, allow] of offered) {
      const refused = await ann.ask(method, target)
      expect([target, refused.status, refused.headers.get('allow')]).toEqual([target, 405, allow])
      const options = await notes.ask('OPTIONS', target)
      expect([target, options.status, options.headers.get('allow')]).toEqual([target, 204, allow])
    }
    expect((await ann.ask('PURGE', '/api/notes')).status).toBe(501)
  })

  it('V4.1.4 cannot be changed by a header or a parameter', async () => {
    const path = `/api/notes/${await ann.note('mine')}`
    for (const name of ['x-http-method-override', 'x-http-method', 'x-method-override']) {
      expect((await ann.ask('GET', path, { headers: { [name]: 'DELETE' } })).status).toBe(200)
    }
    expect((await ann.ask('GET', `${path}?_method=DELETE`)).status).toBe(400)
    expect((await ann.ask('GET', path)).status).toBe(200)
  })
})

describe('limits', () => {
  const isAllowed = ({ status }: Answer): boolean => status === 201
  const makeMany = (person: Person, count: number): Promise<Answer[]> =>
    Promise.all(
      Array.from({ length: count }, () =>
        person.ask('POST', '/api/notes', { body: { title: 'a', body: '' } }),
      ),
    )

  it('V2.4.1 hold for requests that come at once', async () => {
    const startMs = performance.now()
    const replies = await makeMany(ann, 70)
    // One request a second comes back while the test runs.
    const regained = Math.ceil((performance.now() - startMs) / 1000)
    const allowedCount = replies.filter(isAllowed).length
    expect(allowedCount).toBeGreaterThan(0)
    expect(allowedCount).toBeLessThanOrEqual(60 + regained)
    const refused = replies.filter(({ status }) => status === 429)
    expect(refused).toHaveLength(70 - allowedCount)
    for (const reply of refused) {
      expect(Number(reply.header('retry-after'))).toBeGreaterThanOrEqual(1)
      expect(reply.header('ratelimit-policy')).toBe('"write";q=60;w=60')
      expect(reply.header('ratelimit')).toMatch(/^"write";r=0;t=\d+$/)
      expect(reply.header('content-type')).toBe('application/problem+json')
      expect(reply.text('type')).toBe('https://iana.org/assignments/http-problem-types#quota-exceeded')
    }
    expect((await ann.ask('GET', '/api/notes')).status).toBe(200)
  })

  it('V2.4.1 count by address, whoever asks, and by account, wherever from', async () => {
    await makeMany(ann, 70)
    expect((await ben.ask('POST', '/api/notes', { body: { title: 'a', body: '' } })).status).toBe(429)
    expect(await postFrom('127.0.0.2', ben.token)).toBe(201)
    expect(await postFrom('127.0.0.3', ann.token)).toBe(429)
  })

  it('V4.1.3 count by the address of the socket and not by what a client says it is', async () => {
    await makeMany(ann, 70)
    for (const name of ['x-forwarded-for', 'forwarded', 'x-real-ip', 'x-client-ip', 'true-client-ip']) {
      const headers = { [name]: name === 'forwarded' ? 'for=192.0.2.1' : '192.0.2.1' }
      expect((await ben.ask('POST', '/api/notes', { body: { title: 'a', body: '' }, headers })).status).toBe(
        429,
      )
    }
  })

  it('V2.4.1 count wrong credentials and addresses that nothing answers', async () => {
    const ask = (count: number, target: string, headers: Readonly<Record<string, string>>) =>
      Promise.all(Array.from({ length: count }, () => notes.ask('GET', target, { headers })))
    const statusesOf = (replies: readonly Answer[]): Set<number> =>
      new Set(replies.map(({ status }) => status))
    expect(statusesOf(await ask(360, '/.env', {}))).toEqual(new Set([404, 429]))
    const guesses = await ask(360, '/api/notes', { authorization: 'Bearer guess' })
    expect(statusesOf(guesses)).toEqual(new Set([401, 429]))
    // Many: on a slow machine a few have come back by now, and ann herself has three hundred.
    const known = await Promise.all(Array.from({ length: 100 }, () => ann.ask('GET', '/api/notes')))
    expect(statusesOf(known)).toContain(429)
    expect((await ann.ask('GET', '/health/live')).status).toBe(200)
  })

  function postFrom(localAddress: string, token: string): Promise<number> {
    return new Promise((resolve, reject) => {
      const asked = request(`${notes.address}/api/notes`, {
        method: 'POST',
        localAddress,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      })
      asked.on('response', (response) => {
        response.resume()
        response.on('end', () => resolve(response.statusCode ?? 0))
      })
      asked.on('error', reject)
      asked.end('{"title":"a","body":""}')
    })
  }
})
