import { sql } from 'kysely'
import { blindIndexPrefix, sealedPrefix } from '../crypto/index.ts'
import type { MigrationDatabase, Resource } from '../data/index.ts'
import { type EncryptedTable, encryptedTables, requireEveryRow } from './columns.ts'
import { type KeyRecord, readRecords, type StoredState } from './records.ts'

/** How a key stands now. `next` has been made and waits for its time. */
export type KeyState = StoredState | 'next'

/** A key, without the key. Times are ISO 8601 in UTC. */
export interface KeySummary {
  readonly id: string
  readonly state: KeyState
  readonly createdAt: string
  readonly activeFrom: string
  readonly retiredAt: string | null
  readonly destroyedAt: string | null
  /** How many values of all encrypted columns are sealed under it. */
  readonly valueCount: number
}

/** How many values of one column are sealed under one key. */
export interface KeyUse {
  readonly table: string
  readonly column: string
  /** `null` for values that are not in the format of encrypted ones. */
  readonly keyId: string | null
  readonly valueCount: number
}

/** The keys and what they are used for. */
export interface KeyListing {
  /** Newest first. */
  readonly keys: readonly KeySummary[]
  readonly uses: readonly KeyUse[]
}

/**
 * The keys, and how many values each one has sealed. Reads every row of the tables with encrypted columns.
 *
 * @throws KeyFault when this user of the database does not see every row.
 */
export async function listKeys(
  db: MigrationDatabase,
  resources: readonly Resource[],
  options: { readonly now?: () => number } = {},
): Promise<KeyListing> {
  const tables = encryptedTables(resources)
  await requireEveryRow(db, tables)
  const records = await readRecords(db)
  const uses: KeyUse[] = []
  for (const table of tables) uses.push(...(await usesOf(db, table)))
  const sealing = sealingId(records, (options.now ?? Date.now)())
  const keys = records.map(({ wrapped: _, ...record }) => ({
    ...record,
    state: stateOf(record, sealing, records),
    valueCount: uses.reduce((sum, use) => (use.keyId === record.id ? sum + use.valueCount : sum), 0),
  }))
  return { keys, uses }
}

/** How many values or blind indexes of a table there are under a key. */
export async function countUnder(
  db: MigrationDatabase,
  { table, columns }: EncryptedTable,
  keyId: string,
): Promise<number> {
  let count = 0
  for (const { column, index } of columns) {
    const { rows } = await sql<{ count: number | string }>`
      select count(*) as count from ${sql.table(table)}
      where ${sql.ref(column)} like ${`${sealedPrefix(keyId)}%`}
      ${index === undefined ? sql`` : sql`or ${sql.ref(index)} like ${`${blindIndexPrefix(keyId)}%`}`}`.execute(
      db,
    )
    count += Number(rows[0]?.count)
  }
  return count
}

async function usesOf(db: MigrationDatabase, { table, columns }: EncryptedTable): Promise<KeyUse[]> {
  const uses: KeyUse[] = []
  for (const { column } of columns) {
    const stored = sql.ref(column)
    // Only what has the form of a sealed text gives its key id; nothing of any other text leaves the database.
    const { rows } = await sql<{ keyId: string | null; count: number | string }>`
      select found as "keyId", count(*) as count
      from (select case when ${stored} like ${`${sealedPrefix('________')}%`} then substr(${stored}, 5, 8) end as found
            from ${sql.table(table)} where ${stored} is not null) as texts
      group by found order by found`.execute(db)
    for (const { keyId, count } of rows) uses.push({ table, column, keyId, valueCount: Number(count) })
  }
  return uses
}

function sealingId(records: readonly KeyRecord[], now: number): string | undefined {
  const live = records.filter(({ state }) => state !== 'destroyed')
  return (live.find(({ activeFrom }) => Date.parse(activeFrom) <= now) ?? live.at(-1))?.id
}

function stateOf(
  { id, state, activeFrom }: Pick<KeyRecord, 'id' | 'state' | 'activeFrom'>,
  sealing: string | undefined,
  records: readonly KeyRecord[],
): KeyState {
  if (state === 'destroyed') return state
  if (id === sealing) return 'active'
  const current = records.find((record) => record.id === sealing)
  return current !== undefined && activeFrom > current.activeFrom ? 'next' : 'decrypting'
}
