import {
  type CompiledQuery,
  type DatabaseConnection,
  type DatabaseIntrospector,
  type Dialect,
  type DialectAdapter,
  type Driver,
  type Kysely,
  type QueryCompiler,
  type QueryId,
  type QueryResult,
  type RootOperationNode,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely'
import { Problem } from '../../errors/index.ts'
import type { QueryGuard } from '../engine.ts'
import type { StatementResult } from './connection.ts'
import type { SqliteEngine } from './engine.ts'
import type { Turn } from './writer-queue.ts'

/**
 * A Kysely dialect over an engine that is already open.
 *
 * With a guard, the compiler and the driver are the only ways to the database and both belong to it: the compiler
 * compiles what the guard has rewritten, and the driver runs what that compiler has made and nothing else. So no
 * door of Kysely leads past it: not `sql`, not `CompiledQuery.raw`, not `withoutPlugins()`, not a transaction.
 */
export class EngineDialect implements Dialect {
  readonly #engine: SqliteEngine
  readonly #guard: QueryGuard | undefined

  constructor(engine: SqliteEngine, guard?: QueryGuard) {
    this.#engine = engine
    this.#guard = guard
  }

  createDriver(): Driver {
    return new EngineDriver(this.#engine, this.#guard)
  }

  createQueryCompiler(): QueryCompiler {
    const guard = this.#guard
    if (guard === undefined) return new SqliteQueryCompiler()
    return {
      compileQuery: <R>(node: RootOperationNode, queryId: QueryId): CompiledQuery<R> =>
        guard.compile(node, queryId, new SqliteQueryCompiler()),
    }
  }

  createAdapter(): DialectAdapter {
    return new EngineAdapter()
  }

  createIntrospector(db: Kysely<never>): DatabaseIntrospector {
    return new SqliteIntrospector(db)
  }
}

class EngineAdapter extends SqliteAdapter {
  // The engine hands out the writer itself; Kysely's own lock would be one for each Kysely instance.
  override get supportsMultipleConnections(): boolean {
    return true
  }
}

class EngineDriver implements Driver {
  readonly #engine: SqliteEngine
  readonly #guard: QueryGuard | undefined

  constructor(engine: SqliteEngine, guard: QueryGuard | undefined) {
    this.#engine = engine
    this.#guard = guard
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    return new EngineConnection(this.#engine, this.#guard)
  }

  async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await ours(connection).begin()
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    ours(connection).commit()
  }

  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    ours(connection).rollback()
  }

  async savepoint(_connection: DatabaseConnection, name: string): Promise<void> {
    this.#engine.command(`savepoint ${quoted(name)}`)
  }

  async rollbackToSavepoint(_connection: DatabaseConnection, name: string): Promise<void> {
    this.#engine.command(`rollback to ${quoted(name)}`)
  }

  async releaseSavepoint(_connection: DatabaseConnection, name: string): Promise<void> {
    this.#engine.command(`release ${quoted(name)}`)
  }

  async releaseConnection(connection: DatabaseConnection): Promise<void> {
    // Takes back what was left open; nothing when the transaction has ended.
    ours(connection).rollback()
  }

  /** The engine is closed by whoever opened it, not through one of its Kysely instances. */
  async destroy(): Promise<void> {}
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

function ours(connection: DatabaseConnection): EngineConnection {
  if (connection instanceof EngineConnection) return connection
  throw new Problem('INTERNAL', 'a connection of another database was given back to this one')
}

class EngineConnection implements DatabaseConnection {
  readonly #engine: SqliteEngine
  readonly #guard: QueryGuard | undefined
  #turn: Turn | undefined

  constructor(engine: SqliteEngine, guard: QueryGuard | undefined) {
    this.#engine = engine
    this.#guard = guard
  }

  async begin(): Promise<void> {
    const turn = await this.#engine.takeTurn()
    try {
      this.#engine.begin()
    } catch (error) {
      turn.release()
      throw error
    }
    this.#turn = turn
  }

  commit(): void {
    try {
      this.#engine.command('commit')
    } finally {
      // A commit that fails (a deferred foreign key, a full disk) may leave the transaction open.
      this.rollback()
    }
  }

  /** Ends what is open and gives the writer back. Does nothing after the end. */
  rollback(): void {
    if (this.#turn === undefined) return
    try {
      this.#engine.rollback()
    } finally {
      this.#turn.release()
      this.#turn = undefined
    }
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const plan = this.#guard?.planOf(query)
    const { rows, changedCount } = await this.#run(query, plan?.mustChangeCount)
    const opened = plan === undefined ? rows : await plan.opened(rows)
    // Kysely types rows by the query; the database gives them as records.
    return { rows: opened as R[], numAffectedRows: changedCount }
  }

  async #run(query: CompiledQuery, mustChangeCount = 0): Promise<StatementResult> {
    if (this.#turn === undefined) {
      const isRead = query.query.kind === 'SelectQueryNode'
      // One row is there or not; of several, some could stay when others are refused.
      if (mustChangeCount <= 1)
        return complete(await this.#engine.runAlone(query.sql, query.parameters, isRead), mustChangeCount)
      await this.begin()
      try {
        const result = complete(this.#engine.runInTurn(query.sql, query.parameters), mustChangeCount)
        this.commit()
        return result
      } finally {
        this.rollback()
      }
    }
    const run = (): StatementResult =>
      complete(this.#engine.runInTurn(query.sql, query.parameters), mustChangeCount)
    return mustChangeCount <= 1 ? run() : this.#orTakenBack(run)
  }

  /** Takes back what a statement has done when it is refused: its transaction may go on without it. */
  #orTakenBack(run: () => StatementResult): StatementResult {
    this.#engine.command(`savepoint ${changeSavepoint}`)
    try {
      return run()
    } catch (error) {
      this.#engine.command(`rollback to ${changeSavepoint}`)
      throw error
    } finally {
      this.#engine.command(`release ${changeSavepoint}`)
    }
  }

  async *streamQuery<R>(query: CompiledQuery): AsyncIterableIterator<QueryResult<R>> {
    yield await this.executeQuery<R>(query)
  }
}

const changeSavepoint = 'holdfast_change'

/** @throws `NOT_FOUND` when the rules have let fewer rows through than were given. */
function complete(result: StatementResult, mustChangeCount: number): StatementResult {
  // A statement with "returning" gives its rows and no count.
  if (result.changedCount >= mustChangeCount || result.rows.length >= mustChangeCount) return result
  throw new Problem('NOT_FOUND', 'the row rules refuse what the query would have written')
}
