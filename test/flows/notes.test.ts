import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { memberOf } from '../kit/client.ts'
import { engineKinds } from '../kit/databases.ts'
import { type NotesServer, type Person, startNotes } from '../kit/notes-server.ts'

describe.each(engineKinds)('on %s', (engine) => {
  let notes: NotesServer
  let ann: Person
  let ben: Person
  beforeEach(async () => {
    notes = await startNotes(undefined, engine)
    ann = notes.person('ann')
    ben = notes.person('ben')
  })
  afterEach(() => notes.stop())

  interface Listed {
    readonly ids: readonly string[]
    readonly nextCursor: string | null
  }

  async function list(person: Person, query: string): Promise<Listed> {
    const { json } = await person.ask('GET', `/api/notes${query}`)
    const items = memberOf(json, 'items')
    const nextCursor = memberOf(json, 'nextCursor')
    return {
      ids: Array.isArray(items) ? items.map((item) => String(memberOf(item, 'id'))) : [],
      nextCursor: typeof nextCursor === 'string' ? nextCursor : null,
    }
  }

  describe('notes', () => {
    it('are made, read, changed and deleted by their owner', async () => {
      const made = await ann.ask('POST', '/api/notes', { body: { title: 'Tea', body: 'Green.' } })
      expect(made.status).toBe(201)
      expect(made.json).toMatchObject({ title: 'Tea', body: 'Green.', ownerId: ann.id })
      expect(made.json).not.toHaveProperty('revision')
      const path = `/api/notes/${made.text('id')}`
      const read = await ann.ask('GET', path)
      expect(read.status).toBe(200)
      expect(read.json).toEqual(made.json)
      const changed = await ann.ask('PATCH', path, { body: { title: 'Coffee' } })
      expect(changed.status).toBe(200)
      expect(changed.json).toMatchObject({
        title: 'Coffee',
        body: 'Green.',
        createdAt: made.text('createdAt'),
      })
      const gone = await ann.ask('DELETE', path)
      expect([gone.status, gone.content]).toEqual([204, ''])
      expect((await ann.ask('GET', path)).status).toBe(404)
      expect((await ann.ask('DELETE', path)).status).toBe(404)
    })

    it('V8.2.2 lists only what the caller may read', async () => {
      const own = await ann.note('own')
      const shared = await ben.note('shared')
      await ben.note('secret')
      await ben.ask('PUT', `/api/notes/${shared}/shares/${ann.id}`, { body: { permission: 'read' } })
      expect(new Set((await list(ann, '')).ids)).toEqual(new Set([own, shared]))
      expect((await list(notes.person('cleo'), '')).ids).toEqual([])
    })

    it('are paged without gaps or repeats while others are added', async () => {
      const before: string[] = []
      for (let count = 0; count < 7; count++) before.unshift(await ann.note(`note ${count}`))
      const seen: string[] = []
      let page = await list(ann, '?limit=3')
      seen.push(...page.ids)
      while (page.nextCursor !== null) {
        await ann.note('added while somebody reads')
        page = await list(ann, `?limit=3&cursor=${encodeURIComponent(page.nextCursor)}`)
        seen.push(...page.ids)
      }
      expect(seen).toHaveLength(7)
      expect(new Set(seen)).toEqual(new Set(before))
    })

    it('V2.2.1 refuses a cursor that was changed, and one of somebody else', async () => {
      for (const person of [ann, ben]) for (const title of ['a', 'b', 'c']) await person.note(title)
      const { nextCursor } = await list(ann, '?limit=1')
      const cursor = nextCursor ?? ''
      expect(cursor).not.toBe('')
      const swapped = (at: number): string =>
        cursor.slice(0, at) + (cursor[at] === 'A' ? 'B' : 'A') + cursor.slice(at + 1)
      const tampered = [swapped(0), swapped(Math.floor(cursor.length / 2)), cursor.slice(1), `${cursor}A`, '']
      for (const text of tampered) {
        const refused = await ann.ask('GET', `/api/notes?limit=1&cursor=${encodeURIComponent(text)}`)
        expect([text, refused.status]).toEqual([text, 400])
      }
      expect((await ben.ask('GET', `/api/notes?limit=1&cursor=${cursor}`)).status).toBe(400)
      expect((await ann.ask('GET', `/api/notes?limit=1&cursor=${cursor}`)).status).toBe(200)
    })
  })

  describe('conditional requests', () => {
    it('refuse a change of what has changed since it was read', async () => {
      const path = `/api/notes/${await ann.note('first')}`
      const etag = (await ann.ask('GET', path)).header('etag')
      const matched = await ann.ask('PATCH', path, {
        body: { title: 'second' },
        headers: { 'if-match': etag },
      })
      expect(matched.status).toBe(200)
      for (const method of ['PATCH', 'DELETE']) {
        const body = method === 'PATCH' ? { body: { title: 'third' } } : {}
        for (const tag of [etag, `W/${etag}`, '"none"', 'nonsense', '']) {
          const stale = await ann.ask(method, path, { ...body, headers: { 'if-match': tag } })
          expect([method, tag, stale.status]).toEqual([method, tag, 412])
        }
      }
      expect((await ann.ask('GET', path)).text('title')).toBe('second')
      const fresh = (await ann.ask('GET', path)).header('etag')
      expect(fresh).not.toBe(etag)
      const listed = { body: { title: 'third' }, headers: { 'if-match': `"none", ${fresh}` } }
      expect((await ann.ask('PATCH', path, listed)).status).toBe(200)
      expect(
        (await ann.ask('PATCH', path, { body: { title: 'fourth' }, headers: { 'if-match': '*' } })).status,
      ).toBe(200)
      expect((await ann.ask('DELETE', path, { headers: { 'if-match': '*' } })).status).toBe(204)
    })

    it('V15.4.2 let exactly one of several simultaneous changes win', async () => {
      const path = `/api/notes/${await ann.note('first')}`
      const headers = { 'if-match': (await ann.ask('GET', path)).header('etag') }
      const titles = Array.from({ length: 8 }, (_, index) => `writer ${index}`)
      const replies = await Promise.all(
        titles.map((title) => ann.ask('PATCH', path, { body: { title }, headers })),
      )
      const winners = replies.filter(({ status }) => status === 200)
      expect(winners).toHaveLength(1)
      expect(replies.filter(({ status }) => status === 412)).toHaveLength(7)
      expect((await ann.ask('GET', path)).text('title')).toBe(winners[0]?.text('title'))
    })

    it('V15.4.2 are not needed for a clean answer to simultaneous deletes and shares', async () => {
      const path = `/api/notes/${await ann.note('first')}`
      const share = { body: { permission: 'read' } }
      const eight = Array.from({ length: 8 })
      const shared = await Promise.all(eight.map(() => ann.ask('PUT', `${path}/shares/${ben.id}`, share)))
      expect(shared.map(({ status }) => status)).toEqual(eight.map(() => 200))
      const deleted = await Promise.all(eight.map(() => ann.ask('DELETE', path)))
      expect(deleted.map(({ status }) => status).sort()).toEqual([204, ...eight.slice(1).map(() => 404)])
      expect((await ben.ask('GET', path)).status).toBe(404)
    })

    it('answer 304 without a body while nothing has changed', async () => {
      const path = `/api/notes/${await ann.note('first')}`
      const etag = (await ann.ask('GET', path)).header('etag')
      for (const tag of [etag, `W/${etag}`, `"none", ${etag}`, '*']) {
        const unchanged = await ann.ask('GET', path, { headers: { 'if-none-match': tag } })
        expect([tag, unchanged.status, unchanged.content]).toEqual([tag, 304, ''])
        expect(unchanged.header('etag')).toBe(etag)
      }
      await ann.ask('PATCH', path, { body: { title: 'second' } })
      expect((await ann.ask('GET', path, { headers: { 'if-none-match': etag } })).status).toBe(200)
      const foreign = await ben.ask('GET', path, { headers: { 'if-none-match': '*' } })
      expect(foreign.status).toBe(404)
    })
  })

  describe('sharing', () => {
    const statuses = async (path: string): Promise<readonly number[]> => [
      (await ben.ask('GET', path)).status,
      (await ben.ask('PATCH', path, { body: { title: 'by ben' } })).status,
    ]

    it('V8.2.2 gives what it says, takes it back, and gives it again', async () => {
      const path = `/api/notes/${await ann.note('shared')}`
      const share = `${path}/shares/${ben.id}`
      expect(await statuses(path)).toEqual([404, 404])
      const given = await ann.ask('PUT', share, { body: { permission: 'read' } })
      expect(given.json).toEqual({
        noteId: path.slice('/api/notes/'.length),
        userId: ben.id,
        permission: 'read',
      })
      expect(await statuses(path)).toEqual([200, 404])
      expect((await ann.ask('PUT', share, { body: { permission: 'write' } })).status).toBe(200)
      expect(await statuses(path)).toEqual([200, 200])
      expect((await ann.ask('PUT', share, { body: { permission: 'read' } })).status).toBe(200)
      expect(await statuses(path)).toEqual([200, 404])
      expect((await ann.ask('DELETE', share)).status).toBe(204)
      expect(await statuses(path)).toEqual([404, 404])
      expect((await ann.ask('DELETE', share)).status).toBe(404)
      await ann.ask('PUT', share, { body: { permission: 'write' } })
      expect(await statuses(path)).toEqual([200, 200])
      expect((await notes.person('cleo').ask('GET', path)).status).toBe(404)
    })

    it('V8.2.2 does not let a grantee share on, revoke or delete', async () => {
      const path = `/api/notes/${await ann.note('shared')}`
      const cleo = notes.person('cleo')
      await ann.ask('PUT', `${path}/shares/${ben.id}`, { body: { permission: 'write' } })
      await ann.ask('PUT', `${path}/shares/${cleo.id}`, { body: { permission: 'read' } })
      const body = { permission: 'write' }
      expect((await ben.ask('PUT', `${path}/shares/${cleo.id}`, { body })).status).toBe(404)
      expect((await cleo.ask('PUT', `${path}/shares/${cleo.id}`, { body })).status).toBe(404)
      expect((await ben.ask('DELETE', `${path}/shares/${cleo.id}`)).status).toBe(404)
      expect((await ben.ask('DELETE', path)).status).toBe(404)
      expect((await cleo.ask('GET', path)).status).toBe(200)
      expect((await cleo.ask('PATCH', path, { body: { title: 'mine' } })).status).toBe(404)
    })
  })
})
