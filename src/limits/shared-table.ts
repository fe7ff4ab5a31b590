import { assert } from '../base/index.ts'
import { type Algorithm, algorithmOf } from './algorithm.ts'
import type { LimitPolicy } from './policy.ts'
import { SharedLocks } from './shared-locks.ts'
import type { SharedMemory } from './shared-memory.ts'

/** How many buckets one set holds. */
export const slotCount = 16

// Sets are half full when a table holds as many buckets as it is made for: then fewer than one set in two hundred has
// no free slot.
const spareFactor = 2

/**
 * The buckets of one policy in memory that several threads share. The hash of a key names a set of sixteen slots, and a
 * bucket is in its set or nowhere, so one lock guards all that a decision about it reads or writes. Nothing grows and
 * nothing moves.
 *
 * A set in cells of eight bytes: its lock, the sixteen hashes, then the numbers of the sixteen buckets. A slot without
 * a hash is empty.
 */
export class SharedTable {
  readonly policy: LimitPolicy
  readonly algorithm: Algorithm
  /** Locks of several tables are taken in this order. */
  readonly order: number
  readonly cells: Float64Array
  readonly #words: Int32Array
  readonly #locks: SharedLocks
  readonly #stride: number
  readonly #shift: number

  /** @param keyCount How many buckets it has room for at least; keys are spread so evenly that it is nearly twice that. */
  constructor(policy: LimitPolicy, keyCount: number, memory: SharedMemory) {
    // A policy that somebody made by hand: with NaN in it, nothing would ever be over the limit (ASVS 16.5.3).
    assert(policy.burst > 0 && policy.intervalMs > 0, 'a policy comes from policyOf')
    assert(policy.count > 0 && policy.windowSeconds > 0, 'a policy comes from policyOf')
    const bitCount = Math.max(1, Math.ceil(Math.log2((keyCount * spareFactor) / slotCount)))
    this.policy = policy
    this.algorithm = algorithmOf(policy)
    this.#stride = 1 + slotCount * (1 + this.algorithm.cellCount)
    this.#shift = 32 - bitCount
    const { buffer, order } = memory.region(`limit ${policy.id}`, 2 ** bitCount * this.#stride * 8)
    this.order = order
    this.cells = new Float64Array(buffer)
    this.#words = new Int32Array(buffer)
    this.#locks = new SharedLocks(this.#words, memory)
  }

  /** Where the set of a key begins in `cells`. */
  setOf(high: number): number {
    return (high >>> this.#shift) * this.#stride
  }

  lock(set: number): void {
    this.#locks.acquire(set * 2)
  }

  unlock(set: number): void {
    this.#locks.release(set * 2)
  }

  /** The slot of a bucket; -1 when it is not there. Its set is locked, as for all that follows. */
  find(set: number, high: number, low: number): number {
    const words = this.#words
    const first = (set + 1) * 2
    for (let slot = 0; slot < slotCount; slot++)
      if (words[first + slot * 2] === high && words[first + slot * 2 + 1] === low) return slot
    return -1
  }

  /** Where the numbers of a slot begin in `cells`. */
  cellOf(set: number, slot: number): number {
    return set + 1 + slotCount + slot * this.algorithm.cellCount
  }

  /**
   * A slot for a new bucket: an empty one, else one that says nothing that a new one would not, else the least used one
   * that does not refuse. A bucket that refuses never goes, so no flood of keys lets a caller who was refused try again.
   *
   * @param kept Slots that must stay. @returns the slot; less than 0 if all others refuse: the milliseconds until one
   * does not, negated
   */
  roomIn(set: number, wholeMs: number, kept: readonly number[]): number {
    const { policy, algorithm, cells } = this
    let found = -1
    let leastUsage = Number.POSITIVE_INFINITY
    let leastWaitMs = Number.POSITIVE_INFINITY
    for (let slot = 0; slot < slotCount; slot++) {
      if (kept.includes(slot)) continue
      if (this.#isEmpty(set, slot)) return slot
      const at = this.cellOf(set, slot)
      const isIdle = algorithm.idleFromMs(policy, cells, at) <= wholeMs
      const waitMs = isIdle ? 0 : algorithm.waitMs(policy, cells, at, wholeMs, 1)
      leastWaitMs = Math.min(leastWaitMs, waitMs)
      if (waitMs > 0) continue
      const usage = isIdle ? -1 : algorithm.usage(policy, cells, at, wholeMs)
      if (usage >= leastUsage) continue
      found = slot
      leastUsage = usage
    }
    if (found >= 0) return found
    assert(leastWaitMs < Number.POSITIVE_INFINITY, 'a request has fewer buckets than a set has slots')
    return -leastWaitMs
  }

  /** Makes a slot the new bucket of a key. */
  place(set: number, slot: number, { high, low }: { readonly high: number; readonly low: number }): void {
    const word = (set + 1 + slot) * 2
    const at = this.cellOf(set, slot)
    // A thread may die between any two of these: what it leaves is an empty slot, never a key with the numbers of
    // another.
    this.#words[word] = 0
    this.#words[word + 1] = 0
    this.cells.fill(0, at, at + this.algorithm.cellCount)
    this.#words[word] = high
    this.#words[word + 1] = low
  }

  #isEmpty(set: number, slot: number): boolean {
    const word = (set + 1 + slot) * 2
    return this.#words[word] === 0 && this.#words[word + 1] === 0
  }
}
