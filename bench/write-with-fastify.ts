import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import Fastify from 'fastify'
import pg from 'pg'
import { migrations } from '../examples/notes/migrations.ts'
import { Note, Share } from '../examples/notes/tables.ts'
import { Secret } from '../src/base/index.ts'
import { applyPolicies, migrateUp, openPostgres } from '../src/data/index.ts'

// The same statements by hand, on a bare Fastify: no token, no limit, no check of input or output, no log.

const noteCount = 64
const owner = randomUUID()
const create = (...parameters: string[]): string =>
  `insert into notes ("id", "ownerId", "title", "body", "createdAt", "updatedAt", "revision") values (${parameters.join(', ')}, 1) returning *`
const mine = (user: string): string =>
  `("ownerId" = ${user} or exists (select 1 from note_shares as s where s."noteId" = notes."id" and s."userId" = ${user} and s."permission" = 'write'))`

interface Row {
  readonly id: string
}

interface Notes {
  create(id: string, title: string, body: string): Row | Promise<Row>
  find(id: string): unknown
  update(id: string, title: string, body: string): unknown
}

/** `synchronous=full`, as an answered write has to be on the disk. */
function onSqlite(): Notes {
  const db = new DatabaseSync(join(process.env['HOLDFAST_DATA_DIR'] ?? '.', 'hand.sqlite'))
  db.exec('pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on')
  db.exec(tables)
  const insert = db.prepare(create('?', '?', '?', '?', '?', '?'))
  const select = db.prepare(`select * from notes where "id" = ?1 and ${mine('?2')} limit 1`)
  const change = db.prepare(
    `update notes set "title" = ?3, "body" = ?4, "updatedAt" = ?5, "revision" = "revision" + 1 where "id" = ?1 and ${mine('?2')} returning *`,
  )
  return {
    create(id, title, body) {
      const now = new Date().toISOString()
      insert.get(id, owner, title, body, now, now)
      return { id, ...{ ownerId: owner, title, body, createdAt: now, updatedAt: now } }
    },
    find: (id) => select.get(id, owner),
    update: (id, title, body) => change.get(id, owner, title, body, new Date().toISOString()),
  }
}

type RunOne = (name: string, text: string, values: readonly string[]) => Promise<Row>

/** Prepared statements by name, one round trip each. */
async function plainly(url: string): Promise<RunOne> {
  const pool = new pg.Pool({ connectionString: url, max: 10 })
  await pool.query(tables)
  return async (name, text, values) => {
    const { rows } = await pool.query<Row>({ name, text, values: [...values] })
    return only(rows)
  }
}

/** The same behind the row policies that Holdfast makes, told for whom in a transaction, as is usual with pg. */
async function behindPolicies(url: string): Promise<RunOne> {
  const database = await openPostgres(new Secret(url))
  const { appRole } = database
  if (appRole === undefined) throw new TypeError('no role')
  await migrateUp(database, migrations)
  await applyPolicies(database.db, { resources: [Note, Share], role: appRole, ownTables: [] })
  await database.close()
  const pool = new pg.Pool({ connectionString: url, max: 10, options: `-c role=${appRole}` })
  return async (name, text, values) => {
    const client = await pool.connect()
    try {
      await client.query('begin')
      await client.query({
        name: 'user',
        text: `select set_config('holdfast.user', $1, true)`,
        values: [owner],
      })
      const { rows } = await client.query<Row>({ name, text, values: [...values] })
      await client.query('commit')
      return only(rows)
    } finally {
      client.release()
    }
  }
}

function only(rows: readonly Row[]): Row {
  const [row] = rows
  if (row === undefined) throw new TypeError('no row')
  return row
}

function onPostgres(run: RunOne): Notes {
  const select = `select * from notes where "id" = $1 and ${mine('$2')} limit 1`
  const change = `update notes set "title" = $3, "body" = $4, "updatedAt" = $5, "revision" = "revision" + 1 where "id" = $1 and ${mine('$2')} returning *`
  return {
    create(id, title, body) {
      const now = new Date().toISOString()
      return run('create', create('$1', '$2', '$3', '$4', '$5', '$6'), [id, owner, title, body, now, now])
    },
    find: (id) => run('find', select, [id, owner]),
    update: (id, title, body) => run('update', change, [id, owner, title, body, new Date().toISOString()]),
  }
}

const tables = `
create table notes ("id" text primary key, "ownerId" text not null, "title" text not null, "body" text not null,
  "createdAt" text not null, "updatedAt" text not null, "revision" integer not null);
create index notes_by_owner on notes ("ownerId", "createdAt", "id");
create table note_shares ("id" text primary key, "noteId" text not null references notes ("id") on delete cascade,
  "userId" text not null, "permission" text not null, unique ("noteId", "userId"));
create index note_shares_by_user on note_shares ("userId", "noteId");`

interface Draft {
  readonly Body: { readonly title: string; readonly body: string }
  readonly Params: { readonly id: string }
}

const [url, policies] = process.argv.slice(2)
const notes =
  url === undefined
    ? onSqlite()
    : onPostgres(await (policies === undefined ? plainly(url) : behindPolicies(url)))
const fastify = Fastify({ logger: false })
fastify.post<Draft>('/api/notes', async ({ body }, reply) => {
  reply.code(201)
  return await notes.create(randomUUID(), body.title, body.body)
})
fastify.patch<Draft>('/api/notes/:id', async ({ params, body }, reply) => {
  const note = await notes.find(params.id)
  if (note === undefined) return reply.code(404).send()
  return await notes.update(params.id, body.title, body.body)
})
const address = await fastify.listen({ host: '127.0.0.1', port: 0 })
const ids: string[] = []
for (let count = 0; count < noteCount; count += 1) {
  const { id } = await notes.create(randomUUID(), `Note ${count}`, 'Bread, tea, lemons.')
  ids.push(id)
}
process.once('SIGTERM', () => void fastify.close().then(() => process.exit(0)))
console.log(`ready ${address} ${process.pid} none ${ids.join(',')}`)
