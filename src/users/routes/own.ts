import { z } from 'zod'
import { noContent, ownRoute, type Route, signedInAccess } from '../../route/index.ts'
import type { Account } from '../account.ts'
import { deleteOwn, exportOwn, ownAccount, renameOwn } from '../own-account.ts'
import type { AccountsParts } from '../parts.ts'
import { forget, fromOf } from './exchange.ts'

const Time = z.string().max(30)

/** What a person sees of their own account. */
const OwnView = z.strictObject({
  id: z.string().max(64),
  email: z.string().max(254),
  name: z.string().max(100),
  roles: z.array(z.string().max(64)),
  createdAt: Time,
})

const ExportView = z.strictObject({
  account: OwnView.extend({
    updatedAt: Time,
    passwordChangedAt: Time.nullable(),
    lastLoginAt: Time.nullable(),
  }),
  sessions: z.array(
    z.strictObject({
      id: z.string().max(64),
      createdAt: Time,
      lastSeenAt: Time,
      device: z.string().max(200),
      address: z.string().max(64),
    }),
  ),
  /** The rows of the application, as JSON text by table: their columns are the application's. */
  rows: z.array(z.strictObject({ table: z.string().max(128), json: z.string() })),
})

/** Routes about one's own account. */
export function ownRoutes(parts: () => AccountsParts): readonly Route[] {
  return [
    ownRoute(
      'GET /api/users/me',
      { access: signedInAccess(), output: OwnView, limit: 'account' },
      async ({ user }) => viewOf(await ownAccount(parts(), user.id)),
    ),
    ownRoute(
      'PATCH /api/users/me',
      {
        access: signedInAccess(),
        body: z.strictObject({ name: z.string().max(200) }),
        output: OwnView,
        limit: 'account',
      },
      async ({ user, body, exchange, requestId }) =>
        viewOf(await renameOwn(parts(), user.id, body.name, fromOf(exchange, requestId))),
    ),
    ownRoute(
      'DELETE /api/users/me',
      { access: signedInAccess(), output: noContent, limit: 'account' },
      async ({ user, exchange, requestId }) => {
        await deleteOwn(parts(), user, fromOf(exchange, requestId))
        forget(exchange)
        exchange.clearSiteData('everything')
      },
    ),
    ownRoute(
      'GET /api/users/me/export',
      { access: signedInAccess(), output: ExportView, limit: 'account' },
      async ({ user }) => {
        const { account, sessions, rows } = await exportOwn(parts(), user.id)
        const { email, id, name, roles, createdAt, updatedAt, passwordChangedAt, lastLoginAt } = account
        return {
          account: {
            id,
            email,
            name,
            roles: [...roles],
            createdAt,
            updatedAt,
            passwordChangedAt,
            lastLoginAt,
          },
          sessions: sessions.map(({ id, createdAt, lastSeenAt, device, address }) => ({
            id,
            createdAt,
            lastSeenAt,
            device,
            address,
          })),
          rows: Object.entries(rows).map(([table, all]) => ({ table, json: JSON.stringify(all) })),
        }
      },
    ),
  ]
}

function viewOf({ id, email, name, roles, createdAt }: Account): z.input<typeof OwnView> {
  return { id, email, name, roles: [...roles], createdAt }
}
