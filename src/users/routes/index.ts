import type { Route } from '../../route/index.ts'
import type { AccountsParts } from '../parts.ts'
import { adminRoutes } from './admin.ts'
import { credentialRoutes, linkRoutes, registrationRoutes, tokenRoutes } from './auth.ts'
import { ownRoutes } from './own.ts'
import { sessionRoutes } from './sessions.ts'

/**
 * Every route of accounts.
 *
 * @param parts Asked at each request: the routes are looked at before there is a database.
 */
export function accountRoutes(parts: () => AccountsParts): readonly Route[] {
  return [
    ...registrationRoutes(parts),
    ...tokenRoutes(parts),
    ...linkRoutes(parts),
    ...credentialRoutes(parts),
    ...sessionRoutes(parts),
    ...ownRoutes(parts),
    ...adminRoutes(parts),
  ]
}
