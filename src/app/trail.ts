import { type OpenTrail, openTrail, trailKeys } from '../audit/index.ts'
import type { Database } from '../data/index.ts'
import type { RecordedEvent } from '../events/index.ts'
import type { Logger } from '../observe/index.ts'
import type { Settings } from '../settings/index.ts'

/** What the trail is opened with. */
export interface AppTrailOpening {
  readonly settings: Pick<Settings, 'secret' | 'previousSecret'>
  readonly database: Database
  readonly logger: Logger
  readonly kind: 'server' | 'job'
}

/** Opens the audit trail. Each event is a line of the log too, and each checkpoint: a copy outside of the database. */
export function openAppTrail({ settings, database, logger, kind }: AppTrailOpening): OpenTrail {
  const trail = openTrail({
    db: database.db,
    keys: trailKeys(settings.secret, settings.previousSecret),
    kind,
    onFailure: (err) => logger.error({ err }, 'writing the audit trail has failed'),
    onCheckpoint: ({ chain, seq, hash }) =>
      logger.info({ chain, seq, reached: inGroups(hash) }, 'audit trail checkpoint'),
  })
  trail.listen((events) => {
    for (const event of events) logEvent(logger, event)
  })
  return trail
}

/** In groups of eight: in one piece it looks like a key, and a key has no place in the log. */
function inGroups(hash: string): string {
  return (hash.match(/.{1,8}/g) ?? []).join(' ')
}

/** One line for each event. `level` is the log's own word, so the level of the event stands under another. */
function logEvent(logger: Logger, { level, id: eventId, atMs: _, ...event }: RecordedEvent): void {
  logger[level === 'info' ? 'info' : 'warn']({ ...event, severity: level, eventId }, 'security event')
}
