import { z } from 'zod'
import { noContent, ownRoute, type Route } from '../route/index.ts'
import { allSessions, type SessionRecord } from '../sessions/index.ts'
import { type AccountsParts, fromOf, revokeSession } from '../users/index.ts'
import { operatorLimit as limit, operators, pageQuery, ReasonBody, RowId, Time } from './words.ts'

const SessionView = z.strictObject({
  id: z.string().max(64),
  userId: z.string().max(64),
  transport: z.enum(['bearer', 'cookie']),
  device: z.string().max(200),
  address: z.string().max(64),
  createdAt: Time,
  lastSeenAt: Time,
  idleUntil: Time,
  expiresAt: Time,
})

/** The sessions of everybody: seen, and ended. @see OWASP ASVS 5.0 §7.4.5 */
export function sessionRoutes(parts: () => AccountsParts): readonly Route[] {
  return [
    ownRoute(
      'GET /api/admin/sessions',
      {
        access: operators(),
        query: z.strictObject({ user: z.uuid().optional(), ...pageQuery }),
        output: z.strictObject({ items: z.array(SessionView), nextCursor: z.string().nullable() }),
        limit,
      },
      async ({ query: { user: userId, limit, cursor }, page }) => {
        const { db, nowMs } = parts()
        const found = await allSessions(db, { userId, limit, cursor }, { page, nowMs: nowMs() })
        return { items: found.items.map(viewOf), nextCursor: found.nextCursor }
      },
    ),
    ownRoute(
      'POST /api/admin/sessions/:id/revoke',
      { access: operators(), params: RowId, body: ReasonBody, output: noContent, limit },
      ({ user, params, body, exchange, requestId }) => {
        const actor = { kind: 'administrator', id: user.id } as const
        const order = { actor, sessionId: params.id, reason: body.reason }
        return revokeSession(parts(), order, fromOf(exchange, requestId))
      },
    ),
  ]
}

function viewOf(session: SessionRecord): z.input<typeof SessionView> {
  const { amr: _, authTimeSeconds: __, deviceId: ___, ...view } = session
  return view
}
