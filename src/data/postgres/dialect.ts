import {
  type CompiledQuery,
  type DatabaseConnection,
  type DatabaseIntrospector,
  type Dialect,
  type DialectAdapter,
  type Driver,
  type Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryCompiler,
  type QueryId,
  type QueryResult,
  type RootOperationNode,
  type TransactionSettings,
} from 'kysely'
import { assert } from '../../base/index.ts'
import { Problem } from '../../errors/index.ts'
import type { QueryGuard, QueryPlan } from '../engine.ts'
import type { Statement, StatementOutcome } from './batch.ts'
import type { PostgresEngine } from './engine.ts'
import { isAfterFailure } from './failure.ts'
import type { Session } from './session.ts'

/**
 * A Kysely dialect over a PostgreSQL engine. With a guard, the compiler compiles what the guard has rewritten and the
 * driver runs nothing else, as on SQLite; and each statement tells the database for whom it runs, so that its row
 * policies stand behind the rewriting.
 */
export class PostgresDialect implements Dialect {
  readonly #engine: PostgresEngine
  readonly #guard: QueryGuard | undefined

  constructor(engine: PostgresEngine, guard?: QueryGuard) {
    this.#engine = engine
    this.#guard = guard
  }

  createDriver(): Driver {
    return new PostgresDriver(this.#engine, this.#guard)
  }

  createQueryCompiler(): QueryCompiler {
    const guard = this.#guard
    if (guard === undefined) return new PostgresQueryCompiler()
    return {
      compileQuery: <R>(node: RootOperationNode, queryId: QueryId): CompiledQuery<R> =>
        guard.compile(node, queryId, new PostgresQueryCompiler()),
    }
  }

  createAdapter(): DialectAdapter {
    return new PostgresAdapter()
  }

  createIntrospector(db: Kysely<never>): DatabaseIntrospector {
    return new PostgresIntrospector(db)
  }
}

class PostgresDriver implements Driver {
  readonly #engine: PostgresEngine
  readonly #guard: QueryGuard | undefined

  constructor(engine: PostgresEngine, guard: QueryGuard | undefined) {
    this.#engine = engine
    this.#guard = guard
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    return new PostgresConnection(await this.#engine.connect(this.#guard !== undefined), this.#guard)
  }

  async beginTransaction(connection: DatabaseConnection, settings: TransactionSettings): Promise<void> {
    await ours(connection).begin(settings)
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await ours(connection).end('commit')
  }

  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    await ours(connection).end('rollback')
  }

  async savepoint(connection: DatabaseConnection, name: string): Promise<void> {
    await ours(connection).command(`savepoint ${quoted(name)}`)
  }

  async rollbackToSavepoint(connection: DatabaseConnection, name: string): Promise<void> {
    await ours(connection).rollbackTo(name)
  }

  async releaseSavepoint(connection: DatabaseConnection, name: string): Promise<void> {
    await ours(connection).command(`release savepoint ${quoted(name)}`)
  }

  async releaseConnection(connection: DatabaseConnection): Promise<void> {
    const { session } = ours(connection)
    this.#engine.giveBack(session)
  }

  /** The engine is closed by whoever opened it, not through one of its Kysely instances. */
  async destroy(): Promise<void> {}
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

function ours(connection: DatabaseConnection): PostgresConnection {
  if (connection instanceof PostgresConnection) return connection
  throw new Problem('INTERNAL', 'a connection of another database was given back to this one')
}

// SQLite runs transactions one after the other; nothing weaker gives the same answers.
const guardedIsolation = 'serializable'
const isolationLevels: ReadonlySet<string> = new Set([
  'read committed',
  'repeatable read',
  'serializable',
  'read uncommitted',
])

/** A session as Kysely sees it, for one guard. */
export class PostgresConnection implements DatabaseConnection {
  readonly session: Session
  readonly #guard: QueryGuard | undefined
  /** What has failed first in the open transaction: from then on PostgreSQL takes nothing more in it. */
  #failure: unknown

  constructor(session: Session, guard: QueryGuard | undefined) {
    this.session = session
    this.#guard = guard
  }

  async begin({ isolationLevel, accessMode }: TransactionSettings): Promise<void> {
    const level = isolationLevel ?? (this.#guard === undefined ? 'read committed' : guardedIsolation)
    assert(isolationLevels.has(level), 'an isolation level of PostgreSQL')
    const mode = accessMode === 'read only' ? ' read only' : ''
    this.#failure = undefined
    this.session.isInTransaction = true
    await this.session.run([command(`begin isolation level ${level}${mode}`), ...this.#identity([])])
  }

  async end(how: 'commit' | 'rollback'): Promise<void> {
    if (!this.session.isInTransaction) return
    if (how === 'rollback') await this.#rollback()
    else await this.#commit()
  }

  async #commit(): Promise<void> {
    const [outcome] = await this.session.run([command('commit')])
    // Not before: a session whose end is unknown must not be used again.
    this.session.isInTransaction = false
    if (outcome?.tag === 'COMMIT') return
    // A failed statement whose error was caught: PostgreSQL answers such a commit with a rollback, and no error.
    throw (
      this.#failure ?? new Problem('INTERNAL', 'the transaction was taken back when it was to be committed')
    )
  }

  async #rollback(): Promise<void> {
    try {
      await this.session.run([command('rollback')])
      this.session.isInTransaction = false
    } catch {
      // Still marked as in a transaction, the connection is closed when it is given back, which takes it back as well.
      // What led here is what the caller has to hear.
    }
  }

  async rollbackTo(savepoint: string): Promise<void> {
    await this.command(`rollback to savepoint ${quoted(savepoint)}`)
    this.#failure = undefined
  }

  async command(text: string): Promise<void> {
    await this.session.run([{ text, values: [], isRare: true }])
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const plan = this.#guard?.planOf(query)
    const outcome = await this.#run({ text: query.sql, values: query.parameters }, plan)
    const rows = plan === undefined ? outcome.rows : await plan.opened(outcome.rows)
    const isWrite = query.query.kind !== 'SelectQueryNode'
    return {
      // Kysely types rows by the query; the database gives them as records.
      rows: rows as R[],
      ...(isWrite && outcome.count !== undefined ? { numAffectedRows: BigInt(outcome.count) } : {}),
    }
  }

  async *streamQuery<R>(query: CompiledQuery): AsyncIterableIterator<QueryResult<R>> {
    yield await this.executeQuery<R>(query)
  }

  async #run(statement: Statement, plan: QueryPlan | undefined): Promise<StatementOutcome> {
    const { mustChangeCount = 0, lifts = [] } = plan ?? {}
    if (this.session.isInTransaction) {
      const around =
        lifts.length === 0 ? [statement] : [...this.#identity(lifts), statement, ...this.#identity([], true)]
      const place = around.indexOf(statement)
      if (mustChangeCount <= 1) return complete(await this.#outcome(around, place), mustChangeCount)
      return await this.#orTakenBack(around, place, mustChangeCount)
    }
    const alone = [...this.#identity(lifts), statement]
    // One row is there or not; of several, some could stay when others are refused.
    if (mustChangeCount <= 1) return complete(await this.#outcome(alone), mustChangeCount)
    await this.begin({})
    try {
      const outcome = complete(await this.#outcome(alone), mustChangeCount)
      await this.end('commit')
      return outcome
    } catch (error) {
      await this.end('rollback')
      throw error
    }
  }

  /** Takes back what a statement has done when it is refused: its transaction may go on without it. */
  async #orTakenBack(
    around: readonly Statement[],
    place: number,
    mustChangeCount: number,
  ): Promise<StatementOutcome> {
    const outcome = await this.#outcome([command(`savepoint ${changeSavepoint}`), ...around], place + 1)
    try {
      return complete(outcome, mustChangeCount)
    } catch (error) {
      await this.#outcome([command(`rollback to savepoint ${changeSavepoint}`)])
      throw error
    } finally {
      await this.#outcome([command(`release savepoint ${changeSavepoint}`)])
    }
  }

  async #outcome(statements: readonly Statement[], place = statements.length - 1): Promise<StatementOutcome> {
    try {
      const outcome = (await this.session.run(statements))[place]
      assert(outcome !== undefined, 'each statement has an outcome')
      return outcome
    } catch (error) {
      this.#failure ??= error
      throw isAfterFailure(error) ? this.#failure : error
    }
  }

  /** Tells the session for whom it works, until its transaction ends. */
  #identity(lifts: readonly string[], isAgain = false): Statement[] {
    if (this.#guard === undefined) return []
    const { lifted, ...others } = this.#guard.identity
    const { user, tenant, roles } = others
    // Most callers have no more than a name, and this is sent before each of their statements.
    if (!isAgain && lifts.length === 0 && [tenant, roles, lifted].every((value) => emptyValues.has(value)))
      return [{ text: namedOnly, values: [user], isQuiet: true }]
    const opened = lifts.length === 0 ? lifted : withLifted(lifted, lifts)
    // What is empty is so already at the start of a transaction; most callers have no more than a name.
    const told = Object.entries({ ...others, lifted: opened }).filter(
      ([name, value]) => isAgain || name === 'user' || !emptyValues.has(value),
    )
    const calls = told.map(([name], index) => `set_config('holdfast.${name}', $${index + 1}, true)`)
    return [{ text: `select ${calls.join(', ')}`, values: told.map(([, value]) => value), isQuiet: true }]
  }
}

const namedOnly = "select set_config('holdfast.user', $1, true)"
const emptyValues: ReadonlySet<string> = new Set(['', '[]', '{}'])

/** The lifted rows, and every row of some tables. */
function withLifted(lifted: string, tables: readonly string[]): string {
  const rows: unknown = JSON.parse(lifted)
  return JSON.stringify({ ...Object(rows), ...Object.fromEntries(tables.map((table) => [table, true])) })
}

function command(text: string): Statement {
  return { text, values: [], isQuiet: true }
}

const changeSavepoint = 'holdfast_change'

/** @throws `NOT_FOUND` when the rules have let fewer rows through than were given. */
function complete(outcome: StatementOutcome, mustChangeCount: number): StatementOutcome {
  if ((outcome.count ?? 0) >= mustChangeCount) return outcome
  throw new Problem('NOT_FOUND', 'the row rules refuse what the query would have written')
}
