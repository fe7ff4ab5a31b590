import { z } from 'zod'
import { eventOfRow, eventsQuery, type TrailReader } from '../audit/index.ts'
import type { MigrationDatabase } from '../data/index.ts'
import { Problem } from '../errors/index.ts'
import { isEventName, type RecordedEvent } from '../events/index.ts'
import { ownRoute, type Route } from '../route/index.ts'
import { operatorLimit as limit, operators, pageQuery, Time } from './words.ts'

/** What the routes of events read. */
export interface EventsParts {
  /** Without row rules. */
  readonly db: MigrationDatabase
  readonly follow: TrailReader['follow']
}

const Level = z.enum(['info', 'warn', 'critical'])
const Id = z.string().min(1).max(64)
const Detail = z.union([z.string().max(500), z.number(), z.boolean(), z.null()])

/** An event as operators see it. */
const EventView = z.strictObject({
  id: z.string().max(64),
  at: Time,
  event: z.string().max(64),
  level: Level,
  outcome: z.enum(['success', 'failure', 'unknown']),
  userId: z.string().max(64).nullable(),
  actorId: z.string().max(64).nullable(),
  sessionId: z.string().max(64).nullable(),
  address: z.string().max(64).nullable(),
  route: z.string().max(500).nullable(),
  requestId: z.string().max(64).nullable(),
  reason: z.string().max(500).nullable(),
  details: z.array(z.strictObject({ name: z.string().max(64), value: Detail })),
})

/** The audit trail, newest first. @see OWASP ASVS 5.0 §16.2.4 */
export function eventRoutes(parts: () => EventsParts): readonly Route[] {
  return [
    ownRoute(
      'GET /api/admin/events',
      {
        access: operators(),
        query: z.strictObject({
          event: z.string().min(1).max(64).optional(),
          level: Level.optional(),
          user: Id.optional(),
          actor: Id.optional(),
          session: Id.optional(),
          address: Id.optional(),
          route: z.string().min(1).max(500).optional(),
          since: z.iso.datetime().optional(),
          until: z.iso.datetime().optional(),
          ...pageQuery,
        }),
        output: z.strictObject({ items: z.array(EventView), nextCursor: z.string().nullable() }),
        limit,
      },
      async ({ query, page }) => {
        const { user, actor, session, since, until, limit, cursor, event, ...rest } = query
        const filter = {
          ...rest,
          event: nameOf(event),
          userId: user,
          actorId: actor,
          sessionId: session,
          since: since === undefined ? undefined : new Date(since),
          until: until === undefined ? undefined : new Date(until),
        }
        const rows = eventsQuery(parts().db, filter)
        const found = await page(rows, { by: [['id', 'desc']], limit, cursor })
        return { items: found.items.map(eventOfRow).map(viewOf), nextCursor: found.nextCursor }
      },
    ),
  ]
}

function nameOf(text: string | undefined) {
  if (text === undefined || isEventName(text)) return text
  throw new Problem('VALIDATION_FAILED', 'no name of an event', {
    errors: [{ path: '/query/event', message: 'expected the name of an event' }],
  })
}

/** An event as operators see it: every member is there, and its details are a list. */
export function viewOf(event: RecordedEvent): z.input<typeof EventView> {
  return {
    id: event.id,
    at: new Date(event.atMs).toISOString(),
    event: event.event,
    level: event.level,
    outcome: event.outcome,
    userId: event.userId ?? null,
    actorId: event.actorId ?? null,
    sessionId: event.sessionId ?? null,
    address: event.address ?? null,
    route: event.route ?? null,
    requestId: event.requestId ?? null,
    reason: event.reason ?? null,
    details: Object.entries(event.details ?? {}).map(([name, value]) => ({ name, value })),
  }
}
