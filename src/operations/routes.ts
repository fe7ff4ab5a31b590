import type { Bans } from '../bans/index.ts'
import type { Route } from '../route/index.ts'
import type { AccountsParts } from '../users/index.ts'
import { banRoutes } from './bans.ts'
import { type PostureFacts, postureRoutes } from './posture.ts'
import { sessionRoutes } from './sessions.ts'

/** What operators see and change; `app/` hands it over. */
export interface OperationsParts {
  readonly accounts: AccountsParts
  readonly bans: Bans
  readonly posture: () => Promise<PostureFacts>
}

/**
 * The routes of operators: whatever a console shows or does, it does through them.
 *
 * @param parts Asked at each request: the routes are looked at before there is a database.
 */
export function operationRoutes(parts: () => OperationsParts): readonly Route[] {
  return [
    ...banRoutes(() => parts().bans),
    ...sessionRoutes(() => parts().accounts),
    ...postureRoutes(() => parts().posture()),
  ]
}
