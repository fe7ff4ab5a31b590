import type { MigrationDatabase } from '../data/index.ts'
import type { EventLevel, EventName, RecordedEvent } from '../events/index.ts'
import { eventsTable } from './migration.ts'
import { eventColumns, eventOf, eventRowOf } from './row.ts'

/** Which events. Each by itself is found by an index; several at once by the one that the database chooses. */
export interface EventFilter extends EventFilterWho, EventFilterWhen {
  readonly event?: EventName | undefined
  readonly level?: EventLevel | undefined
  /** `GET /api/notes/:id` */
  readonly route?: string | undefined
}

/** Whose events. */
export interface EventFilterWho {
  readonly userId?: string | undefined
  readonly actorId?: string | undefined
  readonly sessionId?: string | undefined
  readonly address?: string | undefined
}

/** From when. */
export interface EventFilterWhen {
  readonly since?: Date | undefined
  /** Up to, but not at this time. */
  readonly until?: Date | undefined
}

/** A query for the rows of events, for a pager: order it by `id`. */
export function eventsQuery(db: MigrationDatabase, filter: EventFilter) {
  const { event, level, route, userId, actorId, sessionId, address, since, until } = filter
  // Not the place: what somebody may have written there must not keep operators from reading.
  let query = db.selectFrom(eventsTable).select(eventColumns)
  const wanted = { event, level, route, userId, actorId, sessionId, address }
  for (const [column, value] of Object.entries(wanted))
    if (value !== undefined) query = query.where(column, '=', value)
  // The id begins with the time, so that one index serves both.
  if (since !== undefined) query = query.where('id', '>=', firstIdAt(since))
  if (until !== undefined) query = query.where('id', '<', firstIdAt(until))
  return query
}

/** The event of a row of {@link eventsQuery}. */
export function eventOfRow(row: Readonly<Record<string, unknown>>): RecordedEvent {
  return eventOf(eventRowOf(row))
}

/** Events by time, the oldest first, as many as there are, in pages. */
export async function* eachEvent(db: MigrationDatabase, filter: EventFilter): AsyncGenerator<RecordedEvent> {
  let after = ''
  for (;;) {
    const rows = await eventsQuery(db, filter)
      .where('id', '>', after)
      .orderBy('id')
      .limit(pageCount)
      .execute()
    for (const row of rows) yield eventOfRow(row)
    const last = rows.at(-1)
    if (last === undefined || rows.length < pageCount) return
    after = String(last['id'])
  }
}

/** The newest events, the oldest of them first. */
export async function latestEvents(
  db: MigrationDatabase,
  filter: EventFilter,
  count: number,
): Promise<readonly RecordedEvent[]> {
  const rows = await eventsQuery(db, filter).orderBy('id', 'desc').limit(count).execute()
  return rows.map(eventOfRow).reverse()
}

const pageCount = 1_000

/** The least UUIDv7 of a millisecond. @see RFC 9562 §5.7 */
export function firstIdAt(time: Date): string {
  const hex = Math.max(0, time.getTime()).toString(16).padStart(12, '0').slice(-12)
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000000`
}
