import { createApp, noContent, per, words } from 'holdfast'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { migrations } from '../../examples/notes/migrations.ts'
import { Note, NoteView, Share } from '../../examples/notes/tables.ts'
import { engineKinds } from '../kit/databases.ts'
import { type NotesServer, type Person, startNotes } from '../kit/notes-server.ts'

describe.each(engineKinds)('on %s', (engine) => {
  const { route, signedIn, owns, vocabulary } = words({
    resources: [Note, Share],
    roles: ['admin'],
    limits: { many: per('minute', 10_000) },
  })
  const Draft = z.strictObject({ title: z.string().max(200), body: z.string().max(200) })
  let gate = Promise.withResolvers<void>()
  let entered = Promise.withResolvers<void>()

  const app = createApp({
    title: 'Once',
    version: '1.0.0',
    vocabulary,
    migrations,
    routes: [
      route(
        'POST /notes',
        { access: signedIn(), body: Draft, output: NoteView, limit: 'many', idempotency: 'required' },
        async ({ db, body }) => {
          const note = await db.insertInto('notes').values(body).returningAll().executeTakeFirstOrThrow()
          if (body.title === 'fails') throw new RangeError('after the insert')
          if (body.title === 'waits') {
            entered.resolve()
            await gate.promise
          }
          return note
        },
      ),
      route(
        'DELETE /notes/:id',
        {
          access: owns(Note),
          params: z.strictObject({ id: z.uuid() }),
          output: noContent,
          limit: 'many',
          idempotency: 'optional',
        },
        async ({ transaction, note }) => {
          await transaction((db) => db.deleteFrom('notes').where('id', '=', note.id).execute())
        },
      ),
      route(
        'GET /count',
        { access: signedIn(), output: z.strictObject({ count: z.int() }), limit: 'many' },
        async ({ db }) => ({ count: (await db.selectFrom('notes').select('id').execute()).length }),
      ),
    ],
  })

  let notes: NotesServer
  let ann: Person
  let ben: Person

  beforeAll(async () => {
    notes = await startNotes(app, engine)
    ann = notes.person('ann')
    ben = notes.person('ben')
  })
  afterAll(() => notes.stop())

  const post = (person: Person, key: string | undefined, title: string) =>
    person.ask('POST', '/notes', {
      body: { title, body: '' },
      headers: key === undefined ? {} : { 'idempotency-key': key },
    })
  const count = async (person: Person) => (await person.ask('GET', '/count')).json

  describe('an idempotency key', () => {
    it('V2.3.4 makes the same request count once, and its reply come again', async () => {
      const first = await post(ann, '"a1"', 'once')
      const again = await post(ann, '"a1"', 'once')
      expect([first.status, again.status]).toEqual([201, 201])
      expect(again.content).toBe(first.content)
      expect(again.headers.get('etag')).toBe(first.headers.get('etag'))
      expect(first.headers.get('idempotency-replayed')).toBeNull()
      expect(again.headers.get('idempotency-replayed')).toBe('true')
      expect(await count(ann)).toEqual({ count: 1 })
    })

    it('V8.2.2 belongs to one caller and one route', async () => {
      const his = await post(ben, '"a1"', 'of ben')
      expect(his.status).toBe(201)
      expect(his.headers.get('idempotency-replayed')).toBeNull()
      expect(his.json).toMatchObject({ title: 'of ben', ownerId: ben.id })
      const gone = await ben.ask('DELETE', `/notes/${his.text('id')}`, {
        headers: { 'idempotency-key': '"a1"' },
      })
      expect(gone.status).toBe(204)
      expect(gone.headers.get('idempotency-replayed')).toBeNull()
    })

    it('refuses another payload with 422', async () => {
      await post(ann, '"b1"', 'one thing')
      const other = await post(ann, '"b1"', 'another thing')
      expect(other.status).toBe(422)
      expect(other.text('type')).toBe('urn:holdfast:problem:idempotency-mismatch')
    })

    it('V15.4.2 refuses a second one with 409 while the first still runs', async () => {
      const before = await count(ann)
      const first = post(ann, '"c1"', 'waits')
      await entered.promise
      const twin = await post(ann, '"c1"', 'waits')
      expect(twin.status).toBe(409)
      expect(twin.header('retry-after')).toBe('1')
      gate.resolve()
      expect((await first).status).toBe(201)
      expect((await post(ann, '"c1"', 'waits')).headers.get('idempotency-replayed')).toBe('true')
      expect(await count(ann)).toEqual({ count: Number(Object(before).count) + 1 })
      gate = Promise.withResolvers()
      entered = Promise.withResolvers()
    })

    it('V15.4.2 counts once among fifty at the same time', async () => {
      const before = await count(ann)
      const all = await Promise.all(Array.from({ length: 50 }, () => post(ann, '"d1"', 'fifty')))
      const made = all.filter(({ status }) => status === 201)
      expect(made.length).toBeGreaterThan(0)
      expect(new Set(made.map(({ content }) => content)).size).toBe(1)
      expect(all.every(({ status }) => status === 201 || status === 409)).toBe(true)
      expect(await count(ann)).toEqual({ count: Number(Object(before).count) + 1 })
    })

    it('V2.3.3 is free again when the handler fails, and nothing of it stays', async () => {
      const before = await count(ann)
      expect((await post(ann, '"e1"', 'fails')).status).toBe(500)
      expect(await count(ann)).toEqual(before)
      expect((await post(ann, '"e1"', 'works')).status).toBe(201)
    })

    it('gives the reply of a delete again, though the row is gone', async () => {
      const made = await post(ann, '"f1"', 'short-lived')
      const remove = () =>
        ann.ask('DELETE', `/notes/${made.text('id')}`, { headers: { 'idempotency-key': '"f2"' } })
      expect((await remove()).status).toBe(204)
      expect((await remove()).status).toBe(204)
      expect((await ann.ask('DELETE', `/notes/${made.text('id')}`)).status).toBe(404)
    })

    it('is required where the route says so, and has one form', async () => {
      expect((await post(ann, undefined, 'none')).status).toBe(400)
      for (const key of [
        'plain',
        '""',
        '"a',
        'a"',
        '"é"',
        '"a" "b"',
        '"a";x=1',
        `"${'x'.repeat(256)}"`,
        '"a\\b"',
      ]) {
        const refused = await post(ann, Buffer.from(key).toString('latin1'), 'odd')
        expect([key, refused.status]).toEqual([key, 400])
      }
      expect((await post(ann, '"a\\"b\\\\ c"', 'escaped')).status).toBe(201)
    })

    it('V14.2.6 keeps replies unreadable, and nobody’s name beside them', async () => {
      const rows = await notes.server
        .unscoped('a test looks at what is stored')
        .selectFrom('holdfast_replies')
        .selectAll()
        .execute()
      expect(rows.length).toBeGreaterThan(3)
      expect(JSON.stringify(rows)).not.toMatch(new RegExp(`${ann.id}|of ben|once|fifty`))
    })
  })
})
