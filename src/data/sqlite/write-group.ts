import { Problem } from '../../errors/index.ts'
import type { SqliteConnection, StatementResult } from './connection.ts'
import type { WriterQueue } from './writer-queue.ts'

/** One statement that writes. */
export interface Write {
  readonly sql: string
  readonly parameters: readonly unknown[]
  /** How many rows it must change; fewer, and it is taken back. */
  readonly mustChangeCount: number
}

interface WaitingWrite extends Write {
  readonly settle: PromiseWithResolvers<StatementResult>
}

/** What came of a write, to be told when it is on the disk. */
type Outcome = { readonly result: StatementResult } | { readonly error: unknown }

// Statements run on the thread of the requests: a group must be short, whatever waits.
const groupCount = 256

// The real one, also where a test has put another clock in its place: whoever waits for a write must not wait for that.
const atTheEndOfTheTurn = setImmediate

/**
 * Commits the statements of one turn of the event loop together, so that they share one sync of the disk.
 *
 * Each stands alone all the same: one that fails is taken back to its own savepoint, and none is answered before the
 * commit. When SQLite has taken the whole group back because of one of them, or refuses to commit it, nothing of it is
 * there and each runs again by itself, so that nobody fails for what another has sent; except where the database cannot
 * answer now, which is everybody's answer.
 *
 * @see docs/decisions/0022-writes-share-a-sync.md; OWASP ASVS 5.0 §2.3.3
 */
export class WriteGroup {
  readonly #writer: SqliteConnection
  readonly #queue: WriterQueue
  readonly #waitMs: number
  #waiting: WaitingWrite[] = []
  #isScheduled = false

  /** @param waitMs How long a write waits for the transaction before it, in milliseconds. */
  constructor(writer: SqliteConnection, queue: WriterQueue, waitMs: number) {
    this.#writer = writer
    this.#queue = queue
    this.#waitMs = waitMs
  }

  /** Runs a statement; answers when it is on the disk. @throws as {@link SqliteConnection.run}, and `NOT_FOUND` */
  add(write: Write): Promise<StatementResult> {
    const settle = Promise.withResolvers<StatementResult>()
    this.#waiting.push({ ...write, settle })
    this.#schedule()
    return settle.promise
  }

  /** Runs what waits, now. What waits for somebody's transaction is refused: the connection is about to close. */
  end(): void {
    while (!this.#queue.isHeld && this.#waiting.length > 0) this.#runGroup()
    const closed = new Problem('UNAVAILABLE', 'the database is closed', { headers: { 'retry-after': '1' } })
    for (const { settle } of this.#waiting.splice(0)) settle.reject(closed)
  }

  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    atTheEndOfTheTurn(() => void this.#flush())
  }

  async #flush(): Promise<void> {
    if (!this.#queue.isHeld) this.#runGroup()
    else {
      const due = new Set(this.#waiting)
      try {
        const turn = await this.#queue.take(this.#waitMs)
        try {
          this.#runGroup()
        } finally {
          turn.release()
        }
      } catch (error) {
        // Those who came later have waited for less.
        this.#waiting = this.#waiting.filter((write) => !due.has(write))
        for (const { settle } of due) settle.reject(error)
      }
    }
    this.#isScheduled = false
    if (this.#waiting.length > 0) this.#schedule()
  }

  /** Runs and commits a group without giving way to anybody. Throws nothing. */
  #runGroup(): void {
    const group = this.#waiting.splice(0, groupCount)
    const outcomes = group.length > 1 ? this.#together(group) : undefined
    group.forEach((write, index) => {
      const outcome = outcomes?.[index] ?? this.#alone(write)
      if ('error' in outcome) write.settle.reject(outcome.error)
      else write.settle.resolve(outcome.result)
    })
  }

  /** @returns what came of each; `undefined` when nothing is there and each has to run by itself */
  #together(group: readonly Write[]): readonly Outcome[] | undefined {
    try {
      this.#begin()
      const outcomes: Outcome[] = []
      for (const write of group) outcomes.push(this.#inSavepoint(write))
      this.#writer.command('commit')
      return outcomes
    } catch (error) {
      return this.#isTakenBack() && !isEverybodys(error) ? undefined : group.map(() => ({ error }))
    }
  }

  /** @throws when SQLite has ended the transaction, and with it what the others have written */
  #inSavepoint(write: Write): Outcome {
    this.#writer.command(savepoint)
    let outcome: Outcome
    try {
      outcome = { result: complete(this.#writer.run(write.sql, write.parameters), write.mustChangeCount) }
    } catch (error) {
      if (!this.#writer.isInTransaction) throw error
      this.#writer.command(rollbackToSavepoint)
      outcome = { error }
    }
    this.#writer.command(releaseSavepoint)
    return outcome
  }

  #alone(write: Write): Outcome {
    try {
      if (write.mustChangeCount > 1) return this.#inTransaction(write)
      this.#takeBack()
      return { result: complete(this.#writer.run(write.sql, write.parameters), write.mustChangeCount) }
    } catch (error) {
      return { error }
    }
  }

  // One row is there or not; of several, some could stay when others are refused.
  #inTransaction({ sql, parameters, mustChangeCount }: Write): Outcome {
    try {
      this.#begin()
      const result = complete(this.#writer.run(sql, parameters), mustChangeCount)
      this.#writer.command('commit')
      return { result }
    } finally {
      this.#takeBack()
    }
  }

  #begin(): void {
    this.#takeBack()
    this.#writer.command('begin immediate')
  }

  #isTakenBack(): boolean {
    try {
      this.#takeBack()
      return true
    } catch {
      // What led here is what they have to hear. The next one tries again before it writes.
      return false
    }
  }

  // A write must never land in a transaction that nobody is going to commit: it would be acknowledged and then lost.
  #takeBack(): void {
    if (this.#writer.isInTransaction) this.#writer.command('rollback')
  }
}

const savepoint = 'savepoint holdfast_write'
const rollbackToSavepoint = 'rollback to holdfast_write'
const releaseSavepoint = 'release holdfast_write'

/** True when a disk or a lock is the reason, and not what one of them has sent. */
function isEverybodys(error: unknown): boolean {
  return error instanceof Problem && error.code === 'UNAVAILABLE'
}

/** @throws `NOT_FOUND` when the rules have let fewer rows through than were given. */
export function complete(result: StatementResult, mustChangeCount: number): StatementResult {
  // A statement with "returning" gives its rows and no count.
  if (result.changedCount >= mustChangeCount || result.rows.length >= mustChangeCount) return result
  throw new Problem('NOT_FOUND', 'the row rules refuse what the query would have written')
}
