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
import type { SqliteEngine, Turn } from './engine.ts'

/** Rewrites a query before it is compiled, or throws to refuse it. */
export type TreeGuard = (node: RootOperationNode) => RootOperationNode

/**
 * A Kysely dialect over an engine that is already open.
 *
 * With a guard, the compiler and the driver are the only ways to the database and both belong to it: the compiler
 * compiles what the guard has rewritten, and the driver runs what that compiler has made and nothing else. So no
 * door of Kysely leads past it: not `sql`, not `CompiledQuery.raw`, not `withoutPlugins()`, not a transaction.
 */
export class EngineDialect implements Dialect {
  readonly #engine: SqliteEngine
  readonly #guard: TreeGuard | undefined
  readonly #compiled = new WeakSet<CompiledQuery>()

  constructor(engine: SqliteEngine, guard?: TreeGuard) {
    this.#engine = engine
    this.#guard = guard
  }

  createDriver(): Driver {
    const guarded = this.#guard !== undefined
    return new EngineDriver(this.#engine, (query) => !guarded || this.#compiled.has(query))
  }

  createQueryCompiler(): QueryCompiler {
    const guard = this.#guard
    if (guard === undefined) return new SqliteQueryCompiler()
    return {
      compileQuery: <R>(node: RootOperationNode, queryId: QueryId): CompiledQuery<R> => {
        const compiled: CompiledQuery<R> = new SqliteQueryCompiler().compileQuery(guard(node), queryId)
        this.#compiled.add(compiled)
        return compiled
      },
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

type Admission = (query: CompiledQuery) => boolean

class EngineDriver implements Driver {
  readonly #engine: SqliteEngine
  readonly #admits: Admission

  constructor(engine: SqliteEngine, admits: Admission) {
    this.#engine = engine
    this.#admits = admits
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    return new EngineConnection(this.#engine, this.#admits)
  }

  async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await ours(connection).begin()
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    ours(connection).end('commit')
  }

  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    ours(connection).end('rollback')
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
    ours(connection).abandon()
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
  readonly #admits: Admission
  #turn: Turn | undefined

  constructor(engine: SqliteEngine, admits: Admission) {
    this.#engine = engine
    this.#admits = admits
  }

  async begin(): Promise<void> {
    const turn = await this.#engine.takeTurn()
    try {
      // IMMEDIATE takes the write lock now: a transaction that reads first and writes later could not get it then.
      this.#engine.command('begin immediate')
    } catch (error) {
      turn.release()
      throw error
    }
    this.#turn = turn
  }

  end(how: 'commit' | 'rollback'): void {
    try {
      this.#engine.command(how)
    } finally {
      if (how === 'rollback' || this.#turn !== undefined) this.#finish()
    }
  }

  /** Gives the writer back when a transaction was left open. */
  abandon(): void {
    if (this.#turn === undefined) return
    this.end('rollback')
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    if (!this.#admits(query)) {
      throw new Problem('INTERNAL', 'raw SQL is refused here: the row rules cannot be applied to a text')
    }
    const isRead = query.query.kind === 'SelectQueryNode'
    const { rows, changedCount } =
      this.#turn === undefined
        ? await this.#engine.runAlone(query.sql, query.parameters, isRead)
        : this.#engine.runInTurn(query.sql, query.parameters)
    // Kysely types rows by the query; the database gives them as records.
    return { rows: rows as R[], numAffectedRows: changedCount }
  }

  async *streamQuery<R>(query: CompiledQuery): AsyncIterableIterator<QueryResult<R>> {
    yield await this.executeQuery<R>(query)
  }

  #finish(): void {
    this.#turn?.release()
    this.#turn = undefined
  }
}
