import { assert } from '../base/index.ts'
import type { Places } from './concurrency.ts'
import { KeyHash } from './key-hash.ts'
import { SharedLocks } from './shared-locks.ts'
import type { SharedMemory } from './shared-memory.ts'

const slotCount = 16
const setBitCount = 12
const setCount = 2 ** setBitCount

/**
 * Counts what is under way for each key in all threads of a group, each thread in a number of its own. So what a thread
 * held that has died is known, and the one that takes its place gives it back.
 *
 * It has room for 65,536 keys, far more than requests are under way in a process; without room a request is refused.
 * A set is, in words of four bytes: its lock, an empty one, the sixteen hashes, then for each slot the counts by seat.
 */
export class SharedPlaces implements Places {
  readonly #words: Int32Array
  readonly #locks: SharedLocks
  readonly #hash: KeyHash
  readonly #seat: number
  readonly #seatCount: number
  readonly #stride: number

  constructor(name: string, memory: SharedMemory) {
    const { seat, seatCount } = memory
    this.#seat = seat
    this.#seatCount = seatCount
    this.#stride = 2 + slotCount * (2 + seatCount)
    this.#words = new Int32Array(memory.region(`places ${name}`, setCount * this.#stride * 4).buffer)
    this.#locks = new SharedLocks(this.#words, memory)
    this.#hash = new KeyHash(memory.hashSecret)
    this.#giveBack()
  }

  enter(key: string, maxCount: number): boolean {
    return this.#locked(key, (set) => {
      const known = this.#find(set)
      if (this.#sum(set, known) >= maxCount) return false
      const slot = known < 0 ? this.#freeSlot(set) : known
      if (slot < 0) return false
      if (known < 0) this.#name(set, slot, this.#hash)
      this.#add(set, slot, 1)
      return true
    })
  }

  leave(key: string): void {
    this.#locked(key, (set) => {
      const slot = this.#find(set)
      assert(slot >= 0, 'whoever leaves has entered')
      this.#add(set, slot, -1)
      this.#tidy(set, slot)
    })
  }

  /** What the thread before on this seat has not given back. */
  #giveBack(): void {
    for (let index = 0; index < setCount; index++) {
      const set = index * this.#stride
      for (let slot = 0; slot < slotCount; slot++) {
        const at = this.#countAt(set, slot) + this.#seat
        // Looked at without the lock: nobody else writes this number, and the slot stays while it is not 0. So memory
        // that nobody has used is not touched.
        if ((this.#words[at] ?? 0) === 0) continue
        this.#locks.acquire(set)
        this.#words[at] = 0
        this.#tidy(set, slot)
        this.#locks.release(set)
      }
    }
  }

  #locked<T>(key: string, act: (set: number) => T): T {
    this.#hash.read(key)
    const set = (this.#hash.high >>> (32 - setBitCount)) * this.#stride
    this.#locks.acquire(set)
    try {
      return act(set)
    } finally {
      this.#locks.release(set)
    }
  }

  #find(set: number): number {
    const { high, low } = this.#hash
    for (let slot = 0; slot < slotCount; slot++) {
      const word = set + 2 + slot * 2
      if (this.#words[word] === high && this.#words[word + 1] === low) return slot
    }
    return -1
  }

  #freeSlot(set: number): number {
    for (let slot = 0; slot < slotCount; slot++) {
      const word = set + 2 + slot * 2
      if (this.#words[word] === 0 && this.#words[word + 1] === 0) return slot
    }
    return -1
  }

  #name(set: number, slot: number, { high, low }: { readonly high: number; readonly low: number }): void {
    this.#words[set + 2 + slot * 2] = high
    this.#words[set + 2 + slot * 2 + 1] = low
  }

  /** Forgets a key of which nothing is under way any more. */
  #tidy(set: number, slot: number): void {
    if (this.#sum(set, slot) === 0) this.#name(set, slot, { high: 0, low: 0 })
  }

  #countAt(set: number, slot: number): number {
    return set + 2 + slotCount * 2 + slot * this.#seatCount
  }

  #add(set: number, slot: number, difference: number): void {
    const at = this.#countAt(set, slot) + this.#seat
    const count = (this.#words[at] ?? 0) + difference
    assert(count >= 0, 'whoever leaves has entered')
    this.#words[at] = count
  }

  #sum(set: number, slot: number): number {
    if (slot < 0) return 0
    const at = this.#countAt(set, slot)
    let sum = 0
    for (let seat = 0; seat < this.#seatCount; seat++) sum += this.#words[at + seat] ?? 0
    return sum
  }
}
