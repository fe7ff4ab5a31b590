import type { FastifyInstance } from 'fastify'
import type { Database, MigrationDatabase } from '../data/index.ts'
import { type Edge, onSignals, type StopOutcome, stopGracefully } from '../http/index.ts'
import type { Logger } from '../observe/index.ts'
import type { Plan } from '../route/index.ts'
import { type Settings, SettingsFault } from '../settings/index.ts'

/** A server that has passed the boot gate. */
export interface Server {
  /** What it serves, as inert data. */
  readonly plan: Plan
  readonly settings: Settings
  /** The Fastify instance, for `inject` in tests. Routes cannot be added to it any more. */
  readonly fastify: FastifyInstance
  /** Listens, and answers with its address: `http://127.0.0.1:3000`. */
  listen(): Promise<string>
  /** Stops: not ready, no new connections, running requests finish, the database is closed. */
  stop(): Promise<StopOutcome>
  /**
   * The database without row rules, for jobs and set-up code outside requests.
   *
   * @param reason Why the rules do not apply; logged.
   */
  unscoped(reason: string): MigrationDatabase
}

/** What a server is made of. */
export interface ServerParts {
  readonly edge: Edge
  readonly plan: Plan
  readonly settings: Settings
  readonly database: Database
  readonly logger: Logger
  /** Told the address once it is known. */
  readonly onListening: (address: string) => void
}

// An orchestrator kills after 30 s by default; this leaves it the time to see us go.
const stopDeadlineMs = 20_000

/** Makes the server of its parts. */
export function serverOf({ edge, plan, settings, database, logger, onListening }: ServerParts): Server {
  let stopping: Promise<StopOutcome> | undefined
  const closers = [{ name: 'database', close: () => database.close() }]
  return {
    plan,
    settings,
    fastify: edge.fastify,
    async listen() {
      try {
        await edge.fastify.listen({ host: settings.host, port: settings.port })
      } catch (error) {
        await this.stop()
        throw listeningFault(error) ?? error
      }
      const address = addressOf(edge.fastify, settings)
      onListening(address)
      return address
    },
    stop() {
      stopping ??= stopGracefully({ edge, logger, deadlineMs: stopDeadlineMs, closers })
      return stopping
    },
    unscoped(reason) {
      logger.warn({ reason }, 'unscoped database access')
      return database.db
    },
  }
}

const listeningFaults: Readonly<
  Record<string, { readonly env: string; readonly problem: string; readonly fix: string }>
> = {
  EADDRINUSE: {
    env: 'PORT',
    problem: 'is used by another process',
    fix: 'stop that process, or set another PORT',
  },
  EACCES: { env: 'PORT', problem: 'may not be opened by this user', fix: 'set a PORT above 1023' },
  EADDRNOTAVAIL: { env: 'HOST', problem: 'is no address of this machine', fix: 'set HOST to one that is' },
  ENOTFOUND: {
    env: 'HOST',
    problem: 'is a name that nobody knows',
    fix: 'set HOST to an address of this machine',
  },
}

function listeningFault(error: unknown): SettingsFault | undefined {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const fault = Object.hasOwn(listeningFaults, code) ? listeningFaults[code] : undefined
  return fault === undefined ? undefined : new SettingsFault([fault])
}

function addressOf(fastify: FastifyInstance, settings: Settings): string {
  const bound = fastify.server.address()
  const port = typeof bound === 'object' && bound !== null ? bound.port : settings.port
  const host = settings.host.includes(':') ? `[${settings.host}]` : settings.host
  return `${settings.tls === null ? 'http' : 'https'}://${host}:${port}`
}

/** Stops the server when a signal says so. */
export function stopOnSignals(server: Server, logger: Logger): void {
  onSignals(process, logger, () => server.stop())
}
