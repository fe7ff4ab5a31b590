import { type Argon2Cost, argon2Floor } from '../crypto/index.ts'
import type { Migration, MigrationDatabase } from '../data/index.ts'
import { calibrate } from './calibrate.ts'

const costTable = 'holdfast_hash_cost'
const onlyRow = 1

/** Makes the table of the one cost that all nodes hash with. */
export const hashCostMigration: Migration = {
  name: '0010-hash-cost',
  async up(db) {
    await db.schema
      .createTable(costTable)
      .addColumn('id', 'integer', (column) => column.primaryKey())
      .addColumn('memoryKib', 'integer', (column) => column.notNull())
      .addColumn('passCount', 'integer', (column) => column.notNull())
      .addColumn('laneCount', 'integer', (column) => column.notNull())
      .addColumn('targetMs', 'integer', (column) => column.notNull())
      .addColumn('measuredAt', 'text', (column) => column.notNull())
      .execute()
  },
  down: async (db) => await db.schema.dropTable(costTable).execute(),
}

/** The cost that was measured for a target, or `null` when none was, or for another target. */
export async function storedCost(db: MigrationDatabase, targetMs: number): Promise<Argon2Cost | null> {
  const row = await db.selectFrom(costTable).selectAll().where('id', '=', onlyRow).executeTakeFirst()
  if (row === undefined || Number(row['targetMs']) !== targetMs) return null
  return {
    memoryKib: atLeast(argon2Floor.memoryKib, row['memoryKib']),
    passCount: atLeast(argon2Floor.passCount, row['passCount']),
    laneCount: atLeast(argon2Floor.laneCount, row['laneCount']),
  }
}

/**
 * The cost for a target: what was measured at the first start, or else measured now and kept. Kept, so that every node
 * and every start hashes alike: a hash of another cost counts as outdated, and would be made anew at each login.
 *
 * @param targetMs How long one hash should take on the machine that measures, in milliseconds.
 * @param measure Stands in for the measurement, in tests.
 * @see OWASP ASVS 5.0 §11.4.2
 */
export async function settledCost(
  db: MigrationDatabase,
  targetMs: number,
  measure: (targetMs: number) => Promise<Argon2Cost> = calibrate,
): Promise<Argon2Cost> {
  const known = await storedCost(db, targetMs)
  if (known !== null) return known
  const measured = await measure(targetMs)
  const values = { ...measured, targetMs, measuredAt: new Date().toISOString() }
  // Of two nodes that measure at once the first is right, as long as both mean the same target.
  await db
    .insertInto(costTable)
    .values({ id: onlyRow, ...values })
    .onConflict((conflict) =>
      conflict.column('id').doUpdateSet(values).where(`${costTable}.targetMs`, '<>', targetMs),
    )
    .execute()
  return (await storedCost(db, targetMs)) ?? measured
}

/** A row that somebody has lowered by hand must not weaken what is hashed from here on. */
function atLeast(least: number, value: string | number | null | undefined): number {
  return Math.max(least, Math.floor(Number(value)) || 0)
}
