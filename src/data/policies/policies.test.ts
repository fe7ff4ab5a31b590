import { Kysely, PostgresDialect, sql } from 'kysely'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { type FreshPostgres, freshPostgres } from '../../../test/kit/postgres.ts'
import { Secret } from '../../base/index.ts'
import { migrateUp } from '../migrations/migrate.ts'
import type { Migration } from '../migrations/migration.ts'
import { type Database, openPostgres } from '../open.ts'
import {
  allOf,
  anyCaller,
  callerHas,
  callerIs,
  granted,
  type Resource,
  resource,
  shared,
  through,
  where,
} from '../resource.ts'
import { OwnedRows } from '../scoped/database.ts'
import { applyPolicies, requirePolicies } from './apply.ts'

const text = z.string().max(100)
const resources: readonly Resource[] = [
  resource('note', 'notes', {
    row: z.strictObject({ id: z.uuid(), ownerId: text, tenantId: text, state: text }),
    owner: 'ownerId',
    tenant: 'tenantId',
    server: { id: 'handler' },
    read: [
      granted('shares', { row: 'noteId', user: 'userId' }),
      allOf(anyCaller('Published is for everyone.'), where('state', '=', 'published')),
    ],
    update: [
      granted('shares', { row: 'noteId', user: 'userId', where: { permission: "wri'te" } }),
      callerHas('editor'),
    ],
    transfer: 'owner',
  }),
  resource('share', 'shares', {
    row: z.strictObject({ id: text, noteId: z.uuid(), userId: text, permission: text }),
    owner: through('notes', 'noteId'),
    server: { id: 'uuid' },
    read: callerIs('userId'),
  }),
  resource('comment', 'comments', {
    row: z.strictObject({ id: text, noteId: z.uuid(), authorId: text }),
    owner: 'authorId',
    server: { id: 'uuid' },
    insert: through('notes', 'noteId', 'read'),
    read: through('notes', 'noteId', 'read'),
  }),
  resource('country', 'countries', {
    row: z.strictObject({ id: text }),
    owner: shared('Reference data, the same for everyone.'),
    server: {},
  }),
]

const id = (digit: number) => `00000000-0000-4000-8000-00000000000${digit}`
let postgres: FreshPostgres
let database: Database
let bypass: pg.Pool

beforeAll(async () => {
  postgres = await freshPostgres()
  database = await openPostgres(new Secret(postgres.url))
  for (const table of [
    'create table notes (id uuid primary key, "ownerId" text, "tenantId" text, state text)',
    'create table shares (id text primary key, "noteId" uuid, "userId" text, permission text)',
    'create table comments (id text primary key, "noteId" uuid, "authorId" text)',
    'create table countries (id text primary key)',
    'create table secrets (id text primary key)',
    `insert into notes values ('${id(1)}', 'ann', 'x', 'draft'), ('${id(2)}', 'ben', 'x', 'draft'),
      ('${id(3)}', 'ann', 'x', 'published'), ('${id(4)}', 'ann', 'y', 'published')`,
    `insert into shares values ('s1', '${id(1)}', 'ben', 'read'), ('s2', '${id(1)}', 'cat', 'wri''te')`,
    `insert into countries values ('at')`,
  ])
    await sql.raw(table).execute(database.db)
  await applyPolicies(database.db, parts())
  // A pool of the application's role without any code of ours in front: the first wall is taken away.
  bypass = new pg.Pool({ connectionString: postgres.url, options: `-c role=${database.appRole}`, max: 2 })
})

afterAll(async () => {
  await bypass.end()
  await database.close()
  await postgres.drop()
})

function parts() {
  return { resources, role: database.appRole ?? '', ownTables: [] }
}

interface Who {
  readonly user?: string
  readonly tenant?: string
  readonly roles?: readonly string[]
  readonly lifted?: Readonly<Record<string, string | true>>
}

/** Runs a text as a caller, past the first wall, and takes it back. */
async function past(who: Who, statement: string): Promise<readonly unknown[]> {
  const client = await bypass.connect()
  try {
    await client.query('begin')
    const { user = '', tenant = '', roles = [], lifted = {} } = who
    await client.query(
      "select set_config('holdfast.user', $1, true), set_config('holdfast.tenant', $2, true), set_config('holdfast.roles', $3, true), set_config('holdfast.lifted', $4, true)",
      [user, tenant, JSON.stringify(roles), JSON.stringify(lifted)],
    )
    return (await client.query(statement)).rows
  } finally {
    await client.query('rollback')
    client.release()
  }
}

const seen = async (who: Who) =>
  (await past(who, 'select id from notes order by id')).map((row) => Number(String(Object(row).id).at(-1)))

const ann: Who = { user: 'ann', tenant: 'x' }
const ben: Who = { user: 'ben', tenant: 'x' }
const cat: Who = { user: 'cat', tenant: 'x' }

describe('V8.2.2 with the first wall taken away, a session still', () => {
  it('sees nothing as nobody', async () => {
    for (const table of ['notes', 'shares', 'comments'])
      expect(await past({}, `select * from ${table}`)).toEqual([])
    expect(await past({}, 'select * from countries')).toHaveLength(1)
    const { rows } = await bypass.query('select * from notes')
    expect(rows).toEqual([])
  })

  it('sees its own rows, those granted, those of its roles, and none of another tenant', async () => {
    expect(await seen(ann)).toEqual([1, 3])
    expect(await seen(ben)).toEqual([1, 2, 3])
    expect(await seen(cat)).toEqual([1, 3])
    expect(await seen({ user: 'dan', tenant: 'x' })).toEqual([3])
    expect(await seen({ user: 'dan', tenant: 'x', roles: ['editor'] })).toEqual([1, 2, 3])
    expect(await seen({ user: 'ann', tenant: 'y' })).toEqual([4])
    expect(await seen({ user: 'ann' })).toEqual([])
    expect(await seen({ user: 'dan', tenant: 'x', lifted: { notes: id(2) } })).toEqual([2, 3])
    expect(await seen({ user: 'dan', tenant: 'x', lifted: { notes: true } })).toEqual([1, 2, 3])
  })

  it('changes only what its rules let it change', async () => {
    const change = (who: Who) => past(who, `update notes set state = 'x' where id = '${id(1)}' returning id`)
    expect(await change(ann)).toHaveLength(1)
    expect(await change(ben)).toHaveLength(0)
    expect(await change(cat)).toHaveLength(1)
    const remove = (who: Who) => past(who, `delete from notes where id = '${id(1)}' returning id`)
    expect(await remove(cat)).toHaveLength(0)
    expect(await remove(ann)).toHaveLength(1)
  })

  const refused: [string, Who, string][] = [
    ['a row for somebody else', ann, `insert into notes values ('${id(9)}', 'ben', 'x', '')`],
    ['a row in another tenant', ann, `insert into notes values ('${id(9)}', 'ann', 'y', '')`],
    ['handing a row over', ann, `update notes set "ownerId" = 'ben' where id = '${id(1)}'`],
    ['a row to another tenant', ann, `update notes set "tenantId" = 'y' where id = '${id(1)}'`],
    ['a share of a note of another', ben, `insert into shares values ('s9', '${id(1)}', 'dan', 'read')`],
    ['a comment on what is not readable', cat, `insert into comments values ('c9', '${id(2)}', 'cat')`],
    ['a comment as somebody else', cat, `insert into comments values ('c9', '${id(1)}', 'ann')`],
    ['reference data', ann, `insert into countries values ('de')`],
    ['a table that is no resource', ann, 'select * from secrets'],
    ['a table of its own', ann, 'create table mine (id text)'],
    ['the policies', ann, 'alter table notes disable row level security'],
    ['dropping a policy', ann, 'drop policy holdfast_select on notes'],
    ['the rules', ann, 'create function holdfast_rules.x() returns int language sql as $$ select 1 $$'],
    ['truncating', ann, 'truncate notes'],
  ]
  for (const [what, who, statement] of refused) {
    it(`cannot: ${what}`, async () => {
      await expect(past(who, statement)).rejects.toMatchObject({ code: '42501' })
    })
  }

  it('comments on what it may read', async () => {
    expect(
      await past(cat, `insert into comments values ('c9', '${id(1)}', 'cat') returning id`),
    ).toHaveLength(1)
  })
})

describe('the policies', () => {
  it('are made once, and again when the resources say something else', async () => {
    expect(await applyPolicies(database.db, parts())).toBe(false)
    await expect(requirePolicies(database.db, parts())).resolves.toBeUndefined()
    const fewer = { ...parts(), resources: resources.filter(({ name }) => name !== 'comment') }
    await expect(requirePolicies(database.db, fewer)).rejects.toThrow('holdfast migrate up')
    expect(await applyPolicies(database.db, fewer)).toBe(true)
    expect(await applyPolicies(database.db, parts())).toBe(true)
  })

  it('V8.2.2 are made again for a table that was made anew, and demanded of it', async () => {
    for (const change of [
      'drop table countries; create table countries (id text primary key)',
      'alter table notes disable row level security',
      'drop policy holdfast_delete on notes',
    ]) {
      for (const statement of change.split(';')) await sql.raw(statement).execute(database.db)
      await expect(requirePolicies(database.db, parts())).rejects.toThrow('holdfast migrate up')
      expect(await applyPolicies(database.db, parts())).toBe(true)
      await expect(requirePolicies(database.db, parts())).resolves.toBeUndefined()
    }
  })

  it('do not stand in the way of a migration that drops or changes a column they name', async () => {
    const steps: Migration[] = [
      {
        name: '0001-change',
        async up(db) {
          await sql`alter table notes alter column "ownerId" type varchar(50)`.execute(db)
          await sql`alter table notes alter column "ownerId" type text`.execute(db)
        },
      },
      {
        name: '0002-drop',
        async up(db) {
          await sql`alter table shares rename column permission to old`.execute(db)
          await sql`alter table shares add column permission text`.execute(db)
          await sql`update shares set permission = old`.execute(db)
          await sql`alter table shares drop column old`.execute(db)
        },
      },
    ]
    expect((await migrateUp(database, steps)).done).toEqual(['0001-change', '0002-drop'])
    await expect(requirePolicies(database.db, parts())).rejects.toThrow('holdfast migrate up')
    expect(await applyPolicies(database.db, parts())).toBe(true)
    expect(await seen(ben)).toEqual([1, 2, 3])
  })

  it('are made by one of two nodes that start at once', async () => {
    const other = { ...parts(), resources: resources.slice(0, 3) }
    const both = await Promise.all([applyPolicies(database.db, other), applyPolicies(database.db, other)])
    expect(both.sort()).toEqual([false, true])
    await applyPolicies(database.db, parts())
  })

  it('refuse a role that they would not hold for, and a table that is not there', async () => {
    const role = `${database.appRole}_strong`
    await sql.raw(`create role ${role} nologin bypassrls`).execute(database.db)
    await expect(applyPolicies(database.db, { ...parts(), role })).rejects.toThrow('exempt from row policies')
    await sql.raw(`drop role ${role}`).execute(database.db)
    const missing = resource('x', 'nowhere', {
      row: z.strictObject({ id: text }),
      owner: shared('x'),
      server: {},
    })
    await expect(applyPolicies(database.db, { ...parts(), resources: [missing] })).rejects.toThrow(
      '"nowhere"',
    )
  })

  it('V8.3.1 let a transfer through that the first wall has allowed, and say so to nobody else', async () => {
    const rows = new OwnedRows(database, resources)
    const as = (userId: string) =>
      rows.as<{ notes: { id: string; ownerId: string } }>({
        userId,
        tenantId: 'x',
        roles: [],
        lifted: new Map(),
      })
    const give = (from: string, to: string) =>
      as(from).updateTable('notes').set({ ownerId: to }).where('id', '=', id(2)).executeTakeFirstOrThrow()
    expect((await give('ann', 'ann')).numUpdatedRows).toBe(0n)
    expect((await give('ben', 'ann')).numUpdatedRows).toBe(1n)
    expect(await as('ben').selectFrom('notes').select('id').where('id', '=', id(2)).execute()).toEqual([])
    await as('ann')
      .transaction()
      .execute(async (trx) => {
        await trx.updateTable('notes').set({ ownerId: 'ben' }).where('id', '=', id(2)).execute()
        expect(await trx.selectFrom('notes').select('id').where('id', '=', id(2)).execute()).toEqual([])
        const unscoped = new Kysely<Record<string, never>>({ dialect: new PostgresDialect({ pool: bypass }) })
        await expect(sql`select count(*)::int as n from notes`.execute(unscoped)).resolves.toMatchObject({
          rows: [{ n: 0 }],
        })
      })
  })
})
