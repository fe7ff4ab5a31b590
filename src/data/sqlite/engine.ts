import { assert } from '../../base/index.ts'
import { SqliteConnection, type StatementResult } from './connection.ts'

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
export class SqliteEngine {
  readonly #writer: SqliteConnection
  readonly #reader: SqliteConnection | undefined
  readonly #waiting: (() => void)[] = []
  #isHeld = false

  constructor(path: string) {
    this.#writer = new SqliteConnection(path, 'writer')
    // A database in memory belongs to its connection. In a file, WAL lets a reader see the last commit meanwhile.
    this.#reader = path === ':memory:' ? undefined : new SqliteConnection(path, 'reader')
  }

  /** Waits for the writer. First come, first served. */
  async takeTurn(): Promise<Turn> {
    if (this.#isHeld) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    this.#isHeld = true
    let isReleased = false
    return {
      release: () => {
        if (isReleased) return
        isReleased = true
        const next = this.#waiting.shift()
        // Handed over without a gap, so that nobody slips in between.
        if (next === undefined) this.#isHeld = false
        else next()
      },
    }
  }

  /** Runs one statement outside a transaction. */
  async runAlone(sql: string, parameters: readonly unknown[], isRead: boolean): Promise<StatementResult> {
    if (isRead && this.#reader !== undefined) return this.#reader.run(sql, parameters)
    if (!this.#isHeld) return this.#writer.run(sql, parameters)
    const turn = await this.takeTurn()
    try {
      return this.#writer.run(sql, parameters)
    } finally {
      turn.release()
    }
  }

  /** Runs one statement of the transaction that holds the writer. */
  runInTurn(sql: string, parameters: readonly unknown[]): StatementResult {
    assert(this.#isHeld, 'a transaction holds the writer')
    return this.#writer.run(sql, parameters)
  }

  /** Runs a command such as `commit` for the one that holds the writer. */
  command(sql: string): void {
    assert(this.#isHeld, 'a transaction holds the writer')
    this.#writer.command(sql)
  }

  close(): void {
    this.#reader?.close()
    this.#writer.close()
  }
}
