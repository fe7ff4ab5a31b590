import { accountPages } from '../account-pages/index.ts'
import { assert } from '../base/index.ts'
import { deriveKey } from '../crypto/index.ts'
import type { Database, OwnedRows } from '../data/index.ts'
import type { EdgeOptions } from '../http/index.ts'
import { OnceReplies, replySeal } from '../idempotency/index.ts'
import { minimumChars } from '../passwords/index.ts'
import type { Route } from '../route/index.ts'
import { loadSettings, type Mode, type Settings } from '../settings/index.ts'
import { type AccountsParts, accountRoutes } from '../users/index.ts'
import { assemble } from './assemble.ts'
import type { BootOptions } from './boot-options.ts'
import type { AppDeclaration } from './declaration.ts'
import { examineApp } from './examine.ts'
import { layFoundation, loggerFor } from './foundation.ts'
import { Late } from './late.ts'
import { openLimitStore } from './limit-store.ts'
import type { AccountsFront } from './own-routes.ts'
import { refusedRows } from './refused-rows.ts'
import { type Server, serverOf } from './server.ts'
import { servicesOf } from './services.ts'

/** Puts a server together without listening. @throws SettingsFault, BootError, DatabaseFault */
export async function boot(declaration: AppDeclaration, options: BootOptions): Promise<Server> {
  const settings = loadSettings(options.environment ?? process.env)
  const late = new Late<AccountsParts>()
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
    if (accounts !== undefined) late.set(accounts.parts)
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
      options: { ...edgeOptionsOf(settings, declaration), logger, bannedForMs: bans.addressBannedForMs },
    })
    edge.health.add('database', () => database.check())
    const onListening = (address: string): void => {
      if (new URL(settings.publicOrigin).port === '0') origin = address
      logger.info({ address }, 'listening')
    }
    return serverOf({
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

/** The routes of accounts; an application with an identity of its own has none. */
export function ownRoutesOf({ identity }: AppDeclaration, parts: () => AccountsParts): readonly Route[] {
  return identity === undefined ? accountRoutes(parts) : []
}
