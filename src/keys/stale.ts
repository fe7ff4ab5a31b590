import { type RawBuilder, sql } from 'kysely'
import { blindIndexPrefix, sealedPrefix } from '../crypto/index.ts'
import type { MigrationDatabase } from '../data/index.ts'
import { Problem } from '../errors/index.ts'
import type { EncryptedTable } from './columns.ts'

/** A row with a value or a blind index that is not under the active key. */
export interface StaleRow {
  readonly key: string | number
  /** The encrypted columns and the columns of their blind indexes, as they are stored. */
  readonly stored: Readonly<Record<string, unknown>>
}

/** How many rows of a table have a value or a blind index that is not under this key. */
export async function countStale(
  db: MigrationDatabase,
  table: EncryptedTable,
  keyId: string,
): Promise<number> {
  const { rows } = await sql<{ count: number | string }>`
    select count(*) as count from ${sql.table(table.table)} where ${isStale(table, keyId)}`.execute(db)
  return Number(rows[0]?.count)
}

/** Which rows to look for. */
export interface StaleRequest {
  readonly keyId: string
  /** The key of the last row of the batch before; by key and not by number, so that nothing is skipped. */
  readonly after: StaleRow['key'] | undefined
  readonly count: number
}

/** The next rows of a table, by key, that have something that is not under this key. */
export async function staleRows(
  db: MigrationDatabase,
  table: EncryptedTable,
  { keyId, after, count }: StaleRequest,
): Promise<readonly StaleRow[]> {
  const key = sql.ref(table.key)
  const columns = table.columns.flatMap(({ column, index }) =>
    index === undefined ? [column] : [column, index],
  )
  const { rows } = await sql<Record<string, unknown>>`
    select ${sql.join([key, ...columns.map((column) => sql.ref(column))])} from ${sql.table(table.table)}
    where ${isStale(table, keyId)} ${after === undefined ? sql`` : sql`and ${key} > ${after}`}
    order by ${key} limit ${count}`.execute(db)
  return rows.map((stored) => ({ key: keyOf(table, stored[table.key]), stored }))
}

function isStale({ columns }: EncryptedTable, keyId: string): RawBuilder<unknown> {
  const texts = `${sealedPrefix(keyId)}%`
  const indexes = `${blindIndexPrefix(keyId)}%`
  const parts = columns.flatMap(({ column, index }) => {
    const text = sql.ref(column)
    const stale = sql`(${text} is not null and ${text} not like ${texts})`
    if (index === undefined) return [stale]
    const found = sql.ref(index)
    // Also an index that is missing, after a column was made searchable, or that has outlived its value.
    return [
      stale,
      sql`(${text} is not null and ${found} is null)`,
      sql`(${found} is not null and (${text} is null or ${found} not like ${indexes}))`,
    ]
  })
  return sql`(${sql.join(parts, sql` or `)})`
}

function keyOf({ table, key }: EncryptedTable, value: unknown): string | number {
  if (typeof value === 'string' || typeof value === 'number') return value
  throw new Problem('INTERNAL', `the key "${table}.${key}" is neither text nor a number`)
}
