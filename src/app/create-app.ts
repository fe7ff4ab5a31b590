import { deriveKey } from '../crypto/index.ts'
import {
  type Database,
  type MigrationReport,
  migrateDown,
  migrateUp,
  migrationStatus,
  openDatabase,
  requireMigrated,
} from '../data/index.ts'
import { memoryStore } from '../limits/index.ts'
import { createLogger, type Logger } from '../observe/index.ts'
import type { Plan } from '../route/index.ts'
import { loadSettings, type Settings } from '../settings/index.ts'
import { assemble } from './assemble.ts'
import type { AppDeclaration } from './declaration.ts'
import { examineApp } from './examine.ts'
import { testIdentity } from './identity-source.ts'
import { type Server, serverOf, stopOnSignals } from './server.ts'
import { idleServices, servicesOf } from './services.ts'

/** How an application is started. */
export interface BootOptions {
  /** The environment to read settings from; `process.env` unless given. */
  readonly environment?: Readonly<Record<string, string | undefined>>
  /** Where the log goes; standard output unless given. */
  readonly logger?: Logger
}

/** An application: declared, not running. */
export interface App {
  /** What it declares, as inert data. @throws BootError */
  plan(): Promise<Plan>
  /**
   * Puts the server together without listening: settings, boot gate, database, migrations, routes.
   *
   * @throws SettingsFault, BootError, DatabaseFault: each with everything that is wrong.
   */
  boot(options?: BootOptions): Promise<Server>
  /** Boots, listens, and stops on SIGTERM and SIGINT. */
  start(options?: BootOptions): Promise<Server>
  /** Brings the database up to date, takes the last step back, or only looks. @throws DatabaseFault */
  migrate(options: BootOptions & { readonly direction: 'up' | 'down' | 'status' }): Promise<MigrationReport>
}

/**
 * Declares an application. Nothing runs until it is booted, and it does not boot while anything in it would be
 * open by accident.
 *
 * @example
 * export default createApp({ title: 'Notes', vocabulary, routes: [readNote, listNotes], migrations })
 * @see OWASP ASVS 5.0 §8.2.1
 */
export function createApp(declaration: AppDeclaration): App {
  return {
    plan: () => planAlone(declaration),
    boot: (options = {}) => boot(declaration, options),
    async start(options = {}) {
      const environment = options.environment ?? process.env
      const settings = loadSettings(environment)
      const logger = options.logger ?? createLogger({ level: settings.logLevel })
      const server = await boot(declaration, { environment, logger })
      stopOnSignals(server, logger)
      await server.listen()
      return server
    },
    migrate: (options) => migrate(declaration, options),
  }
}

async function planAlone(declaration: AppDeclaration): Promise<Plan> {
  const app = await examineApp(declaration)
  const { edge, plan } = await assemble({
    declaration,
    app,
    services: idleServices,
    origin: () => 'http://127.0.0.1',
    options: {
      origin: new URL('http://127.0.0.1'),
      mode: 'test',
      trustedProxies: [],
      allowedOrigins: [],
      logger: createLogger({ level: 'fatal' }),
    },
  })
  await edge.fastify.close()
  return plan
}

async function boot(declaration: AppDeclaration, options: BootOptions): Promise<Server> {
  const settings = loadSettings(options.environment ?? process.env)
  const app = await examineApp(declaration)
  const identify = (declaration.identity ?? testIdentity)(settings)
  const logger = options.logger ?? createLogger({ level: settings.logLevel })
  for (const warning of settings.warnings) logger.warn(warning)
  const database = openDatabase(settings.database.path)
  try {
    await bringUpToDate(declaration, database, settings, logger)
    const cursorKey = deriveKey(settings.secret, 'cursor')
    const limits = memoryStore()
    const services = servicesOf({ database, vocabulary: app.vocabulary, identify, limits, cursorKey })
    let origin = settings.publicOrigin
    const { edge, plan } = await assemble({
      declaration,
      app,
      services,
      origin: () => origin,
      options: {
        origin: new URL(settings.publicOrigin),
        mode: settings.mode,
        trustedProxies: settings.trustedProxies,
        allowedOrigins: settings.allowedOrigins,
        tls: settings.tls ?? undefined,
        ...declaration.http,
        logger,
      },
    })
    edge.health.add('database', () => database.check())
    const onListening = (address: string): void => {
      if (settings.port === 0) origin = address
      logger.info({ address }, 'listening')
    }
    return serverOf({ edge, plan, settings, database, logger, onListening })
  } catch (error) {
    database.close()
    throw error
  }
}

async function bringUpToDate(
  { migrations = [] }: AppDeclaration,
  database: Database,
  settings: Settings,
  logger: Logger,
): Promise<void> {
  if (settings.mode === 'production') return await requireMigrated(database, migrations)
  await migrateUp(database, migrations, (migration) => logger.info({ migration }, 'migrated'))
}

async function migrate(
  { migrations = [] }: AppDeclaration,
  options: BootOptions & { readonly direction: 'up' | 'down' | 'status' },
): Promise<MigrationReport> {
  const settings = loadSettings(options.environment ?? process.env)
  const database = openDatabase(settings.database.path)
  try {
    if (options.direction === 'up') return await migrateUp(database, migrations)
    if (options.direction === 'down') return await migrateDown(database, migrations)
    return await migrationStatus(database, migrations)
  } finally {
    database.close()
  }
}
