import { Problem } from '../../errors/index.ts'

/** Who holds the right to write. */
export interface Turn {
  /** Ends it; the next in line goes on. */
  release(): void
}

interface Waiter {
  readonly goOn: () => void
  readonly timer: NodeJS.Timeout
}

/** Those of one process who want to write to one database: one at a time, first come, first served. */
export class WriterQueue {
  readonly #waiting = new Set<Waiter>()
  #isHeld = false

  /** Whether somebody writes. */
  get isHeld(): boolean {
    return this.#isHeld
  }

  /**
   * Waits for the turn.
   *
   * @param waitMs How long, in milliseconds.
   * @throws `UNAVAILABLE` when the one before has not ended in time: a transaction that waits for a slow service,
   * that was never ended, or whose own code writes through `db` beside it and so waits for itself.
   */
  async take(waitMs: number): Promise<Turn> {
    if (this.#isHeld) await this.#wait(waitMs)
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

  #wait(waitMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(waiter)
        reject(
          new Problem('UNAVAILABLE', 'another transaction of this process holds the writer for too long', {
            headers: { 'retry-after': '1' },
          }),
        )
      }, waitMs)
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
}

const shared = new Map<string, { readonly queue: WriterQueue; userCount: number }>()

/** A queue, and how to let go of it. */
export interface SharedQueue {
  readonly queue: WriterQueue
  leave(): void
}

/**
 * The queue of a file, the same for all who have it open in this process: two connections that wait for each other
 * inside of SQLite would hold up the event loop, and with it the one that is waited for.
 *
 * @param path The file, absolute; `undefined` for a database that belongs to one connection.
 */
export function queueFor(path: string | undefined): SharedQueue {
  if (path === undefined) return { queue: new WriterQueue(), leave: () => undefined }
  const entry = shared.get(path) ?? { queue: new WriterQueue(), userCount: 0 }
  entry.userCount += 1
  shared.set(path, entry)
  let hasLeft = false
  return {
    queue: entry.queue,
    leave() {
      if (hasLeft) return
      hasLeft = true
      entry.userCount -= 1
      if (entry.userCount === 0) shared.delete(path)
    },
  }
}
