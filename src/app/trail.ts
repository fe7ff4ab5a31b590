import type { AuditTrail, EventListener } from '../audit/index.ts'
import type { Database } from '../data/index.ts'
import { type RecordedEvent, recordOf, type SecurityEvent } from '../events/index.ts'
import type { Logger } from '../observe/index.ts'

/** The audit trail, running. */
export interface OpenTrail {
  readonly trail: AuditTrail
  close(): Promise<void>
}

export async function openAppTrail({
  database,
  logger,
}: {
  database: Database
  logger: Logger
}): Promise<OpenTrail> {
  const listeners = new Set<EventListener>()
  const tell = (event: SecurityEvent): void => {
    const recorded = recordOf(event, Date.now())
    logEvent(logger, recorded)
    for (const listener of listeners) listener([recorded])
  }
  return {
    trail: {
      emit: (event) => void setImmediate(tell, event),
      async transact(work) {
        const noted: SecurityEvent[] = []
        const done = await database.db
          .transaction()
          .execute((trx) => work(trx, (event) => void noted.push(event)))
        for (const event of noted) tell(event)
        return done
      },
      listen(listener) {
        listeners.add(listener)
        return () => listeners.delete(listener)
      },
      idle: async () => undefined,
    },
    close: async () => undefined,
  }
}

/** One line for each event. `level` is the log's own word, so the level of the event stands under another. */
function logEvent(logger: Logger, { level, id: eventId, atMs: _, ...event }: RecordedEvent): void {
  logger[level === 'info' ? 'info' : 'warn']({ ...event, severity: level, eventId }, 'security event')
}
