import type { MigrationDatabase } from '../data/index.ts'
import type { Ban, BanTargetKind } from './ban.ts'
import { bansTable } from './migration.ts'
import { openKeyOf } from './target.ts'
import type { CheckedTerms } from './terms.ts'

/** A row as it comes from the table. */
export interface BanRecord extends Ban {
  readonly changedAt: string
}

type Row = Readonly<Record<string, unknown>>

/** Which ban: by its id, or the one that is in force against a target. */
export type BanKey = { readonly id: string } | Pick<Ban, 'kind' | 'target'>

/**
 * Bans a target, or extends the ban that it has. One row for one target in force, however many nodes ban at once.
 *
 * An end never moves to an earlier time, and what a person has said stays when a detector bans again.
 */
export async function writeBan(
  db: MigrationDatabase,
  ban: Pick<Ban, 'id' | 'kind' | 'target'> & CheckedTerms & { readonly isManual: boolean },
  now: string,
): Promise<BanRecord> {
  const { isManual, ...row } = ban
  const openKey = openKeyOf(row)
  // A ban that is past its end makes room; it stays in the list.
  await db
    .updateTable(bansTable)
    .set({ openKey: null })
    .where('openKey', '=', openKey)
    .where('expiresAt', '<=', now)
    .execute()
  const written = await db
    .insertInto(bansTable)
    .values({ ...row, openKey, madeAt: now, changedAt: now, liftedAt: null, liftedBy: null })
    .onConflict((conflict) =>
      conflict.column('openKey').doUpdateSet((eb) => {
        const before = (column: string) => eb.ref(`${bansTable}.${column}`)
        const said = (column: 'reason' | 'origin' | 'madeBy') =>
          isManual
            ? row[column]
            : eb.case().when(before('origin'), '=', 'manual').then(before(column)).else(row[column]).end()
        const later = eb
          .case()
          .when(before('expiresAt'), 'is', null)
          .then(before('expiresAt'))
          .when(before('expiresAt'), '>', row.expiresAt)
          .then(before('expiresAt'))
          .else(row.expiresAt)
          .end()
        return {
          expiresAt: row.expiresAt === null ? null : later,
          reason: said('reason'),
          origin: said('origin'),
          madeBy: said('madeBy'),
          changedAt: now,
        }
      }),
    )
    .returningAll()
    .executeTakeFirstOrThrow()
  return recordOf(written)
}

/** Lifts a ban that is in force. @returns `null` when there is none */
export async function writeLift(
  db: MigrationDatabase,
  key: BanKey,
  { now, actorId }: { readonly now: string; readonly actorId: string | null },
): Promise<BanRecord | null> {
  const lifted = await db
    .updateTable(bansTable)
    .set({ openKey: null, liftedAt: now, liftedBy: actorId, changedAt: now })
    .where('openKey', 'is not', null)
    .where((eb) => eb.or([eb('expiresAt', 'is', null), eb('expiresAt', '>', now)]))
    .where((eb) => ('id' in key ? eb('id', '=', key.id) : eb('openKey', '=', openKeyOf(key))))
    .returningAll()
    .executeTakeFirst()
  return lifted === undefined ? null : recordOf(lifted)
}

/** Bans by the time they were made, newest first. */
export async function readBans(
  db: MigrationDatabase,
  { state, limit, before }: { state: 'active' | 'all'; limit: number; before: string | undefined },
  now: string,
): Promise<readonly Ban[]> {
  let query = db.selectFrom(bansTable).selectAll().orderBy('id', 'desc').limit(limit)
  if (before !== undefined) query = query.where('id', '<', before)
  if (state === 'active')
    query = query
      .where('openKey', 'is not', null)
      .where((eb) => eb.or([eb('expiresAt', 'is', null), eb('expiresAt', '>', now)]))
  return (await query.execute()).map(banOf)
}

/** The row behind which a reading goes on. */
export type BanPlace = Pick<BanRecord, 'changedAt' | 'id'>

/** Rows that have changed behind a place: by time, and of those with the same time by id. */
export async function readChanges(
  db: MigrationDatabase,
  { changedAt, id }: BanPlace,
  rowCount: number,
): Promise<readonly BanRecord[]> {
  const rows = await byChange(db, rowCount)
    .where('changedAt', '>=', changedAt)
    .where((eb) => eb.or([eb('changedAt', '>', changedAt), eb('id', '>', id)]))
    .execute()
  return rows.map(recordOf)
}

/** The same of those that are in force at a time, for whoever knows nothing yet. */
export async function readActive(
  db: MigrationDatabase,
  { changedAt, id }: BanPlace,
  { rowCount, now }: { readonly rowCount: number; readonly now: string },
): Promise<readonly BanRecord[]> {
  const rows = await byChange(db, rowCount)
    .where('changedAt', '>=', changedAt)
    .where((eb) => eb.or([eb('changedAt', '>', changedAt), eb('id', '>', id)]))
    .where('openKey', 'is not', null)
    .where((eb) => eb.or([eb('expiresAt', 'is', null), eb('expiresAt', '>', now)]))
    .execute()
  return rows.map(recordOf)
}

function byChange(db: MigrationDatabase, rowCount: number) {
  return db.selectFrom(bansTable).selectAll().orderBy('changedAt').orderBy('id').limit(rowCount)
}

/** Deletes the rows of bans that ended before a time. */
export async function deleteEnded(db: MigrationDatabase, before: string): Promise<void> {
  await db
    .deleteFrom(bansTable)
    .where((eb) => eb.or([eb('liftedAt', '<', before), eb('expiresAt', '<', before)]))
    .execute()
}

function recordOf(row: Row): BanRecord {
  return { ...banOf(row), changedAt: String(row['changedAt']) }
}

function banOf(row: Row): Ban {
  return {
    id: String(row['id']),
    kind: kindOf(row['kind']),
    target: String(row['target']),
    reason: String(row['reason']),
    origin: String(row['origin']),
    madeBy: textOrNull(row['madeBy']),
    madeAt: String(row['madeAt']),
    expiresAt: textOrNull(row['expiresAt']),
    liftedAt: textOrNull(row['liftedAt']),
    liftedBy: textOrNull(row['liftedBy']),
  }
}

// A row written by hand may say anything; what is no account is read as a network, and refused when it is none.
function kindOf(value: unknown): BanTargetKind {
  return value === 'account' || value === 'range' ? value : 'address'
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}
