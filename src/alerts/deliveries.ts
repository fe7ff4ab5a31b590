import { newId } from '../base/index.ts'
import type { MigrationDatabase } from '../data/index.ts'
import type { AlertNews } from './alert.ts'
import type { AlertChannel } from './channels/channel.ts'
import { deliveriesTable } from './migration.ts'

/** What became of a delivery. */
export type DeliveryState = 'waiting' | 'sent' | 'dead'

/** Something that a channel is told, or has been. Times are ISO 8601, UTC. */
export interface AlertDelivery {
  /** A UUIDv7; the same at each attempt, so that a receiver knows what it has got before. */
  readonly id: string
  readonly alertId: string
  /** `webhook` */
  readonly channel: string
  readonly kind: AlertNews
  readonly state: DeliveryState
  readonly attemptCount: number
  /** When the next attempt is due, of one that waits. */
  readonly nextAt: string
  /** Why the last attempt has failed, in fixed words. */
  readonly lastError: string | null
  readonly createdAt: string
}

/** A delivery that this process may attempt until its lease runs out. */
export interface ClaimedDelivery extends AlertDelivery {
  readonly untilMs: number
  /** The end of the lease, as the table holds it. */
  readonly leasedUntil: string
}

type Row = Readonly<Record<string, unknown>>

const lookCount = 16

/** Notes what is to be told, in the transaction that makes it true. */
export async function insertDeliveries(
  db: MigrationDatabase,
  { alertId, kind }: { readonly alertId: string; readonly kind: AlertNews },
  to: { readonly channels: readonly AlertChannel[]; readonly nowMs: number; readonly lifetimeMs: number },
): Promise<void> {
  const channels = to.channels.filter(({ news }) => news.includes(kind))
  if (channels.length === 0) return
  const now = iso(to.nowMs)
  const rows = channels.map(({ name }) => ({
    id: newId(to.nowMs),
    alertId,
    channel: name,
    kind,
    state: 'waiting',
    attemptCount: 0,
    nextAt: now,
    untilAt: iso(to.nowMs + to.lifetimeMs),
    lastError: null,
    createdAt: now,
  }))
  await db.insertInto(deliveriesTable).values(rows).execute()
}

/** The deliveries of an alert, the oldest first. */
export async function readDeliveries(
  db: MigrationDatabase,
  alertId: string,
): Promise<readonly AlertDelivery[]> {
  const query = db.selectFrom(deliveriesTable).selectAll().where('alertId', '=', alertId)
  return (await query.orderBy('id').limit(1_000).execute()).map(deliveryOf)
}

/** Dead letters, newest first. */
export async function readDead(
  db: MigrationDatabase,
  cursor: string | undefined,
  rowCount: number,
): Promise<readonly AlertDelivery[]> {
  let query = db.selectFrom(deliveriesTable).selectAll().where('state', '=', 'dead')
  if (cursor !== undefined) query = query.where('id', '<', cursor)
  return (await query.orderBy('id', 'desc').limit(rowCount).execute()).map(deliveryOf)
}

/** Reads one delivery. */
export async function readDelivery(db: MigrationDatabase, id: string): Promise<AlertDelivery | null> {
  const row = await db.selectFrom(deliveriesTable).selectAll().where('id', '=', id).executeTakeFirst()
  return row === undefined ? null : deliveryOf(row)
}

/** Makes a dead letter wait again. @returns `null` when it is none */
export async function revive(
  db: MigrationDatabase,
  id: string,
  { nowMs, lifetimeMs }: { readonly nowMs: number; readonly lifetimeMs: number },
): Promise<AlertDelivery | null> {
  const row = await db
    .updateTable(deliveriesTable)
    .set({ state: 'waiting', attemptCount: 0, nextAt: iso(nowMs), untilAt: iso(nowMs + lifetimeMs) })
    .where('id', '=', id)
    .where('state', '=', 'dead')
    .returningAll()
    .executeTakeFirst()
  return row === undefined ? null : deliveryOf(row)
}

/** Gives up what should have ended before a time: nobody has the channel any more. */
export async function buryAbandoned(db: MigrationDatabase, before: string): Promise<void> {
  await db
    .updateTable(deliveriesTable)
    .set((eb) => ({
      state: 'dead',
      lastError: eb.fn.coalesce('lastError', eb.val('nothing delivers to this channel')),
    }))
    .where('state', '=', 'waiting')
    .where('untilAt', '<', before)
    .execute()
}

/**
 * Takes a delivery of a channel that is due: of all processes exactly one gets it, for as long as the lease lasts. A
 * lease that ran out is one whose process has died. What is told of one alert keeps its order: were `opened` to arrive
 * after `closed`, somebody would be called out for nothing.
 *
 * @returns `null` when nothing is due
 * @see OWASP ASVS 5.0 §15.4.2
 */
export async function claim(
  db: MigrationDatabase,
  channel: string,
  { nowMs, leaseMs }: { readonly nowMs: number; readonly leaseMs: number },
): Promise<ClaimedDelivery | null> {
  for (;;) {
    const found = await db
      .selectFrom(`${deliveriesTable} as due`)
      .select(['due.id', 'due.nextAt'])
      .where('due.channel', '=', channel)
      .where('due.state', '=', 'waiting')
      .where('due.nextAt', '<=', iso(nowMs))
      .where(({ not, exists, selectFrom }) =>
        not(
          exists(
            selectFrom(`${deliveriesTable} as older`)
              .select('older.id')
              .whereRef('older.alertId', '=', 'due.alertId')
              .whereRef('older.channel', '=', 'due.channel')
              .where('older.state', '=', 'waiting')
              .whereRef('older.id', '<', 'due.id'),
          ),
        ),
      )
      .orderBy('due.nextAt')
      .orderBy('due.id')
      .limit(lookCount)
      .execute()
    if (found.length === 0) return null
    for (const { id, nextAt } of found) {
      const claimed = await take(db, { id, nextAt }, iso(nowMs + leaseMs))
      if (claimed !== null) return claimed
    }
    // Others have taken all of them. What they took is not due any more, so this comes to an end.
  }
}

// One conditional statement, alike on both databases: whoever comes second finds another `nextAt` than it has seen.
async function take(
  db: MigrationDatabase,
  seen: { readonly id: unknown; readonly nextAt: unknown },
  leasedUntil: string,
): Promise<ClaimedDelivery | null> {
  const row = await db
    .updateTable(deliveriesTable)
    .set((eb) => ({ nextAt: leasedUntil, attemptCount: eb('attemptCount', '+', 1) }))
    .where('id', '=', String(seen.id))
    .where('nextAt', '=', String(seen.nextAt))
    .where('state', '=', 'waiting')
    .returningAll()
    .executeTakeFirst()
  if (row === undefined) return null
  return { ...deliveryOf(row), untilMs: Date.parse(String(row['untilAt'])), leasedUntil }
}

/** What comes of an attempt. */
export interface AttemptEnd {
  readonly state: DeliveryState
  /** When the next attempt is due. */
  readonly nextAtMs: number
  readonly lastError: string | null
}

/**
 * Notes what came of an attempt. One that has succeeded counts in any case; another only while its lease lasts, so
 * that it does not undo what the next one has done.
 */
export async function endAttempt(
  db: MigrationDatabase,
  { id, leasedUntil }: ClaimedDelivery,
  { state, nextAtMs, lastError }: AttemptEnd,
): Promise<void> {
  let query = db
    .updateTable(deliveriesTable)
    .set({ state, lastError, nextAt: iso(nextAtMs) })
    .where('id', '=', id)
  if (state !== 'sent') query = query.where('nextAt', '=', leasedUntil).where('state', '=', 'waiting')
  await query.execute()
}

function deliveryOf(row: Row): AlertDelivery {
  return {
    id: String(row['id']),
    alertId: String(row['alertId']),
    channel: String(row['channel']),
    kind: kindOf(row['kind']),
    state: stateOf(row['state']),
    attemptCount: Number(row['attemptCount']),
    nextAt: String(row['nextAt']),
    lastError: typeof row['lastError'] === 'string' ? row['lastError'] : null,
    createdAt: String(row['createdAt']),
  }
}

function kindOf(value: unknown): AlertNews {
  return value === 'grown' || value === 'acknowledged' || value === 'closed' ? value : 'opened'
}

function stateOf(value: unknown): DeliveryState {
  return value === 'sent' || value === 'dead' ? value : 'waiting'
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}
