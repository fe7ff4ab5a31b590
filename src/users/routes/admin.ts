import { z } from 'zod'
import { Problem } from '../../errors/index.ts'
import { noContent, ownRoute, type Route, roleAccess } from '../../route/index.ts'
import { type Account, administratorRole } from '../account.ts'
import { orderAccount } from '../administer.ts'
import { revokeSessions } from '../administer-sessions.ts'
import { listAccounts } from '../list-accounts.ts'
import type { AccountsParts } from '../parts.ts'
import { accountById } from '../store.ts'
import { fromOf } from './exchange.ts'

const Time = z.string().max(30)

/** What an administrator sees of an account: never its password hash. */
const AdminView = z.strictObject({
  id: z.string().max(64),
  email: z.string().max(254),
  name: z.string().max(100),
  roles: z.array(z.string().max(64)),
  disabled: z.boolean(),
  createdAt: Time,
  lastLoginAt: Time.nullable(),
})

/** Why something is done, on one line: it goes to the audit trail. @see OWASP ASVS 5.0 §16.2.1 */
export const Reason = z
  .string()
  .trim()
  .min(3)
  .max(500)
  .regex(/^[^\p{Cc}\p{Zl}\p{Zp}]+$/u, 'expected one line of text')

const AccountId = z.strictObject({ id: z.uuid() })
const limit = 'admin'

/** Routes for administrators. */
export function adminRoutes(parts: () => AccountsParts): readonly Route[] {
  const access = () => roleAccess(administratorRole)
  return [
    ownRoute(
      'GET /api/admin/users',
      {
        access: access(),
        query: z.strictObject({
          search: z.string().min(1).max(100).optional(),
          role: z.string().min(1).max(64).optional(),
          disabled: z.boolean().optional(),
          limit: z.int().min(1).max(100).default(20),
          cursor: z.string().max(500).optional(),
        }),
        output: z.strictObject({ items: z.array(AdminView), nextCursor: z.string().nullable() }),
        limit,
      },
      async ({ query, page }) => {
        const found = await listAccounts(parts(), query, page)
        return { items: found.items.map(viewOf), nextCursor: found.nextCursor }
      },
    ),
    ownRoute(
      'GET /api/admin/users/:id',
      { access: access(), params: AccountId, output: AdminView, limit },
      async ({ params }) => {
        const account = await accountById(parts().db, params.id)
        if (account === null) throw new Problem('NOT_FOUND', 'no such account')
        return viewOf(account)
      },
    ),
    ownRoute(
      'PATCH /api/admin/users/:id',
      {
        access: access(),
        params: AccountId,
        body: z.strictObject({
          roles: z.array(z.string().min(1).max(64)).max(32).optional(),
          disabled: z.boolean().optional(),
          reason: Reason,
        }),
        output: AdminView,
        limit,
      },
      async ({ user, params, body, exchange, requestId }) => {
        const actor = { kind: 'administrator', id: user.id } as const
        const from = fromOf(exchange, requestId)
        return viewOf(await orderAccount(parts(), { actor, userId: params.id, order: body }, from))
      },
    ),
    ownRoute(
      'POST /api/admin/users/:id/revoke-sessions',
      {
        access: access(),
        params: AccountId,
        body: z.strictObject({ reason: Reason }),
        output: noContent,
        limit,
      },
      ({ user, params, body, exchange, requestId }) =>
        revokeSessions(
          parts(),
          { actor: { kind: 'administrator', id: user.id }, userId: params.id, reason: body.reason },
          fromOf(exchange, requestId),
        ),
    ),
  ]
}

function viewOf(account: Account): z.input<typeof AdminView> {
  const { id, email, name, roles, disabledAt, createdAt, lastLoginAt } = account
  return { id, email, name, roles: [...roles], disabled: disabledAt !== null, createdAt, lastLoginAt }
}
