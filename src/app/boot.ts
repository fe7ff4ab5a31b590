import { accountPages } from '../account-pages/index.ts'
import { type TrailReader, trailKeys, trailReader } from '../audit/index.ts'
import { assert } from '../base/index.ts'
import { deriveKey } from '../crypto/index.ts'
import type { Database, OwnedRows } from '../data/index.ts'
import type { EdgeOptions, RequestResponses } from '../http/index.ts'
import { OnceReplies, replySeal } from '../idempotency/index.ts'
import { type OperationsParts, operationRoutes, viewOf } from '../operations/index.ts'
import { minimumChars } from '../passwords/index.ts'
import type { Responses } from '../responses/index.ts'
import type { Route } from '../route/index.ts'
import { loadSettings, type Mode, type Settings } from '../settings/index.ts'
import { type AccountsParts, accountRoutes } from '../users/index.ts'
import { assemble } from './assemble.ts'
import type { BootOptions } from './boot-options.ts'
import type { AppDeclaration } from './declaration.ts'
import { type Defence, openDefence } from './defence.ts'
import type { FollowEvents } from './event-stream.ts'
import { examineApp } from './examine.ts'
import { type Foundation, type Ground, layFoundation, loggerFor } from './foundation.ts'
import { Late } from './late.ts'
import { openLimitStore } from './limit-store.ts'
import type { AccountsFront } from './own-routes.ts'
import { readPosture } from './posture.ts'
import { refusalEvents } from './refusal-events.ts'
import { refusedRows } from './refused-rows.ts'
import { type Server, serverOf } from './server.ts'
import { servicesOf } from './services.ts'

/** Puts a server together without listening. @throws SettingsFault, BootError, DatabaseFault */
export async function boot(declaration: AppDeclaration, options: BootOptions): Promise<Server> {
  const settings = loadSettings(options.environment ?? process.env)
  const late = new Late<OwnParts>()
  const app = await examineApp(declaration, ownRoutesOf(declaration, late.get))
  const given = (options.identity ?? declaration.identity)?.(settings)
  const logger = options.logger ?? loggerFor(declaration, settings)
  for (const warning of settings.warnings) logger.warn(warning)
  let origin = settings.publicOrigin
  const { resources } = app.vocabulary
  const limits = await openLimitStore(declaration, settings, logger)
  const ground: Ground = {
    declaration,
    settings,
    resources,
    logger,
    limits,
    kind: 'server',
    origin: () => origin,
  }
  const foundation = await layFoundation(ground).catch(async (error: unknown) => {
    await limits.close()
    throw error
  })
  const { database, rows, trail, bans, accounts } = foundation
  let defence: Defence | undefined
  const closeParts = async (): Promise<void> => {
    await defence?.close()
    await foundation.closeParts()
    await limits.close()
  }
  try {
    const holder: { server?: Server } = {}
    const open = await openDefence({ declaration, settings, foundation, logger })
    defence = open
    const reader = trailReader(database.db, trailKeys(settings.secret, settings.previousSecret), trail)
    if (accounts !== undefined)
      late.set(ownPartsOf(accounts.parts, { foundation, defence: open, reader, settings, holder }))
    const identify = given ?? accounts?.identify
    assert(identify !== undefined, 'an application without an identity of its own has accounts')
    const services = servicesOf({
      rows,
      identify,
      refusedRow: refusedRows(rows, trail.emit, logger),
      emit: trail.emit,
      responses: requestResponses(open.responses),
      once: onceReplies(database, rows, settings),
      limits,
      limitFields: declaration.http?.rateLimits?.fields,
      accountBannedForMs: bans.accountBannedForMs,
      cursorKey: deriveKey(settings.secret, 'cursor'),
    })
    const { edge, plan } = await assemble({
      declaration,
      app,
      services,
      origin: () => origin,
      follow: () => followEvents(reader),
      accounts:
        accounts === undefined
          ? undefined
          : accountsFront(declaration, settings.mode, () => accounts.parts.tokens.jwks()),
      options: {
        ...edgeOptionsOf(settings, declaration),
        logger,
        bannedForMs: bans.addressBannedForMs,
        observe: refusalEvents(trail.emit),
      },
    })
    edge.health.add('database', () => database.check())
    const onListening = (address: string): void => {
      if (new URL(settings.publicOrigin).port === '0') origin = address
      logger.info({ address }, 'listening')
    }
    const server = serverOf({
      edge,
      plan,
      settings,
      rows,
      bans: bans.bans,
      events: { ...reader, emit: trail.emit, listen: (listener) => trail.listen(listener) },
      alerts: open.alerts,
      responses: open.responses,
      logger,
      onListening,
      origin: () => origin,
      database,
      accounts: accounts?.parts,
      onStop: closeParts,
    })
    holder.server = server
    return server
  } catch (error) {
    await closeParts()
    await database.close()
    throw error
  }
}

function edgeOptionsOf(settings: Settings, { http }: AppDeclaration): Omit<EdgeOptions, 'logger'> {
  return {
    origin: new URL(settings.publicOrigin),
    mode: settings.mode,
    trustedProxies: settings.trustedProxies,
    allowedOrigins: settings.allowedOrigins,
    tls: settings.tls ?? undefined,
    ...http,
  }
}

function onceReplies(database: Database, rows: OwnedRows, { secret }: Settings): OnceReplies {
  const nameKey = deriveKey(secret, 'idempotency-name')
  return new OnceReplies({ database, rows, nameKey, seal: replySeal(deriveKey(secret, 'idempotency-reply')) })
}

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
interface OwnGround {
  readonly foundation: Foundation
  readonly defence: Defence
  readonly reader: TrailReader
  readonly settings: Settings
  readonly holder: { readonly server?: Server }
}

/** The live stream: events of all nodes, as operators see them in lists. */
function followEvents(reader: TrailReader): FollowEvents {
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

function requestResponses({ index }: Responses): RequestResponses {
  return {
    slowsDown: () => index.count > 0,
    slowedByMs: (address, userId) => index.delayMsFor(address, userId),
    stepUpSinceMs: (userId, sessionId) => index.stepUpSinceMs(userId, sessionId),
  }
}

function ownPartsOf(
  accounts: AccountsParts,
  { foundation, defence, reader, settings, holder }: OwnGround,
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
        detection: settings.detection,
        retentionDays: 365,
      })
    },
  }
}
