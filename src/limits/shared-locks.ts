import { assert } from '../base/index.ts'
import { Problem } from '../errors/index.ts'
import type { SharedMemory } from './shared-memory.ts'

/** Set in a lock's word when somebody may sleep in front of it. The rest of the word is who holds it. */
const sleeperBit = 2 ** 30
/** The highest name of a thread. */
export const maxHolder = sleeperBit - 1

// A decision takes well under a microsecond, so whoever holds a lock is nearly always gone before this is over.
const spinCount = 64
// How long one sleeps before looking whether the holder has died: nobody wakes those who wait for a dead thread.
const lookMs = 2
const defaultGiveUpMs = 5_000

/**
 * Locks in shared memory, one word each; all zeros is a free lock. They are held for the length of one decision, in
 * which nothing waits. A thread that dies in the middle of one leaves its lock held: the next one that wants it sees
 * that the holder is gone, and takes it over.
 */
export class SharedLocks {
  readonly #words: Int32Array
  readonly #memory: Pick<SharedMemory, 'holder' | 'isGone'>
  readonly #own: number
  readonly #giveUpMs: number

  /** @param giveUpMs How long a thread that runs is waited for, in milliseconds. */
  constructor(
    words: Int32Array,
    memory: Pick<SharedMemory, 'holder' | 'isGone'>,
    giveUpMs: number = defaultGiveUpMs,
  ) {
    const { holder } = memory
    assert(Number.isInteger(holder) && holder > 0 && holder <= maxHolder, 'a thread has a name of its own')
    this.#words = words
    this.#memory = memory
    this.#own = holder
    this.#giveUpMs = giveUpMs
  }

  /** @throws UNAVAILABLE when a thread that runs has held it for too long: five seconds unless given */
  acquire(at: number): void {
    if (Atomics.compareExchange(this.#words, at, 0, this.#own) !== 0) this.#acquireLater(at)
  }

  release(at: number): void {
    if (Atomics.exchange(this.#words, at, 0) !== this.#own) Atomics.notify(this.#words, at, 1)
  }

  #acquireLater(at: number): void {
    const words = this.#words
    for (let spin = 0; spin < spinCount; spin++) {
      if (Atomics.load(words, at) === 0 && Atomics.compareExchange(words, at, 0, this.#own) === 0) return
    }
    const endMs = performance.now() + this.#giveUpMs
    while (performance.now() < endMs) {
      const held = Atomics.load(words, at)
      const holder = held & maxHolder
      assert(holder !== this.#own, 'a thread does not wait for itself')
      if (held === 0 || this.#memory.isGone(holder)) {
        // With the bit: there may be more who sleep.
        if (Atomics.compareExchange(words, at, held, this.#own | sleeperBit) === held) return
        continue
      }
      const slept = holder | sleeperBit
      if (held !== slept && Atomics.compareExchange(words, at, held, slept) !== held) continue
      Atomics.wait(words, at, slept, lookMs)
    }
    // Stopped by a debugger, perhaps. Nothing is let through that nobody has counted (ASVS 16.5.3).
    throw new Problem('UNAVAILABLE', 'another thread holds a limit for too long', {
      headers: { 'retry-after': '1' },
    })
  }
}
