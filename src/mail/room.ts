import { Problem } from '../errors/index.ts'

const countEveryMs = 1_000
const retryAfter = '60'

/**
 * How many mails wait, known well enough to refuse more. A request only compares two numbers: the table is counted by
 * the worker, once a second at most, and what this process adds and removes between is added up. Several processes
 * may together pass the bound by what each adds in that time; it keeps the table from growing for ever, not to the row.
 *
 * @see OWASP ASVS 5.0 §15.2.2
 */
export class Room {
  readonly #maxCount: number
  #waitingCount = 0
  #countedAtMs = Number.NEGATIVE_INFINITY

  constructor(maxCount: number) {
    this.#maxCount = maxCount
  }

  /** @throws OVERLOADED when as many wait as may */
  require(): void {
    if (this.#waitingCount < this.#maxCount) return
    throw new Problem('OVERLOADED', 'as many mails wait as may', { headers: { 'retry-after': retryAfter } })
  }

  added(): void {
    this.#waitingCount += 1
  }

  removed(): void {
    this.#waitingCount = Math.max(0, this.#waitingCount - 1)
  }

  /** Counts anew where the last time is long enough ago: transactions that were undone are still in the sum. */
  async refresh(nowMs: number, countUpTo: (maxCount: number) => Promise<number>): Promise<void> {
    if (nowMs - this.#countedAtMs < countEveryMs) return
    this.#countedAtMs = nowMs
    this.#waitingCount = await countUpTo(this.#maxCount)
  }
}
