import { Problem } from '../../errors/index.ts'

const firstWaitMs = 100
const longestWaitMs = 5_000

/**
 * Keeps requests from waiting for a database that is not there. After a failed attempt everything is answered at once
 * until it is time for the next one, which a single request makes; each failure doubles the wait, up to 5 seconds.
 */
export class Breaker {
  readonly #nowMs: () => number
  #failureCount = 0
  #closedUntilMs = 0
  #isProbing = false

  /** @param nowMs A clock in milliseconds that does not step back. */
  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs
  }

  /**
   * Runs an attempt to connect.
   *
   * @param isOutage Which failures mean that the database is not there.
   * @throws `UNAVAILABLE` without an attempt while one must not be made
   */
  async attempt<T>(connect: () => Promise<T>, isOutage: (error: unknown) => boolean): Promise<T> {
    const known = this.#failureCount
    const isProbe = known > 0
    if (isProbe && (this.#isProbing || this.#nowMs() < this.#closedUntilMs)) {
      throw new Problem('UNAVAILABLE', 'the database did not answer a moment ago', {
        headers: {
          'retry-after': String(Math.max(1, Math.ceil((this.#closedUntilMs - this.#nowMs()) / 1000))),
        },
      })
    }
    if (isProbe) this.#isProbing = true
    try {
      const connected = await connect()
      this.#failureCount = 0
      return connected
    } catch (error) {
      // Those that were on their way when the first one failed tell nothing new.
      if (isOutage(error) && this.#failureCount === known) this.#failed()
      throw error
    } finally {
      if (isProbe) this.#isProbing = false
    }
  }

  #failed(): void {
    const waitMs = Math.min(longestWaitMs, firstWaitMs * 2 ** this.#failureCount)
    this.#failureCount += 1
    // By chance, so that many nodes do not come back in step.
    this.#closedUntilMs = this.#nowMs() + waitMs * (0.75 + Math.random() / 2)
  }
}
