import type { CompiledQuery, Dialect, QueryCompiler, QueryId, QueryResult, RootOperationNode } from 'kysely'

/** How the connections to a database do. */
export interface ConnectionCounts {
  readonly inUseCount: number
  readonly idleCount: number
  /** Requests and jobs that wait for one. */
  readonly waitingCount: number
}

/** A database that is open: where statements run, whatever its kind. */
export interface Engine {
  readonly kind: 'sqlite' | 'postgres'
  /** A Kysely dialect over this engine; with a guard, nothing reaches the database but what the guard has compiled. */
  dialect(guard?: QueryGuard): Dialect
  /**
   * Runs one query of a guard outside of a transaction, as its dialect does, without what Kysely puts around it. A read
   * of a SQLite file is there at once.
   *
   * @throws what the guard and the database do, also where no promise is given
   */
  run<R>(query: CompiledQuery, guard: QueryGuard): QueryResult<R> | Promise<QueryResult<R>>
  /** Answers when the database does. @throws `UNAVAILABLE` */
  check(): Promise<void>
  /** How its connections do; SQLite has none to count. */
  readonly connections?: () => ConnectionCounts
  /** Closes every connection; what was committed is on the disk. */
  close(): Promise<void>
}

/**
 * Stands in the compiler and in the driver of a dialect, the only two ways from Kysely to the database. What the
 * compiler of the guard has not made, the driver does not run.
 */
export interface QueryGuard {
  /** Whom the database is told it works for, so that its own row policies hold as a second wall. */
  readonly identity: SessionIdentity
  /** Rewrites and compiles a query. @throws `INTERNAL` to refuse it */
  compile<R>(node: RootOperationNode, queryId: QueryId, compiler: QueryCompiler): CompiledQuery<R>
  /** What has to happen when a query of this guard runs. @throws `INTERNAL` for a query that it has not compiled */
  planOf(query: CompiledQuery): QueryPlan
}

/** What has to happen around one query. */
export interface QueryPlan {
  /** How many rows it must change; fewer, and it is taken back with `missing`. `undefined` for any number. */
  readonly mustChangeCount: number | undefined
  /** Tables whose second wall is lifted for this statement, such as when it hands a row to another owner. */
  readonly lifts: readonly string[]
  /** Turns the rows that the database gave into the rows that the caller gets. */
  readonly opened: (rows: readonly unknown[]) => readonly unknown[] | Promise<readonly unknown[]>
}

/** The caller as the row policies of PostgreSQL read it, each part the text of a setting `holdfast.<name>`. */
export interface SessionIdentity {
  /** The user id; empty without one. */
  readonly user: string
  /** The tenant; empty without one. */
  readonly tenant: string
  /** The roles as a JSON array. */
  readonly roles: string
  /** What the route's access rule opened beyond the rules, as a JSON object: by table, a key or `true` for every row. */
  readonly lifted: string
}
