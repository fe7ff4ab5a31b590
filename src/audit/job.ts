import type { MigrationDatabase } from '../data/index.ts'
import type { RecordedEvent } from '../events/index.ts'
import { type FollowOptions, followTrail } from './follow.ts'
import type { TrailKeys } from './keys.ts'
import { type EventFilter, eachEvent, latestEvents } from './list.ts'
import { type PruneOrder, type Pruning, pruneTrail } from './prune.ts'
import type { AuditTrail } from './trail.ts'
import { type TrailReport, type VerifyOptions, verifyTrail } from './verify.ts'

/** What can be done with a trail beside writing it. */
export interface TrailReader {
  /** The newest events, the oldest of them first. */
  latest(filter: EventFilter, count: number): Promise<readonly RecordedEvent[]>
  /** Every event, the oldest first. */
  each(filter: EventFilter): AsyncIterable<RecordedEvent>
  /** Tells of events as they are sealed, on all nodes. @returns ends it @throws VALIDATION_FAILED */
  follow(options: FollowOptions): () => void
  /** Looks at every row and checkpoint. */
  verify(options?: VerifyOptions): Promise<TrailReport>
  /**
   * Removes what is older, once it has been verified; the trail says who did it, and why.
   *
   * @throws PruneRefused, VALIDATION_FAILED
   */
  prune(order: PruneOrder, by: { readonly actorId?: string; readonly reason: string }): Promise<Pruning>
}

/** Reads and prunes a trail. */
export function trailReader(
  db: MigrationDatabase,
  keys: TrailKeys,
  trail: Pick<AuditTrail, 'emit'>,
): TrailReader {
  return {
    latest: (filter, count) => latestEvents(db, filter, count),
    each: (filter) => eachEvent(db, filter),
    follow: (options) => followTrail(db, options),
    verify: (options) => verifyTrail(db, keys, options),
    async prune(order, { actorId, reason }) {
      const pruning = await pruneTrail(db, keys, order)
      const details = { rows: pruning.rowCount, before: order.before.toISOString() }
      if (pruning.rowCount > 0)
        trail.emit({ event: 'audit_pruned', reason, ...(actorId === undefined ? {} : { actorId }), details })
      return pruning
    },
  }
}
