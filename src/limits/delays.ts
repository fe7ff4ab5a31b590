import { assert } from '../base/index.ts'

/**
 * Holds requests back that come too fast. So many at once: each waiting request holds a socket, so a flood that is
 * slowed down must not become a crowd that fills the memory.
 */
export class Delays {
  readonly #maxCount: number
  #waitingCount = 0

  /** @param maxCount How many requests may wait at once. */
  constructor(maxCount: number) {
    assert(Number.isSafeInteger(maxCount) && maxCount >= 0, 'a whole number of requests may wait')
    this.#maxCount = maxCount
  }

  /** How many wait. */
  get waitingCount(): number {
    return this.#waitingCount
  }

  /**
   * Waits, or answers at once that there is no room, or that whoever waited has gone.
   *
   * @param delayMs Milliseconds.
   * @param onGone Calls back when the client goes away, and answers with how to stop listening.
   */
  async wait(delayMs: number, onGone: (gone: () => void) => () => void): Promise<'waited' | 'full' | 'gone'> {
    if (this.#waitingCount >= this.#maxCount) return 'full'
    this.#waitingCount += 1
    const { promise, resolve } = Promise.withResolvers<'waited' | 'gone'>()
    const timer = setTimeout(() => resolve('waited'), delayMs)
    const unlisten = onGone(() => resolve('gone'))
    try {
      return await promise
    } finally {
      clearTimeout(timer)
      unlisten()
      this.#waitingCount -= 1
    }
  }
}
