import type { MigrationDatabase } from '../data/index.ts'
import { sessionsTable } from './migration.ts'

/** How many sessions live, and how many people have one that was refreshed within a quarter of an hour. */
export interface SessionActivity {
  readonly sessionCount: number
  readonly userCount: number
}

const activeMs = 15 * 60_000

/** Counts sessions and people, for metrics. A session is refreshed about every ten minutes while it is in use. */
export async function sessionActivity(db: MigrationDatabase, nowMs: number): Promise<SessionActivity> {
  const now = new Date(nowMs).toISOString()
  const recently = new Date(nowMs - activeMs).toISOString()
  const living = await db
    .selectFrom(sessionsTable)
    .select((eb) => eb.fn.countAll().as('count'))
    .where('endedAt', 'is', null)
    .where('idleUntil', '>', now)
    .where('expiresAt', '>', now)
    .executeTakeFirst()
  const active = await db
    .selectFrom(sessionsTable)
    .select((eb) => eb.fn.count('userId').distinct().as('count'))
    .where('endedAt', 'is', null)
    .where('lastSeenAt', '>', recently)
    .executeTakeFirst()
  return { sessionCount: Number(living?.['count'] ?? 0), userCount: Number(active?.['count'] ?? 0) }
}
