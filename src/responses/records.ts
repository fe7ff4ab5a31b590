import type { FollowedRow, MigrationDatabase } from '../data/index.ts'
import { responsesTable } from './migration.ts'
import {
  type AppliedResponse,
  type HeldResponse,
  heldResponses,
  type RefusalReason,
  type ResponseRecord,
} from './response.ts'

type Row = Readonly<Record<string, unknown>>

/** What is unique among the responses in force. */
export type ResponsePlace = Pick<ResponseRecord, 'mode' | 'response' | 'targetKind' | 'target'>

/** The place of a response as one text. */
export function openKeyOf({ mode, response, targetKind, target }: ResponsePlace): string {
  return `${mode} ${response} ${targetKind} ${target}`
}

/** Lets go of the place of a response that is past its end; the row stays in the list. */
export async function freePlace(db: MigrationDatabase, place: ResponsePlace, now: string): Promise<void> {
  await db
    .updateTable(responsesTable)
    .set({ openKey: null })
    .where('openKey', '=', openKeyOf(place))
    .where('expiresAt', '<=', now)
    .execute()
}

/** Writes a response down. @returns false when there is one in its place */
export async function insertResponse(
  db: MigrationDatabase,
  record: ResponseRecord,
  { isOpen }: { readonly isOpen: boolean },
): Promise<boolean> {
  const written = await db
    .insertInto(responsesTable)
    .values({ ...record, openKey: isOpen ? openKeyOf(record) : null })
    .onConflict((conflict) => conflict.column('openKey').doNothing())
    .returning('id')
    .executeTakeFirst()
  return written !== undefined
}

/** What of a response changes. */
export type ResponseChange = Partial<
  Pick<
    ResponseRecord,
    'lastAt' | 'expiresAt' | 'undoneAt' | 'undoneBy' | 'undoneReason' | 'effectId' | 'findingCount'
  >
>

/** Changes a response that this transaction has locked or made. */
export async function changeResponse(
  db: MigrationDatabase,
  record: ResponseRecord,
  change: ResponseChange & { readonly changedAt: string },
): Promise<ResponseRecord> {
  const isOver = change.undoneAt !== undefined
  await db
    .updateTable(responsesTable)
    .set({ ...change, ...(isOver ? { openKey: null } : {}) })
    .where('id', '=', record.id)
    .execute()
  return { ...record, ...change }
}

/** The response in a place. Until the transaction ends nobody else changes it. */
export async function lockPlace(db: MigrationDatabase, place: ResponsePlace): Promise<ResponseRecord | null> {
  return await locked(db, 'openKey', openKeyOf(place))
}

/** A response. Until the transaction ends nobody else changes it. */
export async function lockResponse(db: MigrationDatabase, id: string): Promise<ResponseRecord | null> {
  return await locked(db, 'id', id)
}

// SQLite knows no FOR UPDATE; an UPDATE that changes nothing locks the row in both.
async function locked(
  db: MigrationDatabase,
  column: 'id' | 'openKey',
  value: string,
): Promise<ResponseRecord | null> {
  const row = await db
    .updateTable(responsesTable)
    .set((eb) => ({ changedAt: eb.ref('changedAt') }))
    .where(column, '=', value)
    .returningAll()
    .executeTakeFirst()
  return row === undefined ? null : recordOf(row)
}

/** How many responses of a kind a target has had since a time, counted up to a bound. Undone ones were mistakes. */
export async function countBefore(
  db: MigrationDatabase,
  place: ResponsePlace,
  { since, maxCount }: { readonly since: string; readonly maxCount: number },
): Promise<number> {
  const rows = await atPlace(db, place)
    .select('id')
    .where('madeAt', '>', since)
    .where('outcome', '=', 'done')
    .where('undoneAt', 'is', null)
    .limit(maxCount)
    .execute()
  return rows.length
}

/** Whether a response of a detector was undone since a time. */
export async function isUndoneSince(
  db: MigrationDatabase,
  place: ResponsePlace,
  { detector, since }: { readonly detector: string; readonly since: string },
): Promise<boolean> {
  const row = await atPlace(db, place)
    .select('id')
    .where('detector', '=', detector)
    .where('undoneAt', '>', since)
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}

function atPlace(db: MigrationDatabase, { mode, response, targetKind, target }: ResponsePlace) {
  return db
    .selectFrom(responsesTable)
    .where('target', '=', target)
    .where('targetKind', '=', targetKind)
    .where('response', '=', response)
    .where('mode', '=', mode)
}

/** The accounts that are locked by a response at a time. */
export async function lockedAccounts(db: MigrationDatabase, now: string): Promise<ReadonlySet<string>> {
  const rows = await db
    .selectFrom(responsesTable)
    .select('target')
    .where('openKey', 'is not', null)
    .where('response', '=', 'lock-account')
    .where('mode', '=', 'applied')
    .where('outcome', '=', 'done')
    .where('expiresAt', '>', now)
    .execute()
  return new Set(rows.map(({ target }) => String(target)))
}

/** Which responses, and where the page begins. */
export interface ResponseReading {
  readonly state: 'active' | 'all'
  readonly limit: number
  readonly before: string | undefined
  readonly target: string | undefined
}

/** Responses by the time they were made, newest first. */
export async function readResponses(
  db: MigrationDatabase,
  { state, limit, before, target }: ResponseReading,
  now: string,
): Promise<readonly AppliedResponse[]> {
  let query = db.selectFrom(responsesTable).selectAll().orderBy('id', 'desc').limit(limit)
  if (before !== undefined) query = query.where('id', '<', before)
  if (target !== undefined) query = query.where('target', '=', target)
  if (state === 'active')
    query = query.where('openKey', 'is not', null).where('outcome', '=', 'done').where('expiresAt', '>', now)
  return (await query.execute()).map(responseOf)
}

/** Reads one response. */
export async function readResponse(db: MigrationDatabase, id: string): Promise<AppliedResponse | null> {
  const row = await db.selectFrom(responsesTable).selectAll().where('id', '=', id).executeTakeFirst()
  return row === undefined ? null : responseOf(row)
}

/**
 * What requests are held against, by change: rows behind a place, and where `now` is given only those in force then.
 * Bans are followed elsewhere.
 */
export async function readFollowed(
  db: MigrationDatabase,
  { changedAt, id }: FollowedRow,
  { rowCount, now }: { readonly rowCount: number; readonly now?: string },
): Promise<readonly ResponseRecord[]> {
  let query = db
    .selectFrom(responsesTable)
    .selectAll()
    .where('changedAt', '>=', changedAt)
    .where((eb) => eb.or([eb('changedAt', '>', changedAt), eb('id', '>', id)]))
    .where('response', 'in', ['slow-down', 'step-up'])
    .where('mode', '=', 'applied')
    .where('outcome', '=', 'done')
  if (now !== undefined) query = query.where('openKey', 'is not', null).where('expiresAt', '>', now)
  const rows = await query.orderBy('changedAt').orderBy('id').limit(rowCount).execute()
  return rows.map(recordOf)
}

/** Deletes the rows of responses that ended before a time. */
export async function deleteEnded(db: MigrationDatabase, before: string): Promise<void> {
  await db
    .deleteFrom(responsesTable)
    .where((eb) => eb.or([eb('undoneAt', '<', before), eb('expiresAt', '<', before)]))
    .execute()
}

function recordOf(row: Row): ResponseRecord {
  return { ...responseOf(row), changedAt: String(row['changedAt']) }
}

function responseOf(row: Row): AppliedResponse {
  return {
    id: String(row['id']),
    response: nameOf(row['response']),
    detector: String(row['detector']),
    mode: row['mode'] === 'applied' ? 'applied' : 'dry-run',
    targetKind: kindOf(row['targetKind']),
    target: String(row['target']),
    reason: String(row['reason']),
    alertId: textOrNull(row['alertId']),
    findingKey: textOrNull(row['findingKey']),
    madeAt: String(row['madeAt']),
    lastAt: String(row['lastAt']),
    expiresAt: String(row['expiresAt']),
    undoneAt: textOrNull(row['undoneAt']),
    undoneBy: textOrNull(row['undoneBy']),
    undoneReason: textOrNull(row['undoneReason']),
    effectId: textOrNull(row['effectId']),
    outcome: outcomeOf(row['outcome']),
    why: whyOf(row['why']),
    levelCount: Number(row['levelCount']),
    findingCount: Number(row['findingCount']),
  }
}

// A row written by hand may say anything: it is read as what does least.
function nameOf(value: unknown): HeldResponse {
  return heldResponses.find((name) => name === value) ?? 'slow-down'
}

function kindOf(value: unknown): AppliedResponse['targetKind'] {
  return value === 'account' || value === 'session' ? value : 'address'
}

function outcomeOf(value: unknown): AppliedResponse['outcome'] {
  return value === 'done' || value === 'refused' ? value : 'failed'
}

const reasons: readonly (RefusalReason | 'error')[] = [
  'unfit',
  'too-wide',
  'trusted-proxy',
  'never-banned',
  'last-administrator',
  'unknown-target',
  'unsupported',
  'error',
]

function whyOf(value: unknown): AppliedResponse['why'] {
  return reasons.find((reason) => reason === value) ?? null
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}
