import type { Dialect } from 'kysely'
import { assert } from '../../base/index.ts'
import { Problem } from '../../errors/index.ts'
import type { Engine, QueryGuard } from '../engine.ts'
import { SqliteConnection, type StatementResult } from './connection.ts'
import { EngineDialect } from './dialect.ts'

interface Waiter {
  readonly goOn: () => void
  readonly timer: NodeJS.Timeout
}

/** Who holds the write connection. */
export interface Turn {
  /** Ends it; the next in line goes on. */
  release(): void
}

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
  readonly #waiting = new Set<Waiter>()
  readonly #waitMs: number
  #isHeld = false

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
  }

  /**
   * Waits for the writer. First come, first served.
   *
   * @throws `UNAVAILABLE` when the one before has not ended in time: a transaction that waits for a slow service,
   * that was never ended, or whose own code writes through `db` beside it and so waits for itself.
   */
  async takeTurn(): Promise<Turn> {
    if (this.#isHeld) await this.#wait()
    this.#isHeld = true
    let isReleased = false
    return {
      release: () => {
        if (isReleased) return
        isReleased = true
        this.#next()
      },
    }
  }

  #wait(): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(waiter)
        reject(
          new Problem('UNAVAILABLE', 'another transaction of this process holds the writer for too long', {
            headers: { 'retry-after': '1' },
          }),
        )
      }, this.#waitMs)
      const waiter: Waiter = { goOn: resolve, timer }
      this.#waiting.add(waiter)
    })
  }

  #next(): void {
    const [next] = this.#waiting
    // Handed over without a gap, so that nobody slips in between.
    if (next === undefined) this.#isHeld = false
    else {
      this.#waiting.delete(next)
      clearTimeout(next.timer)
      next.goOn()
    }
  }

  /** Runs one statement outside a transaction. */
  async runAlone(sql: string, parameters: readonly unknown[], isRead: boolean): Promise<StatementResult> {
    if (isRead && this.#reader !== undefined) return this.#reader.run(sql, parameters)
    if (!this.#isHeld) return this.#write(sql, parameters)
    const turn = await this.takeTurn()
    try {
      return this.#write(sql, parameters)
    } finally {
      turn.release()
    }
  }

  /** Opens the transaction of the one that holds the writer. */
  begin(): void {
    assert(this.#isHeld, 'a transaction holds the writer')
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
    assert(this.#isHeld, 'a transaction holds the writer')
    this.#endLeftovers()
  }

  #write(sql: string, parameters: readonly unknown[]): StatementResult {
    this.#endLeftovers()
    return this.#writer.run(sql, parameters)
  }

  #requireTransaction(): void {
    assert(this.#isHeld, 'a transaction holds the writer')
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
    await this.runAlone('select count(*) as tables from sqlite_schema', [], true)
  }

  async close(): Promise<void> {
    this.#reader?.close()
    this.#writer.close()
  }
}
