import type { MigrationDatabase } from '../data/index.ts'
import type { EmitEvent, RecordedEvent } from '../events/index.ts'

/**
 * The audit trail, as the capabilities see it.
 *
 * @see OWASP ASVS 5.0 §16.2, §16.4
 */
export interface AuditTrail {
  /** Takes an event that no transaction stands behind. It is in the table within a second. */
  readonly emit: EmitEvent
  /**
   * Runs in one transaction. The events that are noted in it are rows of it: they are there if, and only if, what they
   * tell of is. Listeners hear of them after the commit.
   *
   * @example await trail.transact(async (trx, note) => { await remove(trx, id); note({ event: 'user_deleted', userId: id }) })
   * @throws whatever `work` throws, and what the database does
   */
  transact<T>(work: (db: MigrationDatabase, note: EmitEvent) => Promise<T>): Promise<T>
  /**
   * Hears of events in batches, a moment after they were emitted and outside of any request. An error of a listener is
   * logged, and concerns nobody else.
   *
   * @returns ends it
   */
  listen(listener: EventListener): () => void
  /** Resolves when all that was emitted before is in the table and sealed. For tests and for the end. */
  idle(): Promise<void>
}

/** Hears of events, the oldest first. */
export type EventListener = (events: readonly RecordedEvent[]) => void
