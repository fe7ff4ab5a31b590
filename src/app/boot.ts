import { accountPages } from '../account-pages/index.ts'
import { assert } from '../base/index.ts'
import { deriveKey } from '../crypto/index.ts'
import type { Database, OwnedRows } from '../data/index.ts'
import type { EdgeOptions } from '../http/index.ts'
import { OnceReplies, replySeal } from '../idempotency/index.ts'
import { type OperationsParts, operationRoutes } from '../operations/index.ts'
import { minimumChars } from '../passwords/index.ts'
import type { Route } from '../route/index.ts'
import { loadSettings, type Mode, type Settings } from '../settings/index.ts'
import { type AccountsParts, accountRoutes } from '../users/index.ts'
import { assemble } from './assemble.ts'
import type { BootOptions } from './boot-options.ts'
import type { AppDeclaration } from './declaration.ts'
import { examineApp } from './examine.ts'
import { type Foundation, layFoundation, loggerFor } from './foundation.ts'
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
  const ground = { declaration, settings, resources, logger, limits, origin: () => origin }
  const foundation = await layFoundation(ground).catch(async (error: unknown) => {
    await limits.close()
    throw error
  })
  const { database, rows, trail, bans, accounts } = foundation
  const closeParts = async (): Promise<void> => {
    await foundation.closeParts()
    await limits.close()
  }
  try {
    const holder: { server?: Server } = {}
    if (accounts !== undefined) late.set(ownPartsOf(accounts.parts, foundation, settings, holder))
    const identify = given ?? accounts?.identify
    assert(identify !== undefined, 'an application without an identity of its own has accounts')
    const services = servicesOf({
      rows,
      identify,
      refusedRow: refusedRows(rows, trail.emit, logger),
      emit: trail.emit,
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

function ownPartsOf(
  accounts: AccountsParts,
  { bans, database: { db } }: Foundation,
  settings: Settings,
  holder: { readonly server?: Server },
): OwnParts {
  return {
    accounts,
    bans: bans.bans,
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
