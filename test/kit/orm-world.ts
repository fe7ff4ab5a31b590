import { sql } from 'kysely'
import { z } from 'zod'
import { Secret } from '../../src/base/index.ts'
import {
  allOf,
  anyCaller,
  callerHas,
  callerIs,
  type Database,
  granted,
  openPostgres,
  type Resource,
  resource,
  type Scope,
  shared,
  through,
  where,
} from '../../src/data/index.ts'
import { freshPostgres } from './postgres.ts'

const text = z.string().max(100)

/** Notes with an owner, a tenant, grants, roles and a published state. */
export const Note: Resource = resource('note', 'notes', {
  row: z.strictObject({
    id: text,
    ownerId: text,
    tenantId: text,
    title: text,
    state: text,
    revision: z.int(),
  }),
  owner: 'ownerId',
  tenant: 'tenantId',
  server: { id: 'uuid', revision: 'revision' },
  read: [
    granted('note_shares', { row: 'noteId', user: 'userId' }),
    allOf(anyCaller('Published is for everyone.'), where('state', '=', 'published')),
  ],
  update: granted('note_shares', { row: 'noteId', user: 'userId', where: { permission: 'write' } }),
  delete: callerHas('admin'),
  transfer: 'owner',
  writeOnce: ['state'],
})

/** Shares, which belong to whoever owns the note. */
export const Share: Resource = resource('share', 'note_shares', {
  row: z.strictObject({ id: text, noteId: text, userId: text, permission: text }),
  owner: through('notes', 'noteId'),
  server: { id: 'uuid' },
  read: callerIs('userId'),
})

/** Comments, which only readers of the note may write. */
export const Comment: Resource = resource('comment', 'comments', {
  row: z.strictObject({ id: text, noteId: text, authorId: text, body: text }),
  owner: 'authorId',
  server: { id: 'uuid' },
  read: through('notes', 'noteId', 'read'),
  insert: through('notes', 'noteId', 'read'),
})

/** Reference data. */
export const Country: Resource = resource('country', 'countries', {
  row: z.strictObject({ id: text }),
  owner: shared('Reference data, the same for everyone.'),
  server: {},
})

/** Every resource of the world. */
export const resources: readonly Resource[] = [Note, Share, Comment, Country]

/** A caller in tenant `x`, unless said otherwise. */
export function scopeOf(userId: string | null, more: Partial<Scope> = {}): Scope {
  return { userId, tenantId: userId === null ? null : 'x', roles: [], lifted: new Map(), ...more }
}

/** A database with some of everything. */
export interface OrmWorld {
  readonly url: string
  readonly database: Database
  /** Every row of every table, as a text. */
  snapshot(): Promise<string>
  /** Puts the rows back as they were at the start. */
  reset(): Promise<void>
  drop(): Promise<void>
}

const tables = [
  'create table notes (id text primary key, "ownerId" text, "tenantId" text, title text, state text, revision integer)',
  'create table note_shares (id text primary key, "noteId" text references notes (id) on delete cascade, "userId" text, permission text)',
  'create table comments (id text primary key, "noteId" text references notes (id) on delete cascade, "authorId" text, body text)',
  'create table countries (id text primary key)',
  'create table secrets (id text primary key)',
]

const rows = [
  'truncate notes, note_shares, comments, countries, secrets',
  `insert into notes values ('a1', 'ann', 'x', 'of ann', 'draft', 1), ('a2', 'ann', 'x', 'of ann', 'published', 1),
    ('b1', 'ben', 'x', 'of ben', 'draft', 1), ('c1', 'cat', 'x', 'of cat', 'draft', 1),
    ('y1', 'ann', 'y', 'of ann', 'published', 1)`,
  `insert into note_shares values ('s1', 'a1', 'ben', 'read'), ('s2', 'c1', 'ben', 'write')`,
  `insert into comments values ('k1', 'a1', 'ann', 'hi'), ('k2', 'c1', 'cat', 'ho')`,
  `insert into countries values ('at')`,
  `insert into secrets values ('hidden')`,
]

/** Makes the world. */
export async function ormWorld(): Promise<OrmWorld> {
  const postgres = await freshPostgres()
  const database = await openPostgres(new Secret(postgres.url), { connectionCount: 2 })
  const run = async (statements: readonly string[]): Promise<void> => {
    for (const statement of statements) await sql.raw(statement).execute(database.db)
  }
  await run([...tables, ...rows])
  return {
    url: postgres.url,
    database,
    async snapshot() {
      const all = await Promise.all(
        ['notes', 'note_shares', 'comments', 'countries'].map((table) =>
          database.db.selectFrom(table).selectAll().orderBy('id').execute(),
        ),
      )
      return JSON.stringify(all)
    },
    reset: () => run(rows),
    async drop() {
      await database.close()
      await postgres.drop()
    },
  }
}
