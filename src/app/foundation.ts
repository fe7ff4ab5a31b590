import type { OpenTrail } from '../audit/index.ts'
import type { Database } from '../data/index.ts'
import { OwnedRows, type Resource } from '../data/index.ts'
import { type KeyEncryption, rootKeyEncryption } from '../keys/index.ts'
import type { LimitStore } from '../limits/index.ts'
import { createLogger, type Logger } from '../observe/index.ts'
import type { Settings } from '../settings/index.ts'
import type { WorkerSeat } from '../workers/index.ts'
import { type OpenAccounts, openAccounts } from './accounts.ts'
import { type OpenBans, openBans } from './bans.ts'
import { bringUpToDate, type OpenVault, openFor, openVault, type Schema, withPatience } from './database.ts'
import type { AppDeclaration } from './declaration.ts'
import { openAppTrail } from './trail.ts'

/** What serving requests and jobs on the command line both stand on: the database, its keys, accounts. */
export interface Foundation {
  readonly database: Database
  readonly rows: OwnedRows
  readonly trail: OpenTrail
  readonly bans: OpenBans
  /** None for an application with an identity of its own. */
  readonly accounts: OpenAccounts | undefined
  /** Ends what runs beside requests; the database stays open. */
  readonly closeParts: () => Promise<void>
}

/** What it is laid with. */
export interface Ground {
  readonly declaration: AppDeclaration
  readonly settings: Settings
  readonly resources: readonly Resource[]
  readonly logger: Logger
  /** Where attempts are counted. Whoever opened it closes it. */
  readonly limits: LimitStore
  /** Whether requests are served, or something is done and over. */
  readonly kind: 'server' | 'job'
  /** The public origin, once it is known. */
  readonly origin: () => string
  /** The place among several workers; none for a server that is alone, or a job. */
  readonly worker?: WorkerSeat | undefined
}

/** Opens the database, migrated, and what works on it. What has been opened is closed when a later part fails. */
export async function layFoundation(ground: Ground): Promise<Foundation> {
  const { declaration, settings, resources, logger } = ground
  const database = await openFor(settings)
  let keys: OpenVault | undefined
  let opened: OpenTrail | undefined
  let bans: OpenBans | undefined
  try {
    await withPatience(settings, database, (patient) =>
      bringUpToDate(patient, schemaOf(declaration), settings.mode, (migration) =>
        logger.info({ migration }, 'migrated'),
      ),
    )
    const keyEncryption = keyEncryptionOf(declaration, settings)
    keys = await openVault(database, resources, keyEncryption, (err) =>
      logger.error({ err }, 'the keys of encrypted columns could not be read'),
    )
    const rows = new OwnedRows(database, resources, { vault: keys?.vault })
    const trail = openAppTrail({ settings, database, logger, kind: ground.kind })
    opened = trail
    const open = await openBans({ settings, database, trail, logger, worker: ground.worker })
    bans = open
    const accounts =
      declaration.identity === undefined
        ? await openAccounts({ ...ground, database, rows, keyEncryption, trail })
        : undefined
    return {
      database,
      rows,
      trail,
      bans: open,
      accounts,
      async closeParts() {
        keys?.ring.close()
        await open.close()
        await accounts?.close()
        // Last: what the others do while they close may be an event.
        await trail.close()
      },
    }
  } catch (error) {
    keys?.ring.close()
    await bans?.close()
    await opened?.close()
    await database.close()
    throw error
  }
}

/** A log that keeps out what the application calls personal, secret or encrypted. */
export function loggerFor(
  { vocabulary }: AppDeclaration,
  { logLevel }: Pick<Settings, 'logLevel'>,
  destination?: { write(line: string): void },
): Logger {
  const sensitiveNames = vocabulary.resources.flatMap(({ columns }) => [
    ...columns.personal,
    ...columns.secret,
    ...columns.encrypted,
  ])
  return createLogger({ level: logLevel, sensitiveNames, ...(destination && { destination }) })
}

/** What wraps the keys of encrypted columns and of access tokens. */
export function keyEncryptionOf({ keyEncryption }: AppDeclaration, settings: Settings): KeyEncryption {
  return keyEncryption ?? rootKeyEncryption(settings.secret, settings.previousSecret)
}

/** The migrations and resources of an application. */
export function schemaOf({ migrations = [], vocabulary }: AppDeclaration): Schema {
  return { migrations, resources: vocabulary.resources }
}
