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
} from 'kysely'
import { Problem } from '../../errors/index.ts'
import type { QueryGuard, QueryPlan } from '../engine.ts'
import { PlannedOnceCompiler } from './compiler.ts'
import type { StatementResult } from './connection.ts'
import type { SqliteEngine } from './engine.ts'
import { complete } from './write-group.ts'
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
    if (guard === undefined) return new PlannedOnceCompiler()
    return {
      compileQuery: <R>(node: RootOperationNode, queryId: QueryId): CompiledQuery<R> =>
        guard.compile(node, queryId, new PlannedOnceCompiler()),
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
    return await resultOf<R>(await this.#run(query, plan?.mustChangeCount), plan)
  }

  async #run(query: CompiledQuery, mustChangeCount = 0): Promise<StatementResult> {
    if (this.#turn === undefined) return await this.#engine.runAlone(query, mustChangeCount)
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

/** What Kysely gets of a statement, opened where a plan says so. */
export function resultOf<R>(
  { rows, changedCount }: StatementResult,
  plan: QueryPlan | undefined,
): QueryResult<R> | Promise<QueryResult<R>> {
  const opened = plan === undefined ? rows : plan.opened(rows)
  // Kysely types rows by the query; the database gives them as records.
  const given = (all: readonly unknown[]): QueryResult<R> => ({
    rows: all as R[],
    numAffectedRows: changedCount,
  })
  return opened instanceof Promise ? opened.then(given) : given(opened)
}
