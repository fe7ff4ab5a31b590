import {
  type AbortableQueryOptions,
  type CompiledQuery,
  DefaultConnectionProvider,
  DefaultQueryExecutor,
  Kysely,
  type QueryResult,
} from 'kysely'
import type { Engine, QueryGuard } from '../engine.ts'

/** Kysely over a guarded dialect, its single statements run by the engine. */
export function guardedKysely<Tables>(engine: Engine, guard: QueryGuard): Kysely<Tables> {
  const dialect = engine.dialect(guard)
  const driver = dialect.createDriver()
  const executor = new DirectExecutor(engine, guard, dialect, new DefaultConnectionProvider(driver))
  return new Kysely<Tables>({ config: { dialect }, dialect, driver, executor })
}

/**
 * Leaves out the taking and giving back of a connection around a single statement. Compiler and driver are the guard's
 * all the same: with plugins, with a signal, on a connection or in a transaction Kysely goes on with its own executor
 * over them, and `Engine.run` asks the guard for the plan just as the driver does.
 */
class DirectExecutor extends DefaultQueryExecutor {
  readonly #engine: Engine
  readonly #guard: QueryGuard

  constructor(
    engine: Engine,
    guard: QueryGuard,
    dialect: ReturnType<Engine['dialect']>,
    connections: DefaultConnectionProvider,
  ) {
    super(dialect.createQueryCompiler(), dialect.createAdapter(), connections)
    this.#engine = engine
    this.#guard = guard
  }

  override async executeQuery<R>(
    query: CompiledQuery,
    options?: AbortableQueryOptions,
  ): Promise<QueryResult<R>> {
    if (options?.signal !== undefined) return await super.executeQuery(query, options)
    return await this.#engine.run<R>(query, this.#guard)
  }
}
