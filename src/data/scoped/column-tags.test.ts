import type { Kysely } from 'kysely'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { engineKinds, type FreshDatabase, freshDatabase } from '../../../test/kit/databases.ts'
import { Secret } from '../../base/index.ts'
import { Problem } from '../../errors/index.ts'
import { type Resource, resource } from '../resource.ts'
import { OwnedRows } from './database.ts'
import type { FieldVault } from './vault.ts'

const text = z.string().max(200)
const resources: readonly Resource[] = [
  resource('person', 'people', {
    row: z.strictObject({
      id: text,
      ownerId: text,
      name: text.nullable(),
      email: text.nullable(),
      pin: text,
      pay: z.int().nullable(),
      remark: text,
    }),
    owner: 'ownerId',
    server: { id: 'handler' },
    encrypted: ['name', 'email'],
    lookup: { email: 'emailIndex' },
    secret: ['pin'],
    readableBy: { pay: ['hr'] },
  }),
  resource('pet', 'pets', {
    row: z.strictObject({ id: text, ownerId: text, name: text }),
    owner: 'ownerId',
    server: { id: 'handler' },
  }),
]

interface Tables {
  people: {
    id: string
    ownerId: string
    name: string | null
    email: string | null
    pin: string
    pay: number | null
    remark: string
  }
  pets: { id: string; ownerId: string; name: string }
}

/** Writes place and value down, readable for the test; a value opens in its own place only. */
const vault: FieldVault = {
  keyCount: () => 2,
  seal: (place, plain) => `sealed:${Buffer.from(JSON.stringify({ place, plain })).toString('base64url')}`,
  open(place, stored) {
    const held: unknown = JSON.parse(Buffer.from(stored.slice('sealed:'.length), 'base64url').toString())
    if (JSON.stringify(Object(held).place) !== JSON.stringify(place))
      throw new Problem('INTERNAL', `"${place.table}.${place.column}" does not open`)
    return Object(held).plain
  },
  blindIndexes: (table, column, plain) =>
    ['k2', 'k1'].map((key) => `${key}.${table}.${column}.${String(plain).length}-${String(plain)}`),
}

const values = (row: object): never => row as never

describe.each(engineKinds)('on %s', (engine) => {
  let fresh: FreshDatabase
  let rows: OwnedRows
  const as = (userId: string, roles: readonly string[] = []): Kysely<Tables> =>
    rows.as<Tables>({ userId, tenantId: null, roles, lifted: new Map() })

  beforeEach(async () => {
    fresh = await freshDatabase(engine)
    const { db } = fresh.database
    let people = db.schema.createTable('people').addColumn('id', 'text', (column) => column.primaryKey())
    for (const column of ['ownerId', 'name', 'email', 'emailIndex', 'pin', 'remark'])
      people = people.addColumn(column, 'text')
    await people.addColumn('pay', 'integer').execute()
    await db.schema
      .createTable('pets')
      .addColumn('id', 'text')
      .addColumn('ownerId', 'text')
      .addColumn('name', 'text')
      .execute()
    await fresh.secure(resources)
    rows = new OwnedRows(fresh.database, resources, { vault })
    await as('ann')
      .insertInto('people')
      .values(values({ id: 'p1', name: 'Ada', email: 'ada@x', pin: '4711', pay: 7, remark: 'r' }))
      .execute()
    await as('ann')
      .insertInto('people')
      .values(values({ id: 'p2', name: null, email: null, pin: '0815', pay: null, remark: 'r' }))
      .execute()
    await as('ben')
      .insertInto('people')
      .values(values({ id: 'p3', name: 'Ben', email: 'ada@x', pin: '1', pay: 9, remark: 'r' }))
      .execute()
    await as('ann')
      .insertInto('pets')
      .values(values({ id: 'c1', name: 'Tom' }))
      .execute()
  })
  afterEach(() => fresh.drop())

  const stored = () => fresh.database.db.selectFrom('people').selectAll().orderBy('id').execute()

  describe('V14.2.6 V11.3.2 an encrypted column', () => {
    it('stands sealed, and comes plain wherever a query moves it', async () => {
      const [row] = await stored()
      expect(row?.['name']).toMatch(/^sealed:/)
      expect(row?.['emailIndex']).toBe('k2.people.email.5-ada@x')
      const ann = as('ann')
      expect(await ann.selectFrom('people').select(['id', 'name']).orderBy('id').execute()).toEqual([
        { id: 'p1', name: 'Ada' },
        { id: 'p2', name: null },
      ])
      const moved = ann
        .with('inner', (q) => q.selectFrom('people as p').select(['p.id', 'p.name as called']))
        .selectFrom((q) => q.selectFrom('inner').selectAll().as('outer'))
        .select('outer.called')
        .where('outer.id', '=', 'p1')
      expect(await moved.execute()).toEqual([{ called: 'Ada' }])
      const joined = ann
        .selectFrom('pets')
        .innerJoin('people', 'people.ownerId', 'pets.ownerId')
        .select('people.name as who')
        .where('people.id', '=', 'p1')
      expect(await joined.execute()).toEqual([{ who: 'Ada' }])
      const scalar = ann
        .selectFrom('pets')
        .select((q) => q.selectFrom('people').select('people.name').where('people.id', '=', 'p1').as('who'))
      expect(await scalar.execute()).toEqual([{ who: 'Ada' }])
    })

    it('changes by the key of its row, and comes plain from RETURNING', async () => {
      const ann = as('ann')
      const changed = ann
        .updateTable('people')
        .set({ name: 'Bea', email: 'bea@x' })
        .where('id', '=', 'p1')
        .returning(['name', 'email as mail'])
      expect(await changed.execute()).toEqual([{ name: 'Bea', mail: 'bea@x' }])
      expect((await stored())[0]?.['emailIndex']).toBe('k2.people.email.5-bea@x')
      expect(await ann.deleteFrom('people').where('id', '=', 'p1').returning('name').execute()).toEqual([
        { name: 'Bea' },
      ])
    })

    it('is found by equality, under every live key, and by nobody else', async () => {
      const found = (db: Kysely<Tables>, email: string) =>
        db.selectFrom('people').select('id').where('email', '=', email).execute()
      expect(await found(as('ann'), 'ada@x')).toEqual([{ id: 'p1' }])
      expect(await found(as('cat'), 'ada@x')).toEqual([])
      await fresh.database.db
        .updateTable('people')
        .set({ emailIndex: 'k1.people.email.5-ada@x' })
        .where('id', '=', 'p1')
        .execute()
      expect(await found(as('ann'), 'ada@x')).toEqual([{ id: 'p1' }])
      expect(
        await as('ann').selectFrom('people').select('id').where('email', 'in', ['x', 'ada@x']).execute(),
      ).toEqual([{ id: 'p1' }])
      const change = as('ann').updateTable('people').set({ remark: 'seen' }).where('email', '=', 'ada@x')
      expect((await change.executeTakeFirstOrThrow()).numUpdatedRows).toBe(1n)
    })

    it('V11.3.3 does not open in another row, and the error says nothing of it', async () => {
      const [first] = await stored()
      await fresh.database.db
        .updateTable('people')
        .set({ name: String(first?.['name']) })
        .where('id', '=', 'p2')
        .execute()
      const read = as('ann').selectFrom('people').select('name').where('id', '=', 'p2').execute()
      await expect(read).rejects.toThrow('does not open')
      await expect(read).rejects.not.toThrow('Ada')
    })
  })

  it('V14.2.6 a secret column is a Secret, and JSON of a row never holds it', async () => {
    const row = await as('ann')
      .selectFrom('people')
      .selectAll()
      .where('id', '=', 'p1')
      .executeTakeFirstOrThrow()
    const pin: unknown = row.pin
    expect(pin).toBeInstanceOf(Secret)
    expect(pin instanceof Secret && pin.reveal()).toBe('4711')
    expect(JSON.stringify(row)).not.toContain('4711')
    expect(row).not.toHaveProperty('emailIndex')
  })

  it('V8.2.3 a withheld column is null without the role, in every place of a query', async () => {
    const pays = (db: Kysely<Tables>) =>
      db.selectFrom('people').select(['id', 'pay']).where('id', '=', 'p1').execute()
    expect(await pays(as('ann'))).toEqual([{ id: 'p1', pay: null }])
    expect(await pays(as('ann', ['hr']))).toEqual([{ id: 'p1', pay: 7 }])
    const ann = as('ann')
    expect(await ann.selectFrom('people').select('id').where('pay', '>', 1).execute()).toEqual([])
    expect(
      await ann
        .selectFrom('people')
        .select((q) => q.fn.max('pay').as('most'))
        .execute(),
    ).toEqual([{ most: null }])
    expect(
      await ann.updateTable('people').set({ remark: 'x' }).where('id', '=', 'p1').returning('pay').execute(),
    ).toEqual([{ pay: null }])
    const hr = as('ann', ['hr'])
      .updateTable('people')
      .set({ remark: 'x' })
      .where('pay', '=', 7)
      .returning('pay')
    expect(await hr.execute()).toEqual([{ pay: 7 }])
  })

  it('a text that looks like the inside of this stays what it is', async () => {
    const odd = '\u0001x\u0001people\u0001pin\u0001sealed:abc p1'
    await as('ann').updateTable('people').set({ remark: odd }).where('id', '=', 'p1').execute()
    const row = await as('ann')
      .selectFrom('people')
      .select('remark')
      .where('id', '=', 'p1')
      .executeTakeFirstOrThrow()
    expect(row.remark).toBe(odd)
  })

  describe('V8.2.3 V14.2.6 is refused, and changes nothing', () => {
    const refused: [string, (db: Kysely<Tables>) => Promise<unknown>][] = [
      [
        'a comparison with an encrypted column',
        (db) => db.selectFrom('people').select('id').where('name', '=', 'Ada').execute(),
      ],
      ['a pattern', (db) => db.selectFrom('people').select('id').where('email', 'like', 'a%').execute()],
      ['an order by it', (db) => db.selectFrom('people').select('id').orderBy('name').execute()],
      [
        'a group by it',
        (db) =>
          db
            .selectFrom('people')
            .select((q) => q.fn.countAll().as('n'))
            .groupBy('email')
            .execute(),
      ],
      [
        'a function of it',
        (db) =>
          db
            .selectFrom('people')
            .select((q) => q.fn('lower', ['name']).as('x'))
            .execute(),
      ],
      [
        'a join on it',
        (db) =>
          db.selectFrom('people as a').innerJoin('people as b', 'a.name', 'b.name').select('a.id').execute(),
      ],
      [
        'a comparison with a secret',
        (db) => db.selectFrom('people').select('id').where('pin', '=', '4711').execute(),
      ],
      ['a change without naming the row', (db) => db.updateTable('people').set({ name: 'x' }).execute()],
      [
        'a change to an expression',
        (db) =>
          db
            .updateTable('people')
            .set((q) => ({ name: q.ref('remark') }))
            .where('id', '=', 'p1')
            .execute(),
      ],
      [
        'a copy into a plain column',
        (db) =>
          db
            .updateTable('people')
            .set((q) => ({ remark: q.ref('pin') }))
            .where('id', '=', 'p1')
            .execute(),
      ],
      [
        'a copy by a sub-query on the target',
        (db) =>
          db
            .updateTable('people')
            .set((q) => ({ remark: q.selectFrom('pets').select('people.pin').limit(1) }))
            .execute(),
      ],
      [
        'a condition on a withheld column',
        (db) => db.updateTable('people').set({ remark: 'x' }).where('pay', '>', 5).execute(),
      ],
      [
        'a withheld column as a value',
        (db) =>
          db
            .updateTable('people')
            .set((q) => ({ pay: q('pay', '+', 1) }))
            .execute(),
      ],
      [
        'a copy into another table',
        (db) =>
          db
            .insertInto('pets')
            .columns(['id', 'name'])
            .expression((q) => q.selectFrom('people').select(['id', 'pin']))
            .execute(),
      ],
      [
        'a copy by select all',
        (db) =>
          db
            .insertInto('pets')
            .columns(['id', 'name'])
            .expression((q) => q.selectFrom('people').select(['people.id', 'people.name']))
            .execute(),
      ],
      [
        'the blind index in an insert',
        (db) =>
          db
            .insertInto('people')
            .values(values({ id: 'z', pin: 'p', emailIndex: 'x' }))
            .execute(),
      ],
      [
        'the blind index in an update',
        (db) =>
          db
            .updateTable('people')
            .set(values({ emailIndex: 'x' }))
            .execute(),
      ],
    ]
    for (const [what, run] of refused) {
      it(what, async () => {
        const before = JSON.stringify([
          await stored(),
          await fresh.database.db.selectFrom('pets').selectAll().execute(),
        ])
        await expect(run(as('ann'))).rejects.toMatchObject({ code: 'INTERNAL' })
        const after = JSON.stringify([
          await stored(),
          await fresh.database.db.selectFrom('pets').selectAll().execute(),
        ])
        expect(after).toBe(before)
      })
    }
  })
})
