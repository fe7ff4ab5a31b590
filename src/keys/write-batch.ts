import { type MigrationDatabase, withRetries } from '../data/index.ts'
import { Problem } from '../errors/index.ts'
import type { EncryptedTable } from './columns.ts'
import type { RowChange, RowFailure } from './reseal.ts'

/** What became of a batch. */
export interface WrittenBatch {
  /** Rows that were written; the others were changed by somebody else meanwhile. */
  readonly writtenCount: number
  /** Rows that the database refuses. */
  readonly refused: readonly RowFailure[]
}

/** Writes a batch: in one transaction, or row by row when the database refuses one of them. */
export async function writeBatch(
  db: MigrationDatabase,
  table: EncryptedTable,
  changes: readonly RowChange[],
): Promise<WrittenBatch> {
  if (changes.length === 0) return { writtenCount: 0, refused: [] }
  try {
    return { writtenCount: await together(db, table, changes), refused: [] }
  } catch (error) {
    if (!isConflict(error)) throw error
  }
  let writtenCount = 0
  const refused: RowFailure[] = []
  for (const change of changes) {
    try {
      writtenCount += await together(db, table, [change])
    } catch (error) {
      if (!isConflict(error)) throw error
      const reason = 'a unique key of the table refuses it: another row has the same value'
      refused.push({ table: table.table, key: change.key, column: null, reason })
    }
  }
  return { writtenCount, refused }
}

async function together(
  db: MigrationDatabase,
  table: EncryptedTable,
  changes: readonly RowChange[],
): Promise<number> {
  return await withRetries(() =>
    db.transaction().execute(async (trx) => {
      let writtenCount = 0
      for (const change of changes) writtenCount += await write(trx, table, change)
      return writtenCount
    }),
  )
}

/** Compares and swaps: what somebody has written since it was read stays. */
async function write(
  db: MigrationDatabase,
  { table, key }: EncryptedTable,
  change: RowChange,
): Promise<number> {
  let query = db.updateTable(table).set(change.set).where(key, '=', change.key)
  for (const [column, text] of Object.entries(change.expected))
    query = text === null ? query.where(column, 'is', null) : query.where(column, '=', text)
  const { numUpdatedRows } = await query.executeTakeFirstOrThrow()
  return Number(numUpdatedRows)
}

function isConflict(error: unknown): boolean {
  return error instanceof Problem && error.code === 'CONFLICT'
}
