import { type RawBuilder, sql } from 'kysely'
import type { MigrationDatabase } from '../data/index.ts'
import { eventsTable, isPostgres } from './migration.ts'
import { type EventRow, eventColumns } from './row.ts'

/** A row with what stands beside it in the table. */
export interface WrittenRow extends EventRow {
  readonly mac: string
  readonly chain: string
  /** `null` until it has its place. */
  readonly seq: number | null
  readonly hash: string | null
}

/** The place that a row gets. */
export interface GivenPlace {
  readonly id: string
  readonly chain: string
  readonly seq: number
  readonly hash: string
}

const textColumns = [...eventColumns, 'mac', 'chain', 'hash'] as const

/**
 * Inserts rows. They go as one parameter, so that there is one statement to prepare, however many they are.
 *
 * @throws CONFLICT for a place or an id that is taken
 */
export async function insertRows(db: MigrationDatabase, rows: readonly WrittenRow[]): Promise<void> {
  if (rows.length === 0) return
  const names = sql.join([...textColumns, 'seq'].map((column) => sql.ref(column)))
  const source = recordsOf(db, rows, textColumns, ['seq'])
  await sql`insert into ${sql.table(eventsTable)} (${names}) ${source}`.execute(db)
}

/** Gives committed rows their places. @returns how many had none before */
export async function placeRows(db: MigrationDatabase, places: readonly GivenPlace[]): Promise<number> {
  if (places.length === 0) return 0
  const given = places.map(({ id, chain, seq, hash }) => ({ id, chain, seq, hash }))
  const source = recordsOf(db, given, ['id', 'chain', 'hash'], ['seq'])
  const events = sql.table(eventsTable)
  const { numAffectedRows } = await sql`
    update ${events} set chain = given.chain, seq = given.seq, hash = given.hash from (${source}) as given
    where ${events}.id = given.id and ${events}.seq is null`.execute(db)
  return Number(numAffectedRows ?? 0)
}

/** Where rows stand now, by their ids; locked against whoever else would give them a place. */
export async function standingOf(
  db: MigrationDatabase,
  ids: readonly string[],
): Promise<ReadonlyMap<string, 'waits' | 'placed'>> {
  if (ids.length === 0) return new Map()
  const query = sql<{ id: string; isPlaced: unknown }>`
    select id, seq is not null as "isPlaced" from ${sql.table(eventsTable)}
    where id in (select given.id from (${recordsOf(
      db,
      ids.map((id) => ({ id })),
      ['id'],
      [],
    )}) as given)`
  const { rows } = await (isPostgres(db)
    ? sql<{ id: string; isPlaced: unknown }>`${query} for update`
    : query
  ).execute(db)
  // SQLite has no booleans.
  return new Map(
    rows.map(({ id, isPlaced }) => [id, isPlaced === true || isPlaced === 1 ? 'placed' : 'waits']),
  )
}

function recordsOf(
  db: MigrationDatabase,
  rows: readonly object[],
  texts: readonly string[],
  numbers: readonly string[],
): RawBuilder<unknown> {
  const json = JSON.stringify(rows)
  if (isPostgres(db)) {
    const columns = [
      ...texts.map((name) => sql`${sql.ref(name)} text`),
      ...numbers.map((name) => sql`${sql.ref(name)} integer`),
    ]
    const names = sql.join([...texts, ...numbers].map((name) => sql.ref(name)))
    return sql`select ${names} from json_to_recordset(cast(${json} as json)) as record(${sql.join(columns)})`
  }
  const members = [...texts, ...numbers].map(
    (name) => sql`value ->> ${sql.lit(`$.${name}`)} as ${sql.ref(name)}`,
  )
  return sql`select ${sql.join(members)} from json_each(${json})`
}
