import type { TrailReader } from '../audit/index.ts'
import type { Bans } from '../bans/index.ts'
import type { MigrationReport } from '../data/index.ts'
import type { KeysReport, KeysRequest } from '../keys/index.ts'
import { createLogger, type Logger } from '../observe/index.ts'
import type { Plan } from '../route/index.ts'
import { loadSettings, type Settings } from '../settings/index.ts'
import type { AccountsParts } from '../users/index.ts'
import { type WorkerSeat, workerOutput } from '../workers/index.ts'
import { assemble } from './assemble.ts'
import { boot } from './boot.ts'
import type { BootOptions } from './boot-options.ts'
import type { AppDeclaration } from './declaration.ts'
import { examineApp } from './examine.ts'
import { loggerFor } from './foundation.ts'
import { manage, migrate, withAccounts, withBans, withTrail } from './jobs.ts'
import { Late } from './late.ts'
import type { MetricsFront } from './metrics-routes.ts'
import { accountsFront, type OwnParts, ownRoutesOf } from './own-parts.ts'
import { type Server, stopOnSignals } from './server.ts'
import { idleServices } from './services.ts'

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
  /** Opens the accounts of the application for a job on the command line, and closes them. @throws DatabaseFault */
  accounts<T>(options: BootOptions, run: (parts: AccountsParts) => Promise<T>): Promise<T>
  /** Opens the bans for a job on the command line; nodes that run know of what it does within a second. @throws DatabaseFault */
  bans<T>(options: BootOptions, run: (bans: Bans) => Promise<T>): Promise<T>
  /** Opens the audit trail for a job on the command line: it is read, verified, exported or pruned. @throws DatabaseFault */
  trail<T>(options: BootOptions, run: (trail: TrailReader) => Promise<T>): Promise<T>
  /** Lists, rotates and destroys the keys of encrypted columns, and re-encrypts. @throws DatabaseFault, KeyFault */
  keys(options: BootOptions & KeysRequest): Promise<KeysReport>
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
      const { worker } = options
      const logger = options.logger ?? startLogger(declaration, settings, worker)
      const server = await boot(declaration, { environment, logger, ...(worker && { worker }) })
      stopOnSignals(server, logger, worker)
      await server.listen()
      if (settings.mode !== 'production' && worker?.isFirst !== false)
        await showFirstAdministratorLink(server)
      return server
    },
    migrate: (options) => migrate(declaration, options),
    accounts: (options, run) => withAccounts(declaration, options, run),
    bans: (options, run) => withBans(declaration, options, run),
    trail: (options, run) => withTrail(declaration, options, run),
    keys: (options) => manage(declaration, options),
  }
}

function startLogger(
  declaration: AppDeclaration,
  settings: Settings,
  worker: WorkerSeat | undefined,
): Logger {
  if (worker === undefined) return loggerFor(declaration, settings)
  return loggerFor(declaration, settings, workerOutput(worker.memory)).child({ worker: worker.number })
}

/** For whoever sits at the terminal. It is not logged: a log is read by others, and kept. */
async function showFirstAdministratorLink(server: Server): Promise<void> {
  const link = await server.firstAdministratorLink()
  if (link !== null)
    process.stdout.write(
      `\n  No administrator yet. This link makes one, once, within an hour:\n\n    ${link}\n\n`,
    )
}

async function planAlone(declaration: AppDeclaration): Promise<Plan> {
  const app = await examineApp(declaration, ownRoutesOf(declaration, new Late<OwnParts>().get))
  const { edge, plan } = await assemble({
    declaration,
    app,
    services: idleServices,
    origin: () => 'http://127.0.0.1',
    follow: () => () => () => undefined,
    metrics: { front: new Late<MetricsFront>().get, token: null },
    accounts: declaration.identity === undefined ? accountsFront(declaration, 'test', () => ({})) : undefined,
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
