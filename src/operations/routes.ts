import type { Alerts } from '../alerts/index.ts'
import type { Bans } from '../bans/index.ts'
import type { Responses } from '../responses/index.ts'
import type { Route } from '../route/index.ts'
import type { AccountsParts } from '../users/index.ts'
import { alertRoutes } from './alerts.ts'
import { banRoutes } from './bans.ts'
import { type EventsParts, eventRoutes } from './events.ts'
import { type PostureFacts, postureRoutes } from './posture.ts'
import { responseRoutes } from './responses.ts'
import { sessionRoutes } from './sessions.ts'

/** What operators see and change; `app/` hands it over. */
export interface OperationsParts {
  readonly accounts: AccountsParts
  readonly bans: Bans
  readonly alerts: Alerts
  readonly responses: Responses
  readonly events: EventsParts
  readonly posture: () => Promise<PostureFacts>
}

/**
 * The routes of operators: whatever a console shows or does, it does through them.
 *
 * @param parts Asked at each request: the routes are looked at before there is a database.
 */
export function operationRoutes(parts: () => OperationsParts): readonly Route[] {
  return [
    ...eventRoutes(() => parts().events),
    ...alertRoutes(() => parts().alerts),
    ...responseRoutes(() => parts().responses),
    ...banRoutes(() => parts().bans),
    ...sessionRoutes(() => parts().accounts),
    ...postureRoutes(() => parts().posture()),
  ]
}
