import { accountPages } from '../account-pages/index.ts'
import type { TrailReader } from '../audit/index.ts'
import { assert } from '../base/index.ts'
import { type OperationsParts, operationRoutes, viewOf } from '../operations/index.ts'
import { minimumChars } from '../passwords/index.ts'
import type { Route } from '../route/index.ts'
import type { Mode, Settings } from '../settings/index.ts'
import { type AccountsParts, accountRoutes } from '../users/index.ts'
import type { AppDeclaration } from './declaration.ts'
import { type Defence, retentionDaysOf } from './defence.ts'
import type { FollowEvents } from './event-stream.ts'
import type { Foundation } from './foundation.ts'
import type { AccountsFront } from './own-routes.ts'
import { readPosture } from './posture.ts'
import type { Server } from './server.ts'

/** What accounts serve beside their API. */
export function accountsFront(
  { title, accounts: { pages = true } = {} }: AppDeclaration,
  mode: Mode,
  jwks: () => unknown,
): AccountsFront {
  const returnPaths = mode === 'production' ? [] : ['/docs']
  const options = { siteName: title, minimumPasswordChars: minimumChars, returnPaths }
  return { jwks, pages: pages ? accountPages(options) : [] }
}

/** The routes of accounts and of operators; an application with an identity of its own has none. */
export function ownRoutesOf({ identity }: AppDeclaration, parts: () => OwnParts): readonly Route[] {
  if (identity !== undefined) return []
  return [...accountRoutes(() => parts().accounts), ...operationRoutes(parts)]
}

/** What the own routes work on. */
export type OwnParts = OperationsParts

/** What the own routes of an application with accounts stand on. */
export interface OwnGround {
  readonly declaration: AppDeclaration
  readonly foundation: Foundation
  readonly defence: Defence
  readonly reader: TrailReader
  readonly settings: Settings
  readonly holder: { readonly server?: Server }
}

/** The live stream: events of all nodes, as operators see them in lists. */
export function followEvents(reader: TrailReader): FollowEvents {
  return ({ from, event, onBatch, onFailure }) =>
    reader.follow({
      from,
      onFailure,
      onBatch({ cursor, events }) {
        const wanted = event === undefined ? events : events.filter((one) => one.event === event)
        onBatch({ cursor, events: wanted.map(viewOf) })
      },
    })
}

/** Puts together what the own routes work on. */
export function ownPartsOf(
  accounts: AccountsParts,
  { declaration, foundation, defence, reader, settings, holder }: OwnGround,
): OwnParts {
  const { bans, database } = foundation
  const { db } = database
  return {
    accounts,
    bans: bans.bans,
    alerts: defence.alerts,
    responses: defence.responses,
    events: { db, follow: reader.follow },
    posture: async () => {
      const { server } = holder
      assert(server !== undefined, 'a request comes once there is a server')
      const { plan, unscopedUses } = server
      return await readPosture({
        settings,
        db,
        plan: () => plan,
        unscopedUses: () => unscopedUses,
        detection: defence.mode,
        retentionDays: retentionDaysOf(declaration),
      })
    },
  }
}
