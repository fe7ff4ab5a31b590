import { testToken } from 'holdfast'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Asking, askWith, memberOf } from '../kit/client.ts'
import { engineKinds } from '../kit/databases.ts'
import { type NotesServer, type Person, startNotes } from '../kit/notes-server.ts'

describe.each(engineKinds)('sharing on %s', (engine) => {
  let notes: NotesServer
  let ann: Person
  let ben: Person
  /** Holds the role `admin`, and nothing else sets her apart. */
  let root: Person
  /** Somebody to share with. */
  let dora: Person
  /** A note of Ann's, which Dora may read. */
  let path: string

  beforeEach(async () => {
    notes = await startNotes(undefined, engine)
    ann = notes.person('ann')
    ben = notes.person('ben')
    root = administrator('root')
    dora = notes.person('dora')
    path = `/api/notes/${await ann.note('shared')}`
    await share(ann, dora, 'read')
  })
  afterEach(() => notes.stop())

  function administrator(name: string): Person {
    const token = testToken(notes.server.settings, { name, roles: ['admin'] })
    return { ...notes.person(name), token, ask: askWith(notes.address, { authorization: `Bearer ${token}` }) }
  }

  async function share(from: Person, to: Person, permission: 'read' | 'write'): Promise<void> {
    const given = await from.ask('PUT', `${path}/shares/${to.id}`, { body: { permission } })
    expect([given.status, memberOf(given.json, 'permission')]).toEqual([200, permission])
  }

  async function isListed(person: Person): Promise<boolean> {
    const items = memberOf((await person.ask('GET', '/api/notes')).json, 'items')
    return Array.isArray(items) && items.some((item) => path.endsWith(String(memberOf(item, 'id'))))
  }

  /**
   * Tries everything that can be done to the note, and answers with what was let through. What is refused must be
   * refused as if the note were not there. The note is gone after an owner.
   */
  async function powers(person: Person): Promise<readonly string[]> {
    const attempts: Readonly<Record<string, readonly [method: string, at: string, asking?: Asking]>> = {
      read: ['GET', path],
      change: ['PATCH', path, { body: { title: `by ${person.id}` } }],
      share: ['PUT', `${path}/shares/${person.id}`, { body: { permission: 'write' } }],
      unshare: ['DELETE', `${path}/shares/${dora.id}`],
      transfer: ['PUT', `${path}/owner`, { body: { userId: person.id } }],
      delete: ['DELETE', path],
    }
    const held: string[] = (await isListed(person)) ? ['list'] : []
    for (const [power, [method, at, asking]] of Object.entries(attempts)) {
      const { status } = await person.ask(method, at, asking)
      if (status < 300) held.push(power)
      else expect([power, status]).toEqual([power, 404])
    }
    return held
  }

  const reader = ['list', 'read']
  const writer = ['list', 'read', 'change']
  const owner = ['list', 'read', 'change', 'share', 'unshare', 'transfer', 'delete']

  describe('a share', () => {
    it('V8.2.2 lets nobody in who was not named', async () => {
      const before = await ann.ask('GET', path)
      expect(await powers(ben)).toEqual([])
      expect(await powers(root)).toEqual([])
      const after = await ann.ask('GET', path)
      expect([after.json, after.header('etag')]).toEqual([before.json, before.header('etag')])
      expect(await powers(dora)).toEqual(reader)
      expect(await powers(ann)).toEqual(owner)
    })

    it('V8.2.2 to read lets one read, and not change, share on, take or delete', async () => {
      await share(ann, ben, 'read')
      const before = await ann.ask('GET', path)
      expect(await powers(ben)).toEqual(reader)
      const seen = await ben.ask('GET', path)
      expect([seen.json, seen.header('etag')]).toEqual([before.json, before.header('etag')])
      expect(await powers(root)).toEqual([])
    })

    it('V8.2.2 to write lets one change too, and not share on, take or delete', async () => {
      await share(ann, ben, 'write')
      expect(await powers(ben)).toEqual(writer)
      const seen = await ann.ask('GET', path)
      expect(seen.json).toMatchObject({ title: `by ${ben.id}`, ownerId: ann.id })
      expect(await powers(root)).toEqual([])
    })

    it('V8.2.3 to write does not let one name an owner', async () => {
      await share(ann, ben, 'write')
      for (const body of [{ ownerId: ben.id }, { title: 'mine', ownerId: ben.id }]) {
        expect((await ben.ask('PATCH', path, { body })).status).toBe(400)
      }
      expect((await ann.ask('GET', path)).json).toMatchObject({ title: 'shared', ownerId: ann.id })
    })

    it('V8.3.2 is gone at once when it is taken back, also for one who holds an entity tag', async () => {
      await share(ann, ben, 'write')
      const tag = (await ben.ask('GET', path)).header('etag')
      expect((await ben.ask('GET', path, { headers: { 'if-none-match': tag } })).status).toBe(304)
      expect((await ann.ask('DELETE', `${path}/shares/${ben.id}`)).status).toBe(204)
      // 304 or 412 would say that the note is still there, and whether it has changed.
      for (const held of [tag, '*', '"0"']) {
        const read = await ben.ask('GET', path, { headers: { 'if-none-match': held } })
        const headers = { 'if-match': held }
        const changed = await ben.ask('PATCH', path, { body: { title: 'late' }, headers })
        const deleted = await ben.ask('DELETE', path, { headers })
        expect([held, read.status, changed.status, deleted.status]).toEqual([held, 404, 404, 404])
      }
      expect(await powers(ben)).toEqual([])
      expect(await powers(dora)).toEqual(reader)
      expect((await ann.ask('GET', path)).header('etag')).toBe(tag)
    })

    it('V8.3.2 is narrowed at once from writing to reading', async () => {
      await share(ann, ben, 'write')
      const tag = (await ben.ask('GET', path)).header('etag')
      await share(ann, ben, 'read')
      const headers = { 'if-match': tag }
      expect((await ben.ask('PATCH', path, { body: { title: 'late' }, headers })).status).toBe(404)
      expect(await powers(ben)).toEqual(reader)
    })

    it('V8.2.2 is of one note alone', async () => {
      const other = `/api/notes/${await ann.note('other')}`
      await share(ann, ben, 'write')
      expect((await ben.ask('GET', other)).status).toBe(404)
      path = other
      expect(await powers(ben)).toEqual([])
    })
  })

  describe('giving a note away', () => {
    const give = (from: Person, to: Person, headers = {}) =>
      from.ask('PUT', `${path}/owner`, { body: { userId: to.id }, headers })

    it('V8.3.2 makes the other its owner at once, and leaves the giver nothing', async () => {
      const tag = (await ann.ask('GET', path)).header('etag')
      const given = await give(ann, ben, { 'if-match': tag })
      expect(given.status).toBe(200)
      expect(given.json).toMatchObject({ title: 'shared', ownerId: ben.id })
      const seen = await ben.ask('GET', path)
      expect([seen.status, seen.json, seen.header('etag')]).toEqual([200, given.json, given.header('etag')])
      for (const held of [tag, given.header('etag'), '*']) {
        const read = await ann.ask('GET', path, { headers: { 'if-none-match': held } })
        const back = await give(ann, ann, { 'if-match': held })
        expect([held, read.status, back.status]).toEqual([held, 404, 404])
      }
      expect(await powers(ann)).toEqual([])
      expect(await powers(root)).toEqual([])
      expect(await powers(ben)).toEqual(owner)
    })

    it('V8.2.2 leaves its shares as they are, for the new owner to take back', async () => {
      const eve = notes.person('eve')
      await share(ann, eve, 'write')
      expect((await give(ann, ben)).status).toBe(200)
      expect(await powers(dora)).toEqual(reader)
      expect(await powers(eve)).toEqual(writer)
      expect((await ann.ask('DELETE', `${path}/shares/${eve.id}`)).status).toBe(404)
      expect((await ben.ask('DELETE', `${path}/shares/${eve.id}`)).status).toBe(204)
      expect(await powers(eve)).toEqual([])
      await share(ben, ann, 'read')
      expect(await powers(ann)).toEqual(reader)
    })

    it('V8.2.2 is for its owner alone, whatever else somebody may do to it', async () => {
      await share(ann, ben, 'write')
      for (const person of [ben, dora, root]) {
        for (const to of [person, ben]) expect((await give(person, to)).status).toBe(404)
      }
      expect((await ann.ask('GET', path)).json).toMatchObject({ ownerId: ann.id })
    })

    it('V2.2.1 takes nothing but the new owner, and not on top of a change unseen', async () => {
      const bodies = [{}, { userId: 'ben' }, { ownerId: ben.id }, { userId: ben.id, title: 'mine' }]
      for (const body of bodies) expect((await ann.ask('PUT', `${path}/owner`, { body })).status).toBe(400)
      const tag = (await ann.ask('GET', path)).header('etag')
      await ann.ask('PATCH', path, { body: { title: 'changed' } })
      expect((await give(ann, ben, { 'if-match': tag })).status).toBe(412)
      expect((await ann.ask('GET', path)).json).toMatchObject({ ownerId: ann.id, title: 'changed' })
    })
  })

  describe('an administrator', () => {
    it('V8.2.1 may do what the example declares for the role, which is nothing', async () => {
      const { routes, resources, roles } = notes.server.plan
      expect(roles).toEqual(['admin'])
      const declared = routes.filter(({ origin }) => origin === 'application').map(({ access }) => access)
      expect(JSON.stringify([declared, resources])).not.toMatch(/admin|"role"/)
      expect(await powers(root)).toEqual([])
      expect((await root.ask('GET', '/api/notes')).json).toEqual({ items: [], nextCursor: null })
    })

    it('V8.2.2 is somebody to share with like anybody else', async () => {
      await share(ann, root, 'read')
      expect(await powers(root)).toEqual(reader)
      await share(ann, root, 'write')
      expect(await powers(root)).toEqual(writer)
      await ann.ask('DELETE', `${path}/shares/${root.id}`)
      expect(await powers(root)).toEqual([])
    })

    it('V8.2.2 owns notes like anybody else, and no other administrator sees them', async () => {
      const made = await root.ask('POST', '/api/notes', { body: { title: 'of root', body: '' } })
      path = `/api/notes/${made.text('id')}`
      await share(root, dora, 'read')
      expect(await powers(administrator('rival'))).toEqual([])
      expect(await powers(ben)).toEqual([])
      expect(await powers(root)).toEqual(owner)
    })

    it('V8.2.1 cannot be made by a token that was changed', async () => {
      const [prefix, name, , tag] = ben.token.split('.')
      const ask = askWith(notes.address, { authorization: `Bearer ${prefix}.${name}.admin.${tag}` })
      expect((await ask('GET', path)).status).toBe(401)
    })
  })
})
