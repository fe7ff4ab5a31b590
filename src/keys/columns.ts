import { PostgresAdapter, sql } from 'kysely'
import type { MigrationDatabase, Resource } from '../data/index.ts'
import { KeyFault } from './fault.ts'

/** A table with encrypted columns. */
export interface EncryptedTable {
  readonly table: string
  /** The primary key column. */
  readonly key: string
  readonly columns: readonly EncryptedColumn[]
}

/** An encrypted column and what stands beside it. */
export interface EncryptedColumn {
  readonly column: string
  /** The column of its blind index, when it can be looked up. */
  readonly index: string | undefined
}

/** The tables with encrypted columns. */
export function encryptedTables(resources: readonly Resource[]): readonly EncryptedTable[] {
  return resources
    .filter(({ columns }) => columns.encrypted.length > 0)
    .map(({ table, key, columns: { encrypted, lookup } }) => ({
      table,
      key,
      columns: encrypted.map((column) => ({ column, index: lookup[column] })),
    }))
}

/**
 * Makes sure that a count is a count of every row. Under a role that the row policies of PostgreSQL hold for, rows
 * are missing without a word, and a key would be destroyed that they still need.
 *
 * @throws KeyFault
 */
export async function requireEveryRow(
  db: MigrationDatabase,
  tables: readonly EncryptedTable[],
): Promise<void> {
  if (!(db.getExecutor().adapter instanceof PostgresAdapter)) return
  for (const { table } of tables) {
    const { rows } = await sql<{ isHidden: boolean }>`
      select row_security_active(${`"${table.replaceAll('"', '""')}"`}::text) as "isHidden"`.execute(db)
    if (rows[0]?.isHidden !== false) {
      throw new KeyFault(
        `The row policies of the table ${table} hide rows from this user of the database. Run this as the owner of the tables.`,
      )
    }
  }
}
