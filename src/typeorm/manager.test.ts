import 'reflect-metadata'
import { DataSource, EntitySchema, In, Like, Not, Raw } from 'typeorm'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type OrmWorld, ormWorld, resources, scopeOf } from '../../test/kit/orm-world.ts'
import type { Scope } from '../data/index.ts'
import { ScopedManager } from './manager.ts'

interface NoteEntity {
  id: string
  ownerId: string
  tenantId: string
  title: string
  state: string
  revision: number
}

const text = { type: 'text' } as const
const key = { type: 'text', primary: true } as const
const Notes = new EntitySchema<NoteEntity>({
  name: 'Note',
  tableName: 'notes',
  columns: {
    id: key,
    ownerId: text,
    tenantId: text,
    title: text,
    state: text,
    revision: { type: 'integer' },
  },
  relations: { shares: { type: 'one-to-many', target: 'Share', inverseSide: 'note' } },
} as never)
const Shares = new EntitySchema<{ id: string; noteId: string; userId: string; permission: string }>({
  name: 'Share',
  tableName: 'note_shares',
  columns: { id: key, noteId: text, userId: text, permission: text },
  relations: { note: { type: 'many-to-one', target: 'Note', joinColumn: { name: 'noteId' } } },
} as never)
const Comments = new EntitySchema<{ id: string; noteId: string; authorId: string; body: string }>({
  name: 'Comment',
  tableName: 'comments',
  columns: { id: key, noteId: text, authorId: text, body: text },
})
const Countries = new EntitySchema<{ id: string }>({
  name: 'Country',
  tableName: 'countries',
  columns: { id: key },
})
const Secrets = new EntitySchema<{ id: string }>({
  name: 'Hidden',
  tableName: 'secrets',
  columns: { id: key },
})

let world: OrmWorld
let source: DataSource
beforeAll(async () => {
  world = await ormWorld()
  const entities = [Notes, Shares, Comments, Countries, Secrets]
  source = await new DataSource({ type: 'postgres', url: world.url, entities }).initialize()
})
afterEach(() => world.reset())
afterAll(async () => {
  await source.destroy()
  await world.drop()
})

const as = (userId: string | null, more: Partial<Scope> = {}) =>
  new ScopedManager(source.manager, resources, scopeOf(userId, more))
const ids = async (found: Promise<readonly { id: string }[]>) => (await found).map(({ id }) => id).sort()

describe('V8.2.2 through TypeORM a caller', () => {
  it('reads what is theirs, granted or published, in their tenant alone', async () => {
    expect(await ids(as('ann').find(Notes))).toEqual(['a1', 'a2'])
    expect(await ids(as('ben').find(Notes))).toEqual(['a1', 'a2', 'b1', 'c1'])
    expect(await ids(as('dan').find(Notes))).toEqual(['a2'])
    expect(await ids(as('ann', { tenantId: 'y' }).find(Notes))).toEqual(['y1'])
    expect(await ids(as(null).find(Notes))).toEqual([])
    expect(await ids(as(null).find(Countries))).toEqual(['at'])
    expect(await ids(as('dan', { lifted: new Map([['notes', { key: 'b1' }]]) }).find(Notes))).toEqual([
      'a2',
      'b1',
    ])
    expect(await ids(as('ben').find(Shares))).toEqual(['s1', 's2'])
    expect(await ids(as('ben').find(Comments))).toEqual(['k1', 'k2'])
    expect(await ids(as('dan').find(Comments))).toEqual([])
  })

  it('cannot widen that by criteria, also not by several of them', async () => {
    const dan = as('dan')
    const odd = [{ id: 'b1' }, { title: Like('%') }, { id: Not('x') }, { id: In(['a1', 'b1', 'a2']) }]
    expect(await ids(dan.find(Notes, { where: odd }))).toEqual(['a2'])
    expect(await dan.findOne(Notes, { where: [{ id: 'b1' }, { id: 'c1' }] })).toBeNull()
    expect(await dan.count(Notes, odd)).toBe(1)
    expect(await dan.exists(Notes, [{ id: 'b1' }, { id: 'c1' }])).toBe(false)
    await expect(dan.findOneOrFail(Notes, { where: { id: 'b1' } })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    })
    expect(await ids(as('ben').find(Notes, { order: { id: 'DESC' }, skip: 1, take: 2 }))).toEqual([
      'a2',
      'b1',
    ])
    expect(await as('ben').find(Notes, { where: { id: 'b1' }, select: { title: true } })).toMatchObject([
      { title: 'of ben' },
    ])
  })

  it('changes and deletes only what the rules let them', async () => {
    const before = await world.snapshot()
    expect(await as('dan').update(Notes, [{ id: 'b1' }, { id: Not('x') }], { title: 'mine' })).toBe(0)
    expect(await as('ben').update(Notes, { id: 'a1' }, { title: 'mine' })).toBe(0)
    expect(await as('ben').delete(Notes, { id: In(['a1', 'a2', 'c1']) })).toBe(0)
    expect(await as(null).delete(Notes, { id: Not('x') })).toBe(0)
    expect(await world.snapshot()).toBe(before)
    expect(await as('ben').update(Notes, { id: In(['a1', 'b1', 'c1']) }, { title: 'new' })).toBe(2)
    expect(await as('ben').findOne(Notes, { where: { id: 'c1' } })).toMatchObject({
      title: 'new',
      revision: 2,
    })
    expect(await as('root', { roles: ['admin'] }).delete(Notes, { id: Not('x') })).toBe(4)
  })

  it('inserts rows as theirs, and only where the rules let them', async () => {
    const [made] = await as('dan').insert(Notes, { title: 't', state: 'draft' })
    expect(made).toMatchObject({ ownerId: 'dan', tenantId: 'x', revision: 1 })
    await as('ben').insert(Comments, { noteId: 'c1', body: 'hey' })
    const before = await world.snapshot()
    await expect(as('dan').insert(Comments, { noteId: 'c1', body: 'hey' })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    })
    await expect(
      as('ann').insert(Shares, [
        { noteId: 'a1', userId: 'dan', permission: 'read' },
        { noteId: 'b1', userId: 'dan', permission: 'read' },
      ]),
    ).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect(await world.snapshot()).toBe(before)
  })

  it('gives away what is theirs, and nothing else', async () => {
    expect(await as('ben').update(Notes, { id: 'c1' }, { ownerId: 'ben' })).toBe(0)
    expect(await as('ann').update(Notes, { id: 'a1' }, { ownerId: 'dan' })).toBe(1)
    expect(await as('ann').findOne(Notes, { where: { id: 'a1' } })).toBeNull()
  })

  it('is the same caller in a transaction, and all or nothing', async () => {
    const before = await world.snapshot()
    const failing = as('ann').transaction(async (manager) => {
      expect(await ids(manager.find(Notes))).toEqual(['a1', 'a2'])
      await manager.update(Notes, { id: 'a1' }, { title: 'half' })
      throw new RangeError('midway')
    })
    await expect(failing).rejects.toThrow('midway')
    expect(await world.snapshot()).toBe(before)
  })
})

describe('V1.2.4 V8.3.1 through TypeORM is refused', () => {
  const odd = (value: object): never => value as never
  const refused: [string, (manager: ScopedManager) => Promise<unknown>][] = [
    ['a table that is no resource', (m) => m.find(Secrets)],
    ['raw SQL in a criterion', (m) => m.find(Notes, { where: { id: Raw('1 = 1 or true') } })],
    ['raw SQL inside of another', (m) => m.find(Notes, { where: { id: Not(Raw('x')) } })],
    ['a relation in a criterion', (m) => m.find(Notes, { where: odd({ shares: { userId: 'ben' } }) })],
    ['a relation to load', (m) => m.find(Notes, odd({ relations: { shares: true } }))],
    ['a join', (m) => m.find(Notes, odd({ join: { alias: 'x' } }))],
    ['a relation to order by', (m) => m.find(Notes, { order: odd({ shares: { id: 'ASC' } }) })],
    ['a relation to select', (m) => m.find(Notes, { select: odd({ shares: { id: true } }) })],
    ['a text as a criterion', (m) => m.find(Notes, { where: odd(['1 = 1']) })],
    ['the owner in an insert', (m) => m.insert(Notes, { title: 'x', state: 'd', ownerId: 'ben' })],
    ['the tenant in an insert', (m) => m.insert(Notes, { title: 'x', state: 'd', tenantId: 'y' })],
    ['the key in an insert', (m) => m.insert(Notes, { id: 'b1', title: 'x', state: 'd' })],
    ['SQL in an insert', (m) => m.insert(Notes, { title: odd(() => 'current_user'), state: 'd' })],
    [
      'a nested row in an insert',
      (m) => m.insert(Notes, odd({ title: 'x', state: 'd', shares: [{ userId: 'x' }] })),
    ],
    [
      'SQL in an update',
      (m) => m.update(Notes, { id: 'a1' }, { title: odd(() => '(select id from secrets)') }),
    ],
    ['the key in an update', (m) => m.update(Notes, { id: 'a1' }, { id: 'z' })],
    ['the tenant in an update', (m) => m.update(Notes, { id: 'a1' }, { tenantId: 'y' })],
    ['what is set once', (m) => m.update(Notes, { id: 'a1' }, { state: 'published' })],
    ['the parent in an update', (m) => m.update(Shares, { id: 's1' }, { noteId: 'a2' })],
    ['an insert of reference data', (m) => m.insert(Countries, { id: 'de' })],
    ['a delete of reference data', (m) => m.delete(Countries, { id: 'at' })],
  ]
  for (const [what, run] of refused) {
    it(what, async () => {
      const before = await world.snapshot()
      await expect(run(as('ann'))).rejects.toMatchObject({ code: 'INTERNAL' })
      expect(await world.snapshot()).toBe(before)
    })
  }

  it('every way past it: nothing of TypeORM can be reached from it', () => {
    const manager = as('ann')
    const own = [
      ...Object.getOwnPropertyNames(manager),
      ...Object.getOwnPropertyNames(ScopedManager.prototype),
    ]
    expect(own.sort()).toEqual(
      [
        'constructor',
        'count',
        'delete',
        'exists',
        'find',
        'findOne',
        'findOneOrFail',
        'insert',
        'transaction',
        'update',
      ].sort(),
    )
  })
})
