import type { FastifyInstance } from 'fastify'
import type { Alerts } from '../alerts/index.ts'
import type { EventListener, TrailReader } from '../audit/index.ts'
import type { Bans } from '../bans/index.ts'
import { assert } from '../base/index.ts'
import type { Database, Explanation, MigrationDatabase, OwnedRows, Resource } from '../data/index.ts'
import type { EmitEvent } from '../events/index.ts'
import { type Edge, onSignals, type StopOutcome, stopGracefully } from '../http/index.ts'
import type { Logger } from '../observe/index.ts'
import type { Responses } from '../responses/index.ts'
import type { Plan, Principal } from '../route/index.ts'
import type { Settings } from '../settings/index.ts'
import {
  type AccountsParts,
  createAccount,
  firstAdministratorToken,
  type GivenAccount,
} from '../users/index.ts'
import type { WorkerSeat } from '../workers/index.ts'
import { listeningFault, listenOn } from './listen.ts'

/** A server that has passed the boot gate. */
export interface Server {
  /** What it serves, as inert data. */
  readonly plan: Plan
  readonly settings: Settings
  /** The Fastify instance, for `inject` in tests. Routes cannot be added to it any more. */
  readonly fastify: FastifyInstance
  /** Listens, and answers with its address: `http://127.0.0.1:3000`. */
  listen(): Promise<string>
  /**
   * A link with which the first administrator can be made, once and within an hour; `null` when there is an
   * administrator already. It is for the terminal of whoever runs the server, and for no log.
   */
  firstAdministratorLink(): Promise<string | null>
  /**
   * Makes an account whose address counts as verified: for set-up code and tests.
   *
   * @returns its id
   * @throws VALIDATION_FAILED for a password that the policy refuses, CONFLICT when the address has an account
   * @example await server.createAccount({ email: 'ann@example.com', password, roles: ['editor'] })
   */
  createAccount(account: GivenAccount): Promise<string>
  /** Who is banned: addresses, ranges and accounts, on all nodes. */
  readonly bans: Bans
  /** Security events: emitting, reading, verifying. */
  readonly events: ServerEvents
  /** Attacks, one alert each. */
  readonly alerts: Alerts
  /** What detectors have done, and undoing it. */
  readonly responses: Pick<Responses, 'list' | 'byId' | 'undo'>
  /** Stops: not ready, no new connections, running requests finish, the database is closed. */
  stop(): Promise<StopOutcome>
  /**
   * The database without row rules, for jobs and set-up code outside requests.
   *
   * @param reason Why the rules do not apply; logged, and counted in {@link Server.unscopedUses}.
   */
  unscoped(reason: string): MigrationDatabase
  /** The reasons that have been given to {@link Server.unscoped}, and how often. */
  readonly unscopedUses: ReadonlyMap<string, number>
  /**
   * Why a caller may, or may not, do something to a row: each rule by itself. For developers and administrators;
   * never part of a reply, since it tells that the row is there.
   *
   * @example await server.explain({ id: 'ben', roles: [] }, Note, noteId)
   */
  explain(caller: Principal, resource: Resource, key: string): Promise<Explanation>
}

/** The security events of a server. */
export interface ServerEvents extends TrailReader {
  /**
   * Emits an event, outside of requests; a handler has an `emit` of its own. It never throws and never waits.
   *
   * @example server.events.emit({ event: 'app_import_finished', details: { rows: 120 } })
   */
  readonly emit: EmitEvent
  /** Hears of events a moment after they were emitted on this node. @returns ends it */
  listen(listener: EventListener): () => void
}

/** What a server is made of. */
export interface ServerParts {
  readonly edge: Edge
  readonly plan: Plan
  readonly settings: Settings
  readonly database: Database
  readonly rows: OwnedRows
  readonly bans: Bans
  readonly events: ServerEvents
  readonly alerts: Alerts
  readonly responses: Responses
  readonly logger: Logger
  /** Told the address once it is known. */
  readonly onListening: (address: string) => void
  /** The public origin; with a free port known once it listens. */
  readonly origin: () => string
  /** Told before the database is closed. */
  readonly onStop: () => Promise<void>
  /** None for an application with an identity of its own. */
  readonly accounts: AccountsParts | undefined
  /** The place among several workers; none for a server that is alone in its process. */
  readonly worker: WorkerSeat | undefined
}

// An orchestrator kills after 30 s by default; this leaves it the time to see us go.
const stopDeadlineMs = 20_000

const reasonMaxCount = 1_000

/** Makes the server of its parts. */
export function serverOf({
  edge,
  plan,
  settings,
  database,
  rows,
  bans,
  events,
  alerts,
  responses,
  logger,
  onListening,
  onStop,
  accounts,
  worker,
  origin: originNow,
}: ServerParts): Server {
  let stopping: Promise<StopOutcome> | undefined
  const unscopedUses = new Map<string, number>()
  const closers = [
    { name: 'keys', close: onStop },
    { name: 'database', close: () => database.close() },
  ]
  return {
    plan,
    settings,
    bans,
    events,
    alerts,
    responses,
    fastify: edge.fastify,
    async listen() {
      try {
        await listenOn(edge.fastify, settings, worker)
      } catch (error) {
        await this.stop()
        throw listeningFault(error) ?? error
      }
      const address = addressOf(edge.fastify, settings)
      onListening(address)
      worker?.listening(Number(new URL(address).port || settings.port))
      return address
    },
    stop() {
      stopping ??= stopGracefully({ edge, logger, deadlineMs: stopDeadlineMs, closers })
      return stopping
    },
    firstAdministratorLink: () => firstAdministratorLink(accounts, originNow()),
    async createAccount(account) {
      assert(accounts !== undefined, 'an application with an identity of its own has no accounts')
      const from = { address: '127.0.0.1', userAgent: '', device: undefined, requestId: 'set-up' }
      return (await createAccount(accounts, account, from)).id
    },
    unscopedUses,
    unscoped(reason) {
      const count = (unscopedUses.get(reason) ?? 0) + 1
      // A reason that is made anew for each use says nothing, and must not fill the memory.
      if (count > 1 || unscopedUses.size < reasonMaxCount) unscopedUses.set(reason, count)
      logger.warn({ reason, count }, 'unscoped database access')
      return database.db
    },
    explain: ({ id, roles, tenantId = null }, resource, key) =>
      rows.explain(resource, { userId: id, tenantId, roles, lifted: new Map() }, key),
  }
}

async function firstAdministratorLink(
  accounts: AccountsParts | undefined,
  origin: string,
): Promise<string | null> {
  const token = accounts === undefined ? null : await firstAdministratorToken(accounts)
  return token === null ? null : `${origin}/account/setup#token=${token}`
}

function addressOf(fastify: FastifyInstance, settings: Settings): string {
  const bound = fastify.server.address()
  const port = typeof bound === 'object' && bound !== null ? bound.port : settings.port
  const host = settings.host.includes(':') ? `[${settings.host}]` : settings.host
  return `${settings.tls === null ? 'http' : 'https'}://${host}:${port}`
}

/** Stops the server when a signal says so; a worker, when the process says so. */
export function stopOnSignals(server: Server, logger: Logger, worker?: WorkerSeat): void {
  onSignals(worker?.signals ?? process, logger, () => server.stop())
}
