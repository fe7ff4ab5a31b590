import type { MigrationDatabase, Page, Pager } from '../data/index.ts'
import { sessionsTable } from './migration.ts'
import { type SessionRecord, sessionRow } from './session.ts'

/** Which sessions, and where the page begins. */
export interface SessionSearch {
  readonly userId?: string | undefined
  readonly limit: number
  readonly cursor?: string | undefined
}

/**
 * A page of the sessions that live, of everybody or of one account, newest first.
 *
 * @throws VALIDATION_FAILED for a cursor of another list or caller
 */
export async function allSessions(
  db: MigrationDatabase,
  { userId, limit, cursor }: SessionSearch,
  { page, nowMs }: { readonly page: Pager; readonly nowMs: number },
): Promise<Page<SessionRecord>> {
  const now = new Date(nowMs).toISOString()
  let query = db
    .selectFrom(sessionsTable)
    .selectAll()
    .where('endedAt', 'is', null)
    .where('idleUntil', '>', now)
    .where('expiresAt', '>', now)
  if (userId !== undefined) query = query.where('userId', '=', userId)
  // The id is a UUIDv7, so it orders by the time of creation, by the primary key.
  const found = await page(query, { by: [['id', 'desc']], limit, cursor })
  return { items: found.items.map((row) => sessionRow(row).session), nextCursor: found.nextCursor }
}

/** Whose session it is; `null` when there is none of that id. */
export async function ownerOfSession(db: MigrationDatabase, id: string): Promise<string | null> {
  const row = await db.selectFrom(sessionsTable).select('userId').where('id', '=', id).executeTakeFirst()
  return row === undefined ? null : String(row['userId'])
}
