import type { AuditTrail } from '../../src/audit/index.ts'
import type { MigrationDatabase } from '../../src/data/index.ts'
import type { SecurityEvent } from '../../src/events/index.ts'

/** A trail that only remembers: what was emitted, and what was noted in transactions that were committed. */
export interface NotedTrail extends AuditTrail {
  readonly events: SecurityEvent[]
}

/** Makes one over a database, for tests of what emits events. */
export function notedTrail(db: MigrationDatabase, events: SecurityEvent[] = []): NotedTrail {
  return {
    events,
    emit: (event) => void events.push(event),
    async transact(work) {
      const noted: SecurityEvent[] = []
      const done = await db.transaction().execute((trx) => work(trx, (event) => void noted.push(event)))
      events.push(...noted)
      return done
    },
    listen: () => () => undefined,
    idle: async () => undefined,
  }
}
