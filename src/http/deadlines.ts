/** Something that has to be over in time. */
export interface Deadline {
  /** It is over; nothing happens any more. */
  end(): void
}

interface Running {
  readonly dueMs: number
  readonly expire: () => void
  isOver: boolean
}

/**
 * Deadlines that are all equally far away, on one timer: a timer for each request, with what it takes to cancel it, would
 * cost as much as all of the request's checks. They come due in the order in which they were set.
 *
 * @see OWASP ASVS 5.0 §15.2.2
 */
export class Deadlines {
  readonly #afterMs: number
  readonly #running = new Set<Running>()
  #timer: NodeJS.Timeout | undefined

  /** @param afterMs How far away each of them is, in milliseconds. */
  constructor(afterMs: number) {
    this.#afterMs = afterMs
  }

  /** Calls `expire` in time, unless it has ended before. */
  start(expire: () => void): Deadline {
    const running = { dueMs: performance.now() + this.#afterMs, expire, isOver: false }
    this.#running.add(running)
    this.#timer ??= setTimeout(() => this.#expireDue(), this.#afterMs).unref()
    return {
      end: () => {
        running.isOver = true
        this.#running.delete(running)
      },
    }
  }

  #expireDue(): void {
    this.#timer = undefined
    const nowMs = performance.now()
    const due: Running[] = []
    for (const running of this.#running) {
      if (running.dueMs > nowMs) {
        this.#timer = setTimeout(() => this.#expireDue(), Math.ceil(running.dueMs - nowMs)).unref()
        break
      }
      this.#running.delete(running)
      due.push(running)
    }
    // Only now, with the timer set: one that throws must not take the time of all others away.
    const errors: unknown[] = []
    for (const running of due) {
      try {
        if (!running.isOver) running.expire()
      } catch (error) {
        errors.push(error)
      }
    }
    if (errors.length > 0) throw errors[0]
  }
}
