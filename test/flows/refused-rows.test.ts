import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Note } from '../../examples/notes/tables.ts'
import { engineKinds } from '../kit/databases.ts'
import { type NotesServer, type Person, startNotes } from '../kit/notes-server.ts'

describe.each(engineKinds)('on %s', (engine) => {
  let notes: NotesServer
  let ann: Person
  let ben: Person
  let id: string

  beforeAll(async () => {
    notes = await startNotes(undefined, engine)
    ann = notes.person('ann')
    ben = notes.person('ben')
    id = await ann.note('Mine')
  })
  afterAll(() => notes.stop())

  const events = () =>
    notes.lines
      .map((line): Record<string, unknown> => JSON.parse(line))
      .filter(({ event }) => event === 'authz_fail')

  it('V16.3.2 asking for a row of somebody else is a security event, asking for none is not', async () => {
    const missing = 'f4a8f470-9173-8f15-8559-a74185494093'
    for (const method of ['GET', 'DELETE']) await ben.ask(method, `/api/notes/${missing}`)
    await ben.ask('GET', `/api/notes/${id}`)
    await ben.ask('PATCH', `/api/notes/${id}`, { body: { title: 'x' } })
    await expect.poll(() => events().length).toBe(2)
    // Looked into after the replies, each by itself: the order is not promised.
    const inOrder = events().toSorted((a, b) =>
      JSON.stringify(a['details']).localeCompare(JSON.stringify(b['details'])),
    )
    expect(inOrder).toMatchObject(
      ['read', 'update'].map((action) => ({
        event: 'authz_fail',
        level: 'warn',
        userId: ben.id,
        details: { resource: 'note', key: id, action },
      })),
    )
  })

  it('V16.3.2 counts and logs each use of the database without rules, by its reason', async () => {
    for (let use = 0; use < 3; use += 1) notes.server.unscoped('a test counts')
    expect(notes.server.unscopedUses.get('a test counts')).toBe(3)
    expect(notes.lines.filter((line) => line.includes('a test counts'))).toHaveLength(3)
  })

  it('V8.3.1 says to a developer which rule allowed and which refused', async () => {
    const asBen = () => notes.server.explain({ id: ben.id, roles: [] }, Note, id)
    expect(await asBen()).toMatchObject({
      exists: true,
      may: { read: false, update: false, delete: false, owner: false },
    })
    await ann.ask('PUT', `/api/notes/${id}/shares/${ben.id}`, { body: { permission: 'read' } })
    const { may, verdicts } = await asBen()
    expect(may).toEqual({ read: true, update: false, delete: false, owner: false })
    expect(verdicts.map(({ rule, allows }) => [rule.split(':')[0], allows])).toEqual([
      ['owner', false],
      ['read', true],
      ['update', false],
    ])
    const asAnn = await notes.server.explain({ id: ann.id, roles: [] }, Note, id)
    expect(asAnn.may).toEqual({ read: true, update: true, delete: true, owner: true })
    expect((await notes.server.explain({ id: ann.id, roles: [] }, Note, ben.id)).exists).toBe(false)
  })
})
