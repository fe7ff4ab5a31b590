import { resolve } from 'node:path'
import type { CompiledQuery, Dialect, QueryResult } from 'kysely'
import { assert } from '../../base/index.ts'
import { Problem } from '../../errors/index.ts'
import type { Engine, QueryGuard } from '../engine.ts'
import { SqliteConnection, type StatementResult } from './connection.ts'
import { EngineDialect, resultOf } from './dialect.ts'
import { WriteGroup } from './write-group.ts'
import { queueFor, type SharedQueue, type Turn } from './writer-queue.ts'

// What can stand in a transaction with others: a command to the database itself, such as "vacuum", cannot.
const groupedKinds: ReadonlySet<string> = new Set(['InsertQueryNode', 'UpdateQueryNode', 'DeleteQueryNode'])

/**
 * One database file: a connection that writes, one at a time, and one that reads without waiting for it.
 *
 * `node:sqlite` is synchronous, so a single statement is never interleaved with another; a transaction is, at
 * every `await` between its statements, and must have the writer for itself until it ends.
 */
export class SqliteEngine implements Engine {
  readonly kind = 'sqlite'
  readonly #writer: SqliteConnection
  readonly #reader: SqliteConnection | undefined
  readonly #shared: SharedQueue
  readonly #group: WriteGroup
  readonly #waitMs: number

  /**
   * @param path A file, or `:memory:`.
   * @param waitMs How long a write waits for its turn, here and behind another process, in milliseconds.
   */
  constructor(path: string, waitMs: number) {
    this.#waitMs = waitMs
    this.#writer = new SqliteConnection(path, 'writer', waitMs)
    try {
      // A database in memory belongs to its connection. In a file, WAL lets a reader see the last commit meanwhile.
      this.#reader = path === ':memory:' ? undefined : new SqliteConnection(path, 'reader', waitMs)
    } catch (error) {
      this.#writer.close()
      throw error
    }
    this.#shared = queueFor(path === ':memory:' ? undefined : resolve(path))
    this.#group = new WriteGroup(this.#writer, this.#shared.queue, waitMs)
  }

  /** Waits for the writer. First come, first served. @throws `UNAVAILABLE` when the one before has not ended in time */
  takeTurn(): Promise<Turn> {
    return this.#shared.queue.take(this.#waitMs)
  }

  run<R>(query: CompiledQuery, guard: QueryGuard): QueryResult<R> | Promise<QueryResult<R>> {
    const plan = guard.planOf(query)
    const result = this.runAlone(query, plan.mustChangeCount)
    return result instanceof Promise
      ? result.then((late) => resultOf<R>(late, plan))
      : resultOf<R>(result, plan)
  }

  /**
   * Runs one statement outside a transaction. A read of a file is there at once; a write is on the disk.
   *
   * @param mustChangeCount How many rows it must change; fewer, and it is taken back. @throws `NOT_FOUND`
   */
  runAlone(
    { query: { kind }, sql, parameters }: CompiledQuery,
    mustChangeCount = 0,
  ): StatementResult | Promise<StatementResult> {
    if (kind === 'SelectQueryNode' && this.#reader !== undefined) return this.#reader.run(sql, parameters)
    if (groupedKinds.has(kind)) return this.#group.add({ sql, parameters, mustChangeCount })
    return this.#inTurn(sql, parameters)
  }

  async #inTurn(sql: string, parameters: readonly unknown[]): Promise<StatementResult> {
    if (!this.#shared.queue.isHeld) return this.#write(sql, parameters)
    const turn = await this.takeTurn()
    try {
      return this.#write(sql, parameters)
    } finally {
      turn.release()
    }
  }

  /** Opens the transaction of the one that holds the writer. */
  begin(): void {
    assert(this.#shared.queue.isHeld, 'a transaction holds the writer')
    this.#endLeftovers()
    // IMMEDIATE takes the write lock now: a transaction that reads first and writes later could not get it then.
    this.#writer.command('begin immediate')
  }

  /**
   * Runs one statement of the transaction that holds the writer.
   *
   * @throws `UNAVAILABLE` when SQLite has ended the transaction (a full disk, a failing one): without it each
   * further statement would commit by itself, and half of the transaction would stay.
   */
  runInTurn(sql: string, parameters: readonly unknown[]): StatementResult {
    this.#requireTransaction()
    return this.#writer.run(sql, parameters)
  }

  /** Runs `commit` or a savepoint command for the one that holds the writer. @throws as {@link runInTurn} */
  command(sql: string): void {
    this.#requireTransaction()
    this.#writer.command(sql)
  }

  /** Takes the transaction of the one that holds the writer back, if SQLite has not done so already. */
  rollback(): void {
    assert(this.#shared.queue.isHeld, 'a transaction holds the writer')
    this.#endLeftovers()
  }

  #write(sql: string, parameters: readonly unknown[]): StatementResult {
    this.#endLeftovers()
    return this.#writer.run(sql, parameters)
  }

  #requireTransaction(): void {
    assert(this.#shared.queue.isHeld, 'a transaction holds the writer')
    if (this.#writer.isInTransaction) return
    throw new Problem('UNAVAILABLE', 'the database has rolled this transaction back', {
      headers: { 'retry-after': '1' },
    })
  }

  // A write must never land in a transaction that nobody is going to commit: it would be acknowledged and then lost.
  #endLeftovers(): void {
    if (this.#writer.isInTransaction) this.#writer.command('rollback')
  }

  dialect(guard?: QueryGuard): Dialect {
    return new EngineDialect(this, guard)
  }

  async check(): Promise<void> {
    const probe = 'select count(*) as tables from sqlite_schema'
    if (this.#reader === undefined) await this.#inTurn(probe, [])
    else this.#reader.run(probe, [])
  }

  async close(): Promise<void> {
    this.#group.end()
    this.#reader?.close()
    this.#writer.close()
    this.#shared.leave()
  }
}
