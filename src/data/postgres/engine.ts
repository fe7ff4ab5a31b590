import type { CompiledQuery, Dialect, QueryResult } from 'kysely'
import pg from 'pg'
import type { Secret } from '../../base/index.ts'
import { assert } from '../../base/index.ts'
import type { ConnectionCounts, Engine, QueryGuard } from '../engine.ts'
import { Breaker } from './breaker.ts'
import { PostgresConnection, PostgresDialect } from './dialect.ts'
import { connectProblemOf, isPoolBusy } from './failure.ts'
import { Session } from './session.ts'
import { type PostgresTarget, readTarget } from './target.ts'

/** How the pools of a PostgreSQL database behave. Times in milliseconds. */
export interface PostgresOptions {
  /** The role that sessions for requests run as; without it they are whoever the URL says. */
  readonly appRole?: string | undefined
  /** Connections for requests at most, and as many for jobs. */
  readonly connectionCount?: number
  /** How long a request waits for a connection. */
  readonly connectMs?: number
  /** How long a statement may run. */
  readonly statementMs?: number
  /** How long a statement waits for a lock. */
  readonly lockMs?: number
  /** How long a transaction may sit without a statement. */
  readonly idleTransactionMs?: number
}

const defaults = {
  connectionCount: 10,
  connectMs: 5_000,
  statementMs: 15_000,
  lockMs: 5_000,
  idleTransactionMs: 30_000,
}

// A server that is frozen sends nothing, not even that the time is up.
const answerSlackMs = 2_000
const idleMs = 30_000

// A database or a user may have others as its default: times would be read wrongly, and a backslash would end a text.
const sessionSettings =
  '-c timezone=UTC -c datestyle=ISO -c intervalstyle=postgres -c standard_conforming_strings=on'

type Settled = Required<Omit<PostgresOptions, 'appRole'>>

/**
 * A PostgreSQL server behind two pools: one for requests, whose sessions run as a role that owns nothing and is
 * subject to the row policies, and one for migrations and jobs.
 *
 * Nothing is connected until it is needed.
 *
 * @see OWASP ASVS 5.0 §13.2.2, §13.2.6
 */
export class PostgresEngine implements Engine {
  readonly kind = 'postgres'
  readonly #requests: pg.Pool
  readonly #jobs: pg.Pool
  readonly #breaker = new Breaker()
  readonly #answerMs: number
  readonly #sessions = new WeakMap<pg.PoolClient, Session>()
  #closing: Promise<unknown> | undefined

  /** @throws DatabaseFault for a URL that cannot be understood */
  constructor(url: Secret, { appRole, ...options }: PostgresOptions = {}) {
    const settled = { ...defaults, ...options }
    const target = readTarget(url)
    this.#answerMs = settled.statementMs + answerSlackMs
    this.#requests = poolOf(target, settled, appRole)
    this.#jobs = poolOf(target, settled, undefined)
  }

  dialect(guard?: QueryGuard): Dialect {
    return new PostgresDialect(this, guard)
  }

  async run<R>(query: CompiledQuery, guard: QueryGuard): Promise<QueryResult<R>> {
    // Before a connection is asked for: what the guard has not made does not get as far.
    guard.planOf(query)
    const session = await this.connect(true)
    try {
      return await new PostgresConnection(session, guard).executeQuery<R>(query)
    } finally {
      this.giveBack(session)
    }
  }

  async check(): Promise<void> {
    const session = await this.connect(false)
    try {
      await session.run([{ text: 'select 1', values: [] }])
    } finally {
      this.giveBack(session)
    }
  }

  /** Both pools together. */
  readonly connections = (): ConnectionCounts => {
    const pools = [this.#requests, this.#jobs]
    const sum = (countOf: (pool: pg.Pool) => number): number =>
      pools.reduce((total, pool) => total + countOf(pool), 0)
    return {
      inUseCount: sum(({ totalCount, idleCount }) => totalCount - idleCount),
      idleCount: sum(({ idleCount }) => idleCount),
      waitingCount: sum(({ waitingCount }) => waitingCount),
    }
  }

  async close(): Promise<void> {
    this.#closing ??= Promise.all([this.#requests.end(), this.#jobs.end()])
    await this.#closing
  }

  /** A session of one's own, for a request or a job. @throws `UNAVAILABLE` */
  async connect(isForRequest: boolean): Promise<Session> {
    const pool = isForRequest ? this.#requests : this.#jobs
    try {
      const connect = (): Promise<pg.PoolClient> => pool.connect()
      // One that is there already proves that the server is, whatever happens to new ones.
      const client = await (pool.idleCount > 0
        ? connect()
        : this.#breaker.attempt(connect, (error) => !isPoolBusy(error)))
      const known = this.#sessions.get(client)
      if (known !== undefined) return known
      const session = new Session(client, this.#answerMs)
      this.#sessions.set(client, session)
      return session
    } catch (error) {
      throw connectProblemOf(error)
    }
  }

  /** Takes a session back; one that is broken, or not at rest, is closed. */
  giveBack(session: Session): void {
    session.client.release(!session.isAtRest)
  }
}

function poolOf(
  { ssl, ...target }: PostgresTarget,
  { connectionCount, connectMs, statementMs, lockMs, idleTransactionMs }: Settled,
  role: string | undefined,
): pg.Pool {
  assert(role === undefined || /^[a-z0-9_]+$/.test(role), 'a role has a plain name')
  const pool = new pg.Pool({
    ...target,
    ssl,
    max: connectionCount,
    connectionTimeoutMillis: connectMs,
    idleTimeoutMillis: idleMs,
    statement_timeout: statementMs,
    lock_timeout: lockMs,
    idle_in_transaction_session_timeout: idleTransactionMs,
    application_name: 'holdfast',
    keepAlive: true,
    allowExitOnIdle: false,
    // With the start of the session, so that no statement runs before and no round trip is spent.
    options: role === undefined ? sessionSettings : `${sessionSettings} -c role=${role}`,
  })
  // An idle connection that breaks is taken out of the pool; the next request makes a new one.
  pool.on('error', () => undefined)
  return pool
}
