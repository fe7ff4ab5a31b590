import type { MigrationDatabase, Resource } from '../data/index.ts'
import { encryptedTables, requireEveryRow } from './columns.ts'
import { countUnder } from './list.ts'
import { keysTable } from './migration.ts'
import { isoTime, readRecords } from './records.ts'
import { ringMaxAgeMs } from './ring.ts'

/** What became of a key that was to be destroyed. */
export type Destruction =
  | { readonly kind: 'destroyed' }
  /** There is no key of this id. */
  | { readonly kind: 'unknown' }
  /** It was destroyed before. */
  | { readonly kind: 'gone' }
  /** It seals, or is about to. */
  | { readonly kind: 'active' }
  /** A node may still seal under it. */
  | { readonly kind: 'too-early'; readonly until: string }
  /** So many values or blind indexes need it. */
  | { readonly kind: 'in-use'; readonly valueCount: number }

// A node without touch to the table stops sealing after the age of its reading; as long again for what is under way.
const defaultWaitMs = 2 * ringMaxAgeMs

/**
 * Takes a key out of the database for good, when nothing needs it any more. Values in old backups do not open then,
 * unless the backup holds the table of keys too.
 *
 * @throws KeyFault when this user of the database does not see every row.
 * @see NIST SP 800-57 Part 1 §8.4; OWASP ASVS 5.0 §13.3.1
 */
export async function destroyKey(
  db: MigrationDatabase,
  id: string,
  resources: readonly Resource[],
  options: { readonly waitMs?: number; readonly now?: () => number } = {},
): Promise<Destruction> {
  const now = (options.now ?? Date.now)()
  const tables = encryptedTables(resources)
  await requireEveryRow(db, tables)
  return await db.transaction().execute(async (trx): Promise<Destruction> => {
    const record = (await readRecords(trx)).find((candidate) => candidate.id === id)
    if (record === undefined) return { kind: 'unknown' }
    if (record.state === 'destroyed') return { kind: 'gone' }
    if (record.retiredAt === null) return { kind: 'active' }
    const until = Date.parse(record.retiredAt) + (options.waitMs ?? defaultWaitMs)
    if (now < until) return { kind: 'too-early', until: isoTime(until) }
    let valueCount = 0
    for (const table of tables) valueCount += await countUnder(trx, table, id)
    if (valueCount > 0) return { kind: 'in-use', valueCount }
    const { numUpdatedRows } = await trx
      .updateTable(keysTable)
      .set({ state: 'destroyed', wrapped: null, destroyedAt: isoTime(now) })
      .where('id', '=', id)
      .where('state', '=', 'decrypting')
      .executeTakeFirstOrThrow()
    return { kind: numUpdatedRows === 0n ? 'gone' : 'destroyed' }
  })
}
