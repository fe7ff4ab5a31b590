import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import { Problem } from '../../errors/index.ts'
import { problemOf } from './failure.ts'

/** The rows and counts of one statement. */
export interface StatementResult {
  readonly rows: Record<string, unknown>[]
  readonly changedCount: bigint
}

interface PreparedStatement {
  readonly statement: StatementSync
  /** A schema that changes may give a statement other columns; never none where there were some. */
  readonly givesRows: boolean
}

// Shapes of queries are few; a handler that builds endless different ones must not fill the memory.
const statementCount = 500

/** One SQLite connection with its prepared statements. */
export class SqliteConnection {
  readonly #database: DatabaseSync
  /** The one not used for longest first, once they are many. */
  readonly #statements = new Map<string, PreparedStatement>()

  /**
   * @param path A file, or `:memory:`.
   * @param use `reader` refuses every write.
   * @param busyMs How long a statement waits for another process, in milliseconds.
   */
  constructor(path: string, use: 'writer' | 'reader', busyMs: number) {
    this.#database = new DatabaseSync(path, {
      timeout: busyMs,
      enableForeignKeyConstraints: true,
      // An option and not `enableDefensive()`, which a Node 24 before 24.12 does not have.
      defensive: true,
    })
    try {
      // Schema text in a file that somebody else has touched must not run functions with side effects.
      this.#database.exec('pragma trusted_schema = off')
      if (use === 'reader') {
        this.#database.exec('pragma query_only = on')
        // Sixteen megabytes of pages, taken as they are read, instead of two: the upper parts of large indexes stay.
        this.#database.exec('pragma cache_size = -16000')
      } else {
        this.#database.exec('pragma journal_mode = wal')
        // A write is answered with 2xx only when it survives a power cut: WAL with NORMAL syncs at checkpoints only.
        this.#database.exec('pragma synchronous = full')
      }
      // Opening reads nothing of a file: a damaged one has to be found now, not by the first request.
      this.#database.prepare('select count(*) from sqlite_schema').get()
    } catch (error) {
      this.#database.close()
      throw error
    }
  }

  /** True while a transaction is open. SQLite may end one by itself: a full disk rolls it back. */
  get isInTransaction(): boolean {
    return this.#database.isTransaction
  }

  /**
   * Runs one statement. A whole number that a JavaScript number cannot hold exactly (beyond 2^53) is refused when
   * it is read, never rounded: an id that is off by one is the id of another row.
   *
   * @throws `CONFLICT`, `UNAVAILABLE`, `INTERNAL`, see {@link problemOf}.
   */
  run(sql: string, parameters: readonly unknown[]): StatementResult {
    try {
      const { statement, givesRows } = this.#prepared(sql)
      const bound: SQLInputValue[] = []
      for (const parameter of parameters) bound.push(bindable(parameter))
      if (givesRows) return { rows: statement.all(...bound), changedCount: 0n }
      const { changes } = statement.run(...bound)
      return { rows: [], changedCount: BigInt(changes) }
    } catch (error) {
      throw problemOf(error)
    }
  }

  /** Runs a statement without parameters or result. @throws as {@link run} */
  command(sql: string): void {
    try {
      this.#prepared(sql).statement.run()
    } catch (error) {
      throw problemOf(error)
    }
  }

  close(): void {
    this.#statements.clear()
    this.#database.close()
  }

  #prepared(sql: string): PreparedStatement {
    const known = this.#statements.get(sql)
    if (known !== undefined) {
      // Moved to the end, so that the first one is the one not used for longest. While there are few none is dropped.
      if (this.#statements.size > statementCount / 2) {
        this.#statements.delete(sql)
        this.#statements.set(sql, known)
      }
      return known
    }
    const statement = this.#database.prepare(sql)
    const prepared = { statement, givesRows: statement.columns().length > 0 }
    this.#statements.set(sql, prepared)
    if (this.#statements.size > statementCount) {
      const [oldest] = this.#statements.keys()
      if (oldest !== undefined) this.#statements.delete(oldest)
    }
    return prepared
  }
}

/** SQLite knows no booleans and no dates; what it cannot hold is a bug of the caller, not a value to guess at. */
function bindable(value: unknown): SQLInputValue {
  if (value === null || typeof value === 'string' || typeof value === 'bigint') return value
  // SQLite would write NaN as NULL.
  if (typeof value === 'number' && Number.isFinite(value)) return value
  if (typeof value === 'boolean') return value ? 1 : 0
  if (value instanceof Date) return value.toISOString()
  if (value instanceof Uint8Array) return value
  throw new Problem(
    'INTERNAL',
    `a query parameter is ${describe(value)}; SQLite holds text, finite numbers, bytes and null`,
  )
}

function describe(value: unknown): string {
  if (value === undefined) return 'undefined'
  return typeof value === 'number' ? 'no finite number' : `a ${typeof value}`
}
