import { type TrailReader, trailKeys, trailReader } from '../audit/index.ts'
import { type Bans, neverBanned, TableBans } from '../bans/index.ts'
import { DatabaseFault, type MigrationReport } from '../data/index.ts'
import { type KeysReport, type KeysRequest, manageKeys, type SigningRotation } from '../keys/index.ts'
import { memoryStore } from '../limits/index.ts'
import type { Logger } from '../observe/index.ts'
import { loadSettings, type Settings } from '../settings/index.ts'
import { rotateSigningKeys } from '../tokens/index.ts'
import type { AccountsParts } from '../users/index.ts'
import type { BootOptions } from './boot-options.ts'
import { bringUpToDate, migrateTo, openFor, withPatience } from './database.ts'
import type { AppDeclaration } from './declaration.ts'
import { examineApp } from './examine.ts'
import { keyEncryptionOf, layFoundation, loggerFor, schemaOf } from './foundation.ts'
import { openAppTrail } from './trail.ts'

/** What `holdfast migrate` asks for. @throws DatabaseFault */
export async function migrate(
  declaration: AppDeclaration,
  options: BootOptions & { readonly direction: 'up' | 'down' | 'status' },
): Promise<MigrationReport> {
  const settings = loadSettings(options.environment ?? process.env)
  const database = await openFor(settings)
  try {
    return await withPatience(settings, database, (patient) =>
      migrateTo(patient, schemaOf(declaration), options.direction),
    )
  } finally {
    await database.close()
  }
}

/** What `holdfast keys` asks for. @throws DatabaseFault, KeyFault */
export async function manage(
  declaration: AppDeclaration,
  options: BootOptions & KeysRequest,
): Promise<KeysReport> {
  const settings = loadSettings(options.environment ?? process.env)
  const { resources } = (await examineApp(declaration, [])).vocabulary
  const database = await openFor(settings)
  try {
    return await withPatience(settings, database, async (patient) => {
      await bringUpToDate(patient, schemaOf(declaration), settings.mode, () => undefined)
      const keyEncryption = keyEncryptionOf(declaration, settings)
      const { db } = patient
      const rotateSigning = async (isCompromised: boolean): Promise<SigningRotation> => {
        const { id, activeFrom } = await rotateSigningKeys(db, keyEncryption, { isCompromised })
        return { id, activeFrom, isCompromised }
      }
      const place = { db, resources, keyEncryption }
      const hasAccounts = declaration.identity === undefined
      return await manageKeys(hasAccounts ? { ...place, rotateSigning } : place, options)
    })
  } finally {
    await database.close()
  }
}

/** Opens the bans for a job: the table alone, since a job refuses nobody. @throws DatabaseFault */
export async function withBans<T>(
  declaration: AppDeclaration,
  options: BootOptions,
  run: (bans: Bans) => Promise<T>,
): Promise<T> {
  const settings = loadSettings(options.environment ?? process.env)
  const logger = options.logger ?? jobLogger(declaration, settings)
  const database = await openFor(settings)
  try {
    await withPatience(settings, database, (patient) =>
      bringUpToDate(patient, schemaOf(declaration), settings.mode, () => undefined),
    )
    const never = neverBanned(settings.trustedProxies, settings.neverBanned)
    const trail = openAppTrail({ settings, database, logger, kind: 'job' })
    try {
      return await run(new TableBans({ db: database.db, never, trail }))
    } finally {
      await trail.close()
    }
  } finally {
    await database.close()
  }
}

/** Opens the audit trail for a job that reads, verifies, exports or prunes it. @throws DatabaseFault */
export async function withTrail<T>(
  declaration: AppDeclaration,
  options: BootOptions,
  run: (trail: TrailReader) => Promise<T>,
): Promise<T> {
  const settings = loadSettings(options.environment ?? process.env)
  const logger = options.logger ?? jobLogger(declaration, settings)
  const database = await openFor(settings)
  try {
    // A million rows take their time.
    return await withPatience(settings, database, async (patient) => {
      await bringUpToDate(patient, schemaOf(declaration), settings.mode, () => undefined)
      const trail = openAppTrail({ settings, database: patient, logger, kind: 'job' })
      try {
        return await run(trailReader(patient.db, trailKeys(settings.secret, settings.previousSecret), trail))
      } finally {
        await trail.close()
      }
    })
  } finally {
    await database.close()
  }
}

// The answer of a job is what it prints; security events and failures go beside it.
function jobLogger(declaration: AppDeclaration, settings: Settings): Logger {
  const logLevel = settings.logLevel === 'info' ? 'warn' : settings.logLevel
  return loggerFor(declaration, { logLevel }, process.stderr)
}

/** Opens accounts for a job, and closes them once its mails are sent. @throws DatabaseFault */
export async function withAccounts<T>(
  declaration: AppDeclaration,
  options: BootOptions,
  run: (parts: AccountsParts) => Promise<T>,
): Promise<T> {
  const settings = loadSettings(options.environment ?? process.env)
  const { resources } = (await examineApp(declaration, [])).vocabulary
  const logger = options.logger ?? jobLogger(declaration, settings)
  const origin = (): string => settings.publicOrigin
  const { accounts, database, closeParts } = await layFoundation({
    declaration,
    settings,
    resources,
    logger,
    limits: memoryStore(),
    kind: 'job',
    origin,
  })
  try {
    if (accounts === undefined)
      throw new DatabaseFault('The application has an identity of its own, and no accounts.', null)
    const outcome = await run(accounts.parts)
    await accounts.parts.outbox.idle()
    return outcome
  } finally {
    await closeParts()
    await database.close()
  }
}
