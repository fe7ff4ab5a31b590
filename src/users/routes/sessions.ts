import { z } from 'zod'
import { Problem } from '../../errors/index.ts'
import { noContent, ownRoute, type Route, signedInAccess } from '../../route/index.ts'
import { endSession, logoutEverywhere } from '../end-sessions.ts'
import type { AccountsParts } from '../parts.ts'
import { requireSession } from '../re-authenticate.ts'
import { forget, fromOf } from './exchange.ts'

const SessionView = z.strictObject({
  id: z.string().max(64),
  createdAt: z.string().max(30),
  lastSeenAt: z.string().max(30),
  device: z.string().max(200),
  address: z.string().max(64),
  isCurrent: z.boolean(),
})

/** Routes about sessions: logging out, the list, the end of one. */
export function sessionRoutes(parts: () => AccountsParts): readonly Route[] {
  return [
    ownRoute(
      'POST /api/auth/logout',
      { access: signedInAccess(), output: noContent, limit: 'auth' },
      async ({ user, exchange, requestId }) => {
        await endSession(parts(), user.id, requireSession(user).id, fromOf(exchange, requestId))
        forget(exchange)
        exchange.clearSiteData('stored')
      },
      { standsStepUp: true },
    ),
    ownRoute(
      'POST /api/auth/logout-everywhere',
      { access: signedInAccess(), output: noContent, limit: 'auth' },
      async ({ user, exchange, requestId }) => {
        await logoutEverywhere(parts(), user.id, fromOf(exchange, requestId))
        forget(exchange)
        exchange.clearSiteData('stored')
      },
      { standsStepUp: true },
    ),
    ownRoute(
      'GET /api/auth/sessions',
      { access: signedInAccess(), output: z.strictObject({ items: z.array(SessionView) }), limit: 'account' },
      async ({ user }) => {
        const sessions = await parts().sessions.list(user.id)
        const items = sessions.map(({ id, createdAt, lastSeenAt, device, address }) => ({
          id,
          createdAt,
          lastSeenAt,
          device,
          address,
          isCurrent: id === user.session?.id,
        }))
        return { items }
      },
    ),
    ownRoute(
      'DELETE /api/auth/sessions/:id',
      {
        access: signedInAccess(),
        params: z.strictObject({ id: z.string().min(1).max(64) }),
        output: noContent,
        limit: 'account',
      },
      async ({ user, params, exchange, requestId }) => {
        if (!(await endSession(parts(), user.id, params.id, fromOf(exchange, requestId))))
          throw new Problem('NOT_FOUND', "no such session, or somebody else's")
        if (params.id === user.session?.id) forget(exchange)
      },
    ),
  ]
}
