import { CompiledQuery, type CreateTableBuilder, type Kysely, sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { engineKinds, type FreshDatabase, freshDatabase } from '../../../test/kit/databases.ts'
import type { Database } from '../open.ts'
import { callerIs, granted, type Resource, resource, shared, through } from '../resource.ts'
import type { Scope } from '../scope.ts'
import { OwnedRows } from './database.ts'

interface Tables {
  notes: { id: string; ownerId: string; title: string; updatedAt: string; revision: number }
  shares: { id: string; noteId: string; userId: string; permission: string }
  countries: { id: string; name: string }
  secrets: { id: string; value: string }
}

const text = z.string().max(100)
const resources: readonly Resource[] = [
  resource('note', 'notes', {
    row: z.strictObject({ id: text, ownerId: text, title: text, updatedAt: text, revision: z.int() }),
    owner: 'ownerId',
    server: { id: 'handler', updatedAt: 'changed', revision: 'revision' },
    read: granted('shares', { row: 'noteId', user: 'userId' }),
    update: granted('shares', { row: 'noteId', user: 'userId', where: { permission: 'write' } }),
  }),
  resource('share', 'shares', {
    row: z.strictObject({ id: text, noteId: text, userId: text, permission: text }),
    owner: through('notes', 'noteId'),
    server: { id: 'uuid' },
    read: callerIs('userId'),
  }),
  resource('country', 'countries', {
    row: z.strictObject({ id: text, name: text }),
    owner: shared('Reference data, the same for everyone.'),
    server: {},
  }),
]

describe.each(engineKinds)('on %s', (engine) => {
  let database: Database
  let fresh: FreshDatabase
  let rows: OwnedRows

  function as(userId: string | null, more: Partial<Scope> = {}): Kysely<Tables> {
    return rows.as<Tables>({ userId, tenantId: null, roles: [], lifted: new Map(), ...more })
  }

  beforeEach(async () => {
    fresh = await freshDatabase(engine)
    database = fresh.database
    rows = new OwnedRows(database, resources, { nowMs: () => 0 })
    const { db } = database
    const all: [string, string[]][] = [
      ['notes', ['id', 'ownerId', 'title', 'updatedAt']],
      ['shares', ['id', 'noteId', 'userId', 'permission']],
      ['countries', ['id', 'name']],
      ['secrets', ['id', 'value']],
    ]
    for (const [table, columns] of all) {
      let create: CreateTableBuilder<string, string> = db.schema.createTable(table)
      for (const column of columns)
        create = create.addColumn(column, 'text', (c) => (column === 'id' ? c.primaryKey() : c))
      if (table === 'notes') create = create.addColumn('revision', 'integer')
      if (table === 'shares') create = create.addUniqueConstraint('once', ['noteId', 'userId'])
      await create.execute()
    }
    const note = (id: string, ownerId: string) => ({
      id,
      ownerId,
      title: `of ${ownerId}`,
      updatedAt: '',
      revision: 1,
    })
    await db
      .insertInto('notes')
      .values([note('a1', 'ann'), note('a2', 'ann'), note('b1', 'ben'), note('c1', 'cat')])
      .execute()
    await db
      .insertInto('shares')
      .values([
        { id: 's1', noteId: 'a1', userId: 'ben', permission: 'read' },
        { id: 's2', noteId: 'c1', userId: 'ben', permission: 'write' },
      ])
      .execute()
    await db.insertInto('countries').values({ id: 'at', name: 'Austria' }).execute()
    await db.insertInto('secrets').values({ id: 'x', value: 'hidden' }).execute()
    await fresh.secure(resources)
  })

  afterEach(() => fresh.drop())

  async function snapshot(): Promise<string> {
    const notes = await database.db.selectFrom('notes').selectAll().orderBy('id').execute()
    const shares = await database.db.selectFrom('shares').selectAll().orderBy('id').execute()
    return JSON.stringify({ notes, shares })
  }

  const idsOf = async (query: { execute(): Promise<{ id: string }[]> }) =>
    (await query.execute()).map(({ id }) => id).sort()

  describe('V8.2.2 what a caller can read', () => {
    it('is theirs and what is granted to them, in every place of a query', async () => {
      const ben = as('ben')
      const mine = ['a1', 'b1', 'c1']
      const notes = ben.selectFrom('notes')
      expect(await idsOf(notes.select('id'))).toEqual(mine)
      expect(await idsOf(ben.selectFrom('notes as n').select('n.id'))).toEqual(mine)
      expect(
        await idsOf(ben.selectFrom('shares').innerJoin('notes as n', 'n.id', 'shares.noteId').select('n.id')),
      ).toEqual(['a1', 'c1'])
      expect(
        await idsOf(
          ben
            .selectFrom('countries')
            .leftJoin('notes', (join) => join.onTrue())
            .select('notes.id')
            .$castTo<{ id: string }>(),
        ),
      ).toEqual(mine)
      expect(
        await idsOf(
          ben
            .with('mine', (q) => q.selectFrom('notes').select('id'))
            .selectFrom('mine')
            .select('id'),
        ),
      ).toEqual(mine)
      expect(await idsOf(notes.select('id').union(ben.selectFrom('notes').select('id')))).toEqual(mine)
      expect(
        await idsOf(ben.selectFrom((q) => q.selectFrom('notes').select('id').as('inner')).select('id')),
      ).toEqual(mine)
      const viaExists = ben
        .selectFrom('countries')
        .select('id')
        .where((q) => q.exists(q.selectFrom('notes').select('notes.id').where('notes.id', '=', 'a2')))
      expect(await idsOf(viaExists)).toEqual([])
      const count = await notes.select((q) => q.fn.countAll<number>().as('count')).executeTakeFirstOrThrow()
      expect(count.count).toBe(3)
      const inSelect = ben.selectFrom('countries').select((q) =>
        q
          .selectFrom('notes')
          .select((n) => n.fn.count<number>('id').as('n'))
          .as('count'),
      )
      expect(await inSelect.execute()).toEqual([{ count: 3 }])
      const inWhere = ben
        .selectFrom('shares')
        .select('id')
        .where('noteId', 'in', (q) => q.selectFrom('notes').select('notes.id'))
      expect(await idsOf(inWhere)).toEqual(['s1', 's2'])
    })

    it('is nothing but shared rows on an open route', async () => {
      expect(await as(null).selectFrom('notes').selectAll().execute()).toEqual([])
      expect(await as(null).selectFrom('countries').select('id').execute()).toEqual([{ id: 'at' }])
    })

    it('grows by what the access rule lifted, and by nothing else', async () => {
      expect(
        await idsOf(
          as('ann', { lifted: new Map([['notes', 'all']]) })
            .selectFrom('notes')
            .select('id'),
        ),
      ).toHaveLength(4)
      expect(
        await idsOf(
          as('ann', { lifted: new Map([['notes', { key: 'b1' }]]) })
            .selectFrom('notes')
            .select('id'),
        ),
      ).toEqual(['a1', 'a2', 'b1'])
    })
  })

  describe('V8.2.2 what a caller can change', () => {
    it('cannot update or delete a row of somebody else', async () => {
      const before = await snapshot()
      await as('ann').updateTable('notes').set({ title: 'mine' }).where('id', 'in', ['b1', 'c1']).execute()
      await as('ben').updateTable('notes').set({ title: 'mine' }).where('id', '=', 'a1').execute()
      await as('ben').deleteFrom('notes').where('id', 'in', ['a1', 'c1']).execute()
      await as('ben').deleteFrom('shares').execute()
      await as(null).updateTable('notes').set({ title: 'mine' }).execute()
      expect(await snapshot()).toBe(before)
    })

    it('updates what is theirs or granted, and stamps it', async () => {
      await as('ben').updateTable('notes').set({ title: 'new' }).execute()
      const rows = await database.db
        .selectFrom('notes')
        .selectAll()
        .where('title', '=', 'new')
        .orderBy('id')
        .execute()
      expect(rows.map(({ id, revision, updatedAt }) => [id, revision, updatedAt])).toEqual([
        ['b1', 2, '1970-01-01T00:00:00.000Z'],
        ['c1', 2, '1970-01-01T00:00:00.000Z'],
      ])
    })

    it('inserts rows that are the caller’s', async () => {
      const made = await as('ann')
        .insertInto('notes')
        .values(written({ id: 'n1', title: 'x' }))
        .returningAll()
        .executeTakeFirstOrThrow()
      expect(made).toMatchObject({ ownerId: 'ann', revision: 1 })
    })

    it('inserts a child only under a parent of the caller, also among several', async () => {
      const child = (noteId: string) => written({ noteId, userId: 'eve', permission: 'write' })
      const before = await snapshot()
      const several = as('ben')
        .insertInto('shares')
        .values([child('b1'), child('a1'), child('c1')])
      await expect(several.execute()).rejects.toMatchObject({ code: 'NOT_FOUND' })
      await expect(several.values(child('a1')).execute()).rejects.toMatchObject({ code: 'NOT_FOUND' })
      expect(await snapshot()).toBe(before)
      await as('ben').insertInto('shares').values(child('b1')).execute()
      const rows = await database.db
        .selectFrom('shares')
        .select('noteId')
        .where('userId', '=', 'eve')
        .execute()
      expect(rows).toEqual([{ noteId: 'b1' }])
    })

    it('does not overwrite a row of somebody else by a conflict', async () => {
      const before = await snapshot()
      const overwrite = as('ben')
        .insertInto('notes')
        .values(written({ id: 'a2', title: 'mine' }))
        .onConflict((conflict) => conflict.column('id').doUpdateSet({ title: 'mine' }))
      await expect(overwrite.execute()).rejects.toMatchObject({ code: 'NOT_FOUND' })
      expect(await snapshot()).toBe(before)
    })

    it('copies only what the caller may read, and as their own', async () => {
      await as('ben')
        .insertInto('notes')
        .columns(['id', 'title'])
        .expression((q) =>
          q.selectFrom('notes').select(['title as id', 'id as title']).where('id', '<>', 'b1').distinct(),
        )
        .execute()
      const made = await database.db
        .selectFrom('notes')
        .selectAll()
        .where('title', 'in', ['a1', 'c1', 'a2'])
        .execute()
      expect(made.map(({ title, ownerId, revision }) => [title, ownerId, revision]).sort()).toEqual([
        ['a1', 'ben', 1],
        ['c1', 'ben', 1],
      ])
    })

    it('takes values for an update from rows that the caller may read', async () => {
      await as('ben')
        .updateTable('notes')
        .from('shares')
        .set((q) => ({ title: q.ref('shares.permission') }))
        .whereRef('shares.noteId', '=', 'notes.id')
        .execute()
      const titles = await database.db.selectFrom('notes').select(['id', 'title']).orderBy('id').execute()
      expect(titles.map(({ title }) => title)).toEqual(['of ann', 'of ann', 'of ben', 'write'])
    })

    it('V2.3.3 leaves nothing of a refused insert of several rows, inside of a transaction that goes on', async () => {
      const child = (noteId: string) => written({ noteId, userId: 'eve', permission: 'write' })
      await as('ben')
        .transaction()
        .execute(async (trx) => {
          const several = trx.insertInto('shares').values([child('b1'), child('a1')])
          await expect(several.execute()).rejects.toMatchObject({ code: 'NOT_FOUND' })
          await trx.updateTable('notes').set({ title: 'goes on' }).where('id', '=', 'b1').execute()
        })
      const found = await database.db.selectFrom('shares').select('id').where('userId', '=', 'eve').execute()
      expect(found).toEqual([])
      const kept = await database.db.selectFrom('notes').select('id').where('title', '=', 'goes on').execute()
      expect(kept).toEqual([{ id: 'b1' }])
    })

    it('V2.3.4 does not overwrite by a conflict what the client has not seen', async () => {
      const expecting = as('ann', { expected: { table: 'notes', key: 'a1', revision: 9 } })
      const overwrite = expecting
        .insertInto('notes')
        .values(written({ id: 'a1', title: 'lost' }))
        .onConflict((conflict) => conflict.column('id').doUpdateSet({ title: 'lost' }))
      await expect(overwrite.execute()).rejects.toMatchObject({ code: 'NOT_FOUND' })
      expect(await snapshot()).not.toContain('lost')
    })

    it('V2.3.4 changes a row only while it has the revision the client saw', async () => {
      const expecting = (revision: number) => as('ann', { expected: { table: 'notes', key: 'a1', revision } })
      await expecting(9).updateTable('notes').set({ title: 'lost' }).where('id', '=', 'a1').execute()
      await expecting(9).deleteFrom('notes').where('id', '=', 'a1').execute()
      await expecting(1).updateTable('notes').set({ title: 'won' }).where('id', '=', 'a1').execute()
      const row = await database.db
        .selectFrom('notes')
        .select('title')
        .where('id', '=', 'a1')
        .executeTakeFirst()
      expect(row).toEqual({ title: 'won' })
    })
  })

  /** Values as plain JavaScript would give them: the compiler refuses server columns, a cast in a handler would not. */
  function written(values: object): never {
    return values as never
  }

  describe('V1.2.4 V8.3.1 what cannot be scoped is refused', () => {
    const raw = sql<string>`(select value from secrets)`
    const refused: [string, (db: Kysely<Tables>) => Promise<unknown>][] = [
      ['a table that is no resource', (db) => db.selectFrom('secrets').selectAll().execute()],
      [
        'in a join',
        (db) => db.selectFrom('notes').innerJoin('secrets', 'secrets.id', 'notes.id').selectAll().execute(),
      ],
      [
        'in a sub-query',
        (db) =>
          db
            .selectFrom('notes')
            .select((q) => q.selectFrom('secrets').select('value').as('v'))
            .execute(),
      ],
      ['with a schema', (db) => db.withSchema('main').selectFrom('notes').selectAll().execute()],
      ['raw in select', (db) => db.selectFrom('notes').select(raw.as('v')).execute()],
      ['raw in where', (db) => db.selectFrom('notes').selectAll().where(sql<boolean>`1 = 1`).execute()],
      ['raw in order by', (db) => db.selectFrom('notes').selectAll().orderBy(sql`title`).execute()],
      ['raw in from', (db) => db.selectFrom(sql<{ value: string }>`secrets`.as('s')).selectAll().execute()],
      [
        'raw in values',
        (db) =>
          db
            .insertInto('notes')
            .values(written({ id: 'r', title: raw }))
            .execute(),
      ],
      ['raw in set', (db) => db.updateTable('notes').set({ title: raw }).execute()],
      ['raw alone', (db) => sql`select * from secrets`.execute(db)],
      ['a compiled text', (db) => db.executeQuery(CompiledQuery.raw('select * from secrets'))],
      [
        'a compiled text without plugins',
        (db) => db.withoutPlugins().executeQuery(CompiledQuery.raw('select 1')),
      ],
      [
        'a query compiled elsewhere',
        (db) => db.executeQuery(database.db.selectFrom('secrets').selectAll().compile()),
      ],
      [
        'a copy of a compiled query',
        (db) =>
          db.executeQuery({ ...db.selectFrom('notes').selectAll().compile(), sql: 'select * from secrets' }),
      ],
      [
        'raw in a transaction',
        (db) => db.transaction().execute((trx) => sql`select * from secrets`.execute(trx)),
      ],
      [
        'raw on a connection',
        (db) => db.connection().execute((one) => one.executeQuery(CompiledQuery.raw('select 1'))),
      ],
      [
        'through the executor',
        (db) => db.getExecutor().provideConnection((one) => one.executeQuery(CompiledQuery.raw('select 1'))),
      ],
      ['introspection', (db) => db.introspection.getTables()],
      ['a new table', (db) => db.schema.createTable('t').addColumn('id', 'text').execute()],
      ['a dropped table', (db) => db.schema.dropTable('notes').execute()],
      [
        'replace',
        (db) =>
          db
            .replaceInto('notes')
            .values(written({ id: 'b1', title: 'x' }))
            .execute(),
      ],
      [
        'insert or replace',
        (db) =>
          db
            .insertInto('notes')
            .orReplace()
            .values(written({ id: 'b1', title: 'x' }))
            .execute(),
      ],
      [
        'a function',
        (db) =>
          db
            .selectFrom('notes')
            .select((q) => q.fn('pg_sleep', [q.val(9)]).as('x'))
            .execute(),
      ],
      [
        'SQL as the name of a function',
        (db) =>
          db
            .selectFrom('notes')
            .select((q) => q.fn('(select value from secrets) || lower', [q.val('')]).as('x'))
            .execute(),
      ],
      [
        'SQL as the name of an aggregate',
        (db) =>
          db
            .selectFrom('notes')
            .select((q) => q.fn.agg('(select 1) || max', ['id']).as('x'))
            .execute(),
      ],
      ['a name of the rules', (db) => db.selectFrom('notes as holdfast_parent_0').selectAll().execute()],
      [
        'a table that only its own expression names',
        (db) =>
          db
            .with('secrets', () => db.selectFrom('secrets').selectAll())
            .selectFrom('secrets')
            .selectAll()
            .execute(),
      ],
      [
        'an insert into shared rows',
        (db) => db.insertInto('countries').values({ id: 'x', name: 'x' }).execute(),
      ],
      [
        'the owner in an insert',
        (db) =>
          db
            .insertInto('notes')
            .values(written({ id: 'o', title: 'x', ownerId: 'ben' }))
            .execute(),
      ],
      ['the owner in an update', (db) => db.updateTable('notes').set({ ownerId: 'ben' }).execute()],
      ['the key in an update', (db) => db.updateTable('notes').set({ id: 'b1' }).execute()],
      ['the revision in an update', (db) => db.updateTable('notes').set({ revision: 1 }).execute()],
      ['the parent in an update', (db) => db.updateTable('shares').set({ noteId: 'b1' }).execute()],
      [
        'the owner in a conflict',
        (db) =>
          db
            .insertInto('notes')
            .values(written({ id: 'a1', title: 'x' }))
            .onConflict((c) => c.column('id').doUpdateSet({ ownerId: 'ann' }))
            .execute(),
      ],
      [
        'a common table named like a resource',
        (db) =>
          db
            .with('notes', (q) => q.selectFrom('countries').selectAll())
            .selectFrom('notes')
            .selectAll()
            .execute(),
      ],
      [
        'a common table out of its sight',
        (db) =>
          db
            .selectFrom(
              db
                .with('secrets', (q) => q.selectFrom('countries').selectAll())
                .selectFrom('secrets')
                .selectAll()
                .as('s'),
            )
            .innerJoin('secrets', (join) => join.onTrue())
            .selectAll('s')
            .execute(),
      ],
    ]
    for (const [name, run] of refused) {
      it(name, async () => {
        const before = await snapshot()
        await expect(run(as('ann'))).rejects.toMatchObject({ code: 'INTERNAL' })
        expect(await snapshot()).toBe(before)
      })
    }

    it('refuses every write on an open route', async () => {
      await expect(
        as(null)
          .insertInto('notes')
          .values(written({ id: 'x', title: 'x' }))
          .execute(),
      ).rejects.toMatchObject({ code: 'INTERNAL' })
    })

    it('does not close the database for others', async () => {
      await as('ann').destroy()
      expect(await as('ben').selectFrom('countries').select('id').execute()).toHaveLength(1)
    })
  })
})
