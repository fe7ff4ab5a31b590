import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Kysely } from 'kysely'
import { migrations } from '../examples/notes/migrations.ts'
import { Note, Share } from '../examples/notes/tables.ts'
import { Secret } from '../src/base/index.ts'
import type { QueryGuard } from '../src/data/engine.ts'
import {
  applyPolicies,
  type Database,
  migrateUp,
  OwnedRows,
  openDatabase,
  openPostgres,
} from '../src/data/index.ts'

// A scoped point read against the same query with its predicate written by hand: what the row rules cost. Beside it, the
// row that a route loads for `owns(Note)`, and a page of twenty, in processor time.

interface Tables {
  notes: {
    id: string
    ownerId: string
    title: string
    body: string
    createdAt: string
    updatedAt: string
    revision: number
  }
  note_shares: { id: string; noteId: string; userId: string; permission: string }
}

const rowCount = 10_000
const roundCount = 15
const target = 1.15

const readCount: Readonly<Record<string, number>> = { sqlite: 4_000, postgres: 800 }

async function prepare(database: Database): Promise<void> {
  await migrateUp(database, migrations)
  for (let start = 0; start < rowCount; start += 500) {
    const rows = Array.from({ length: 500 }, (_, index) => ({
      id: `n${start + index}`,
      ownerId: `u${(start + index) % 100}`,
      title: 'A title',
      body: 'x'.repeat(200),
      createdAt: '',
      updatedAt: '',
      revision: 1,
    }))
    await database.db.insertInto('notes').values(rows).execute()
  }
  if (database.appRole !== undefined)
    await applyPolicies(database.db, { resources: [Note, Share], role: database.appRole, ownTables: [] })
}

/** The rules of the example's notes, as somebody would write them who forgets nothing. */
function byHand(db: Kysely<Tables>, userId: string, id: string): Promise<unknown> {
  return db
    .selectFrom('notes')
    .selectAll()
    .where('id', '=', id)
    .where((q) => {
      const shared = q
        .selectFrom('note_shares')
        .select(q.lit(1).as('found'))
        .whereRef('noteId', '=', 'notes.id')
        .where('userId', '=', userId)
      return q.or([
        q('ownerId', '=', userId),
        q.exists(shared),
        q.exists(shared.where('permission', '=', 'write')),
      ])
    })
    .executeTakeFirst()
}

/** Processor time of one read, in microseconds: the lowest of some rounds. */
async function processorMicroseconds(count: number, read: (index: number) => unknown): Promise<number> {
  let lowest = Number.POSITIVE_INFINITY
  for (let round = 0; round < 4; round += 1) {
    const before = process.cpuUsage()
    for (let index = 0; index < count; index += 1) await read(index)
    const { user, system } = process.cpuUsage(before)
    lowest = Math.min(lowest, (user + system) / count)
  }
  return lowest
}

async function timed(count: number, read: (index: number) => Promise<unknown>): Promise<number> {
  const start = performance.now()
  for (let index = 0; index < count; index += 1) {
    if ((await read(index)) === undefined) throw new TypeError('a read found nothing')
  }
  return ((performance.now() - start) * 1_000) / count
}

/** Compiles what it is given, and tells the database for whom: the second wall without the first. */
function unruled(userId: string): QueryGuard {
  return {
    identity: { user: userId, tenant: '', roles: '[]', lifted: '{}' },
    compile: (node, queryId, compiler) => compiler.compileQuery(node, queryId),
    planOf: () => ({ mustChangeCount: undefined, lifts: [], opened: (rows) => rows }),
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}

async function measure(name: string, database: Database): Promise<number> {
  await prepare(database)
  const rows = new OwnedRows(database, [Note, Share])
  const plain = new Kysely<Tables>({ dialect: database.engine.dialect() })
  const scopeOf = (index: number) => ({
    userId: `u${(index * 7) % 100}`,
    tenantId: null,
    roles: [],
    lifted: new Map(),
  })
  const idOf = (index: number) => `n${(index * 7) % rowCount}`
  const scoped = (index: number) =>
    rows
      .as<Tables>(scopeOf(index))
      .selectFrom('notes')
      .selectAll()
      .where('id', '=', idOf(index))
      .executeTakeFirst()
  const bare = (index: number) => byHand(plain, scopeOf(index).userId, idOf(index))
  const hand = (index: number) => {
    const { userId } = scopeOf(index)
    // As many objects as a request makes for the rules.
    const db = new Kysely<Tables>({ dialect: database.engine.dialect(unruled(userId)) })
    return byHand(db, userId, idOf(index))
  }
  const count = readCount[name] ?? 1_000
  const load = (index: number) => rows.load(Note, { scope: scopeOf(index), action: 'read', key: idOf(index) })
  const page = (index: number) =>
    rows
      .as<Tables>(scopeOf(index))
      .selectFrom('notes')
      .selectAll()
      .orderBy('createdAt', 'desc')
      .orderBy('id', 'desc')
      .limit(20)
      .execute()
  const results = { scoped: [] as number[], hand: [] as number[], bare: [] as number[] }
  // Interleaved, so that whatever else the machine does meets both.
  for (let round = 0; round < roundCount; round += 1) {
    results.bare.push(await timed(count, bare))
    results.hand.push(await timed(count, hand))
    results.scoped.push(await timed(count, scoped))
  }
  const [byRules, byHands, bares] = [median(results.scoped), median(results.hand), median(results.bare)]
  const ratio = byRules / byHands
  process.stdout.write(
    `${name.padEnd(9)} by rules ${byRules.toFixed(1)} µs   by hand ${byHands.toFixed(1)} µs   ratio ${ratio.toFixed(2)} (target at most ${target})` +
      `   by hand without policies ${bares.toFixed(1)} µs\n` +
      `${' '.repeat(10)}processor time: loaded ${(await processorMicroseconds(count * 5, load)).toFixed(1)} µs` +
      `   selected ${(await processorMicroseconds(count * 5, scoped)).toFixed(1)} µs` +
      `   a page of 20 of ${rowCount / 100} ${(await processorMicroseconds(count / 4, page)).toFixed(0)} µs\n`,
  )
  return ratio
}

const folder = mkdtempSync(join(tmpdir(), 'holdfast-bench-'))
try {
  const sqlite = openDatabase(join(folder, 'bench.sqlite'))
  await measure('sqlite', sqlite)
  await sqlite.close()
  const url = process.env['HOLDFAST_BENCH_POSTGRES']
  if (url === undefined)
    process.stdout.write('postgres  not measured: HOLDFAST_BENCH_POSTGRES names no empty database\n')
  else {
    const postgres = await openPostgres(new Secret(url))
    await measure('postgres', postgres)
    await postgres.close()
  }
} finally {
  rmSync(folder, { recursive: true })
}
