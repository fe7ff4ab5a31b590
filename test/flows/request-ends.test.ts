import type { FastifyInstance } from 'fastify'
import { createApp } from 'holdfast'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { migrations } from '../../examples/notes/migrations.ts'
import * as notesRoutes from '../../examples/notes/notes.ts'
import { vocabulary } from '../../examples/notes/words.ts'
import { enter, logIn, startAccounts } from '../kit/accounts.ts'
import { memberOf } from '../kit/client.ts'
import { type NotesServer, type Person, startNotes } from '../kit/notes-server.ts'
import { askOnWire, type WireReply } from '../kit/wire.ts'

/** A hook as `fastify-plugin` puts it on every route, so that no reply goes straight to the socket. */
const looker = Object.assign(
  async (fastify: FastifyInstance): Promise<void> => {
    fastify.addHook('onSend', async (_request, _reply, payload) => payload)
  },
  { [Symbol.for('skip-override')]: true },
)
const start = (...plugins: (typeof looker)[]): Promise<NotesServer> =>
  startNotes(
    createApp({ title: 'Notes', vocabulary, routes: Object.values(notesRoutes), migrations, plugins }),
  )

describe.each([
  ['straight', []],
  ['past a hook', [looker]],
] as const)('replies about rows that go %s', (_way, plugins) => {
  let notes: NotesServer
  let ann: Person
  beforeAll(async () => {
    notes = await start(...plugins)
    ann = notes.person('ann')
  })
  afterAll(() => notes.stop())

  const port = (): number => Number(new URL(notes.address).port)
  const ask = (line: string, fields: readonly string[] = [], body?: object): Promise<WireReply> =>
    askOnWire(
      port(),
      line,
      [`Authorization: Bearer ${ann.token}`, 'Content-Type: application/json', ...fields],
      body === undefined ? '' : JSON.stringify(body),
    )

  it('have one entity tag, which makes them conditional', async () => {
    const id = await ann.note('ä')
    const read = await ask(`GET /api/notes/${id}`)
    expect(read.values('etag')).toHaveLength(1)
    const tag = read.values('etag').join()
    const unchanged = await ask(`GET /api/notes/${id}`, [`If-None-Match: ${tag}`])
    expect([unchanged.status, unchanged.body.length, unchanged.values('etag')]).toEqual([304, 0, [tag]])
    const changed = await ask(`PATCH /api/notes/${id}`, [`If-Match: ${tag}`], { title: 'b' })
    expect(changed.status).toBe(200)
    expect(changed.values('etag')).toHaveLength(1)
    expect(changed.values('etag')).not.toEqual([tag])
    const late = await ask(`PATCH /api/notes/${id}`, [`If-Match: ${tag}`], { title: 'c' })
    expect(late.status).toBe(412)
    expect((await ask(`GET /api/notes/${id}`)).values('etag')).toEqual(changed.values('etag'))
  })

  it('say once that they were given before', async () => {
    const key = ['Idempotency-Key: "a key of mine"']
    const first = await ask('POST /api/notes', key, { title: 'once', body: '' })
    const again = await ask('POST /api/notes', key, { title: 'once', body: '' })
    expect([first.status, again.status]).toEqual([201, 201])
    expect(first.values('idempotency-replayed')).toEqual([])
    expect(again.values('idempotency-replayed')).toEqual(['true'])
    expect(again.body).toEqual(first.body)
    expect(again.values('etag')).toEqual(first.values('etag'))
    const other = await ask('POST /api/notes', key, { title: 'another', body: '' })
    expect(other.status).toBeGreaterThanOrEqual(400)
  })

  it('V16.2.1 have one line each, which tells how long their bodies are', async () => {
    const id = await ann.note('Grüße 👋')
    const before = notes.lines.length
    const replies = [
      await ask(`GET /api/notes/${id}`),
      await ask('GET /api/notes'),
      await ask('POST /api/notes', [], { title: '👩‍👩‍👧', body: 'ü' }),
      await ask('GET /api/notes/no-uuid'),
      await ask(`PATCH /api/notes/${id}`, [], { title: 1 }),
      await ask(`DELETE /api/notes/${id}`),
    ]
    const ended = () =>
      notes.lines
        .slice(before)
        .map((line): unknown => JSON.parse(line))
        .filter((line) => memberOf(line, 'msg') === 'request completed')
    await expect.poll(() => ended().length, { timeout: 5_000 }).toBe(replies.length)
    expect(ended().map((line) => [memberOf(line, 'status'), memberOf(line, 'bytes')])).toEqual(
      replies.map(({ status, body }) => [status, status === 204 ? undefined : body.length]),
    )
  })

  it('V4.1.1 are the last ones of their connection once the server stops', async () => {
    const other = await start(...plugins)
    const person = other.person('ann')
    const agent = { connection: 'keep-alive' }
    const open = await person.ask('GET', '/api/notes', { headers: agent })
    expect(open.headers.get('connection')).toBe('keep-alive')
    const stopping = other.server.stop()
    const late = await person.ask('GET', '/api/notes', { headers: agent }).catch(() => undefined)
    // It was turned away on the connection that was open, or found no server any more.
    if (late !== undefined) {
      expect(late.status).toBe(503)
      expect(late.headers.get('connection')).toBe('close')
    }
    await stopping
  })
})

describe('V7.4.1 a token that is used again and again', () => {
  let notes: NotesServer
  beforeAll(async () => {
    notes = await startAccounts('sqlite')
  })
  afterAll(() => notes.stop())

  const me = async (headers: Readonly<Record<string, string>>): Promise<number> =>
    (await notes.ask('GET', '/api/users/me', { headers })).status

  it('is refused from the moment of the logout on, however it is spelled', async () => {
    const ann = await enter(notes, 'ann@example.com')
    const other = await logIn(notes, 'ann@example.com')
    const lower = { authorization: `bearer ${ann.accessToken}` }
    for (const headers of [ann.as, lower, ann.as, lower, other.as]) expect(await me(headers)).toBe(200)
    const { status } = await notes.ask('POST', '/api/auth/logout', { headers: ann.as })
    expect(status).toBeLessThan(300)
    for (const headers of [ann.as, lower, ann.as, lower]) expect(await me(headers)).toBe(401)
    expect(await me(other.as)).toBe(200)
  })

  it('is refused while many requests with it are under way', async () => {
    const ben = await enter(notes, 'ben@example.com')
    expect(await me(ben.as)).toBe(200)
    let isOut = false
    const statuses: number[] = []
    const asking = Array.from({ length: 4 }, async () => {
      for (let count = 0; count < 12; count++) {
        const wasOut = isOut
        const status = await me(ben.as)
        if (wasOut) statuses.push(status)
      }
    })
    expect((await notes.ask('POST', '/api/auth/logout-everywhere', { headers: ben.as })).status).toBeLessThan(
      300,
    )
    isOut = true
    await Promise.all(asking)
    expect(new Set([...statuses, await me(ben.as)])).toEqual(new Set([401]))
  })
})
