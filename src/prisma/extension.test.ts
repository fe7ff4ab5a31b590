import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { PrismaPg } from '@prisma/adapter-pg'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import {
  Comment,
  Country,
  Note,
  type OrmWorld,
  ormWorld,
  resources,
  Share,
  scopeOf,
} from '../../test/kit/orm-world.ts'
import { resource, type Scope } from '../data/index.ts'
import { rowRules } from './extension.ts'

interface Row {
  readonly id: string
  readonly [column: string]: unknown
}
type Act = (args?: unknown) => Promise<never>
type Delegate = Readonly<
  Record<
    | 'findMany'
    | 'findUnique'
    | 'findUniqueOrThrow'
    | 'findFirst'
    | 'count'
    | 'aggregate'
    | 'groupBy'
    | 'create'
    | 'createMany'
    | 'createManyAndReturn'
    | 'update'
    | 'updateMany'
    | 'upsert'
    | 'delete'
    | 'deleteMany',
    Act
  >
>
/** The part of a generated client that is used here; it is made by the test and not there when types are checked. */
interface Client {
  readonly note: Delegate
  readonly share: Delegate
  readonly comment: Delegate
  readonly country: Delegate
  readonly secret: Delegate
  $extends(extension: unknown): Client
  $transaction<T>(run: (client: Client) => Promise<T>): Promise<T>
  $disconnect(): Promise<void>
  $queryRawUnsafe(text: string): Promise<unknown>
  $executeRawUnsafe(text: string): Promise<unknown>
  $queryRaw(parts: TemplateStringsArray): Promise<unknown>
  $executeRaw(parts: TemplateStringsArray): Promise<unknown>
}

const fixture = fileURLToPath(new URL('../../test/fixtures/prisma/', import.meta.url))
const prismaCli = fileURLToPath(new URL('../../node_modules/prisma/build/index.js', import.meta.url))

let world: OrmWorld
let prisma: Client
beforeAll(async () => {
  // The generator needs no engine of its own, but looks for one.
  const env = { ...process.env, PRISMA_SCHEMA_ENGINE_BINARY: process.execPath, CHECKPOINT_DISABLE: '1' }
  await promisify(execFile)(process.execPath, [prismaCli, 'generate'], { cwd: fixture, env })
  const path: string = `${fixture}generated/client.ts`
  const { PrismaClient } = await import(path)
  world = await ormWorld()
  prisma = new PrismaClient({ adapter: new PrismaPg({ connectionString: world.url }) })
}, 60_000)
afterEach(() => world.reset())
afterAll(async () => {
  await prisma.$disconnect()
  await world.drop()
})

const models = { Note, Share, Comment, Country }
const as = (userId: string | null, more: Partial<Scope> = {}) =>
  prisma.$extends(rowRules(prisma, { resources, models, scope: scopeOf(userId, more) }))
const ids = async (found: Promise<readonly Row[]>) => (await found).map(({ id }) => id).sort()

describe('V8.2.2 through Prisma a caller', () => {
  it('reads what is theirs, granted or published, in their tenant alone', async () => {
    expect(await ids(as('ann').note.findMany())).toEqual(['a1', 'a2'])
    expect(await ids(as('ben').note.findMany())).toEqual(['a1', 'a2', 'b1', 'c1'])
    expect(await ids(as('dan').note.findMany())).toEqual(['a2'])
    expect(await ids(as('ann', { tenantId: 'y' }).note.findMany())).toEqual(['y1'])
    expect(await ids(as(null).note.findMany())).toEqual([])
    expect(await ids(as(null).country.findMany())).toEqual(['at'])
    expect(await ids(as('dan', { lifted: new Map([['notes', { key: 'b1' }]]) }).note.findMany())).toEqual([
      'a2',
      'b1',
    ])
    expect(await ids(as('ben').share.findMany())).toEqual(['s1', 's2'])
    expect(await ids(as('ben').comment.findMany())).toEqual(['k1', 'k2'])
    expect(await ids(as('dan').comment.findMany())).toEqual([])
  })

  it('cannot widen that by filters, cursors or totals', async () => {
    const dan = as('dan').note
    const wide = { OR: [{ id: 'b1' }, { NOT: { id: 'x' } }], AND: [{ OR: [{ id: 'b1' }, { id: 'a2' }] }] }
    expect(await ids(dan.findMany({ where: wide }))).toEqual(['a2'])
    expect(await dan.findUnique({ where: { id: 'b1' } })).toBeNull()
    expect(await dan.findFirst({ where: { id: { in: ['b1', 'c1'] } } })).toBeNull()
    await expect(dan.findUniqueOrThrow({ where: { id: 'b1' } })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    })
    expect(await dan.count()).toBe(1)
    expect(await dan.count({ where: { NOT: { id: 'x' } } })).toBe(1)
    expect(await dan.aggregate({ _count: true, _max: { title: true } })).toEqual({
      _count: 1,
      _max: { title: 'of ann' },
    })
    expect(await dan.groupBy({ by: ['ownerId'], _count: { _all: true } })).toEqual([
      { ownerId: 'ann', _count: { _all: 1 } },
    ])
    expect(await ids(dan.findMany({ cursor: { id: 'b1' }, orderBy: { id: 'asc' } }))).not.toContain('b1')
    expect(
      await ids(as('ben').note.findMany({ distinct: ['ownerId'], orderBy: { id: 'asc' }, take: 5 })),
    ).toHaveLength(3)
  })

  it('changes and deletes only what the rules let them', async () => {
    const before = await world.snapshot()
    const ben = as('ben').note
    await expect(ben.update({ where: { id: 'a1' }, data: { title: 'mine' } })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    })
    await expect(ben.delete({ where: { id: 'a1' } })).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect(
      await as('dan').note.updateMany({
        where: { OR: [{ id: 'b1' }, { id: { not: 'x' } }] },
        data: { title: 'mine' },
      }),
    ).toEqual({ count: 0 })
    expect(await as('dan').note.deleteMany({})).toEqual({ count: 0 })
    expect(await as(null).note.deleteMany()).toEqual({ count: 0 })
    expect(await world.snapshot()).toBe(before)
    expect(await ben.update({ where: { id: 'c1' }, data: { title: 'new' } })).toMatchObject({
      title: 'new',
      revision: 2,
    })
    expect(await ben.updateMany({ data: { title: { set: 'all' } } })).toEqual({ count: 2 })
    expect(await as('root', { roles: ['admin'] }).note.deleteMany()).toEqual({ count: 4 })
  })

  it('inserts rows as theirs, and only where the rules let them', async () => {
    expect(await as('dan').note.create({ data: { title: 't', state: 'draft' } })).toMatchObject({
      ownerId: 'dan',
      tenantId: 'x',
      revision: 1,
    })
    await as('ben').comment.create({ data: { noteId: 'c1', body: 'hey' } })
    const before = await world.snapshot()
    await expect(as('dan').comment.create({ data: { noteId: 'c1', body: 'x' } })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    })
    const several = [
      { noteId: 'a1', userId: 'dan', permission: 'read' },
      { noteId: 'b1', userId: 'dan', permission: 'read' },
    ]
    await expect(as('ann').share.createMany({ data: several })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    })
    await expect(as('ann').share.createManyAndReturn({ data: several })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    })
    expect(await world.snapshot()).toBe(before)
    expect(await as('ann').share.createMany({ data: several.slice(0, 1) })).toEqual({ count: 1 })
  })

  it('gives away what is theirs, and nothing else', async () => {
    await expect(
      as('ben').note.update({ where: { id: 'c1' }, data: { ownerId: 'ben' } }),
    ).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await as('ann').note.updateMany({ where: { id: 'a1' }, data: { ownerId: 'dan' } })
    expect(await as('ann').note.findUnique({ where: { id: 'a1' } })).toBeNull()
  })

  it('does not change a row of somebody else by an upsert', async () => {
    const before = await world.snapshot()
    const upsert = as('dan').note.upsert({
      where: { id: 'b1' },
      create: { title: 'made', state: 'draft' },
      update: { title: 'changed' },
    })
    await expect(upsert).resolves.toMatchObject({ ownerId: 'dan', title: 'made' })
    expect(await world.snapshot()).toContain('of ben')
    expect(await world.snapshot()).not.toContain('changed')
    expect(before).not.toContain('made')
  })

  it('is the same caller in a transaction', async () => {
    await as('dan').$transaction(async (trx) => {
      expect(await ids(trx.note.findMany())).toEqual(['a2'])
      await expect(trx.$queryRawUnsafe('select 1')).rejects.toMatchObject({ code: 'INTERNAL' })
    })
  })
})

describe('V1.2.4 V8.3.1 through Prisma is refused', () => {
  const refused: [string, (client: Client) => Promise<unknown>][] = [
    ['a model that is no resource', (c) => c.secret.findMany()],
    ['a raw query', (c) => c.$queryRaw`select * from secrets`],
    ['a raw query as a text', (c) => c.$queryRawUnsafe('select * from secrets')],
    ['a raw command', (c) => c.$executeRaw`delete from notes`],
    ['a raw command as a text', (c) => c.$executeRawUnsafe('delete from notes')],
    ['including a relation', (c) => c.note.findMany({ include: { shares: true } })],
    ['selecting a relation', (c) => c.note.findMany({ select: { id: true, shares: true } })],
    ['counting a relation', (c) => c.note.findMany({ select: { _count: { select: { shares: true } } } })],
    ['a filter on a relation', (c) => c.note.findMany({ where: { shares: { some: { userId: 'ben' } } } })],
    ['one inside of NOT', (c) => c.note.findMany({ where: { NOT: [{ comments: { none: {} } }] } })],
    ['an order by a relation', (c) => c.share.findMany({ orderBy: { note: { title: 'asc' } } })],
    ['a strategy of loading', (c) => c.note.findMany({ relationLoadStrategy: 'join' })],
    ['the owner in a create', (c) => c.note.create({ data: { title: 'x', state: 'd', ownerId: 'ben' } })],
    ['the key in a create', (c) => c.note.create({ data: { id: 'b1', title: 'x', state: 'd' } })],
    [
      'a nested create',
      (c) => c.note.create({ data: { title: 'x', state: 'd', shares: { create: { userId: 'x' } } } }),
    ],
    [
      'a connection',
      (c) => c.share.create({ data: { userId: 'x', permission: 'read', note: { connect: { id: 'b1' } } } }),
    ],
    ['a nested update', (c) => c.note.update({ where: { id: 'a1' }, data: { shares: { deleteMany: {} } } })],
    ['the tenant in an update', (c) => c.note.update({ where: { id: 'a1' }, data: { tenantId: 'y' } })],
    [
      'the revision in an update',
      (c) => c.note.update({ where: { id: 'a1' }, data: { revision: { increment: 5 } } }),
    ],
    ['what is set once', (c) => c.note.update({ where: { id: 'a1' }, data: { state: 'published' } })],
    ['the parent in an update', (c) => c.share.updateMany({ data: { noteId: 'a2' } })],
    ['an insert of reference data', (c) => c.country.create({ data: { id: 'de' } })],
    ['a change of reference data', (c) => c.country.updateMany({ data: { id: 'de' } })],
  ]
  for (const [what, run] of refused) {
    it(what, async () => {
      const before = await world.snapshot()
      await expect(run(as('ann'))).rejects.toMatchObject({ code: 'INTERNAL' })
      expect(await world.snapshot()).toBe(before)
    })
  }

  it('a resource with columns that only Holdfast’s own db handles', () => {
    const Sealed = resource('sealed', 'sealed', {
      row: z.strictObject({ id: z.string(), ownerId: z.string(), pin: z.string() }),
      owner: 'ownerId',
      server: { id: 'uuid' },
      encrypted: ['pin'],
    })
    expect(() => rowRules(prisma, { resources, models: { Sealed }, scope: scopeOf('ann') })).toThrow(
      'encrypted',
    )
  })
})
