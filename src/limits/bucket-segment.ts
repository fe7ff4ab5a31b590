import type { Algorithm } from './algorithm.ts'
import type { LimitPolicy } from './policy.ts'

const smallestSlotCount = 16
/** The most slots of one segment: doubling or splitting it takes well under a millisecond. */
const largestSlotCount = 4_096
// Three of four: what is not there is noticed after nine slots on average.
const maxLoad = 0.75
const sampleCount = 16

/** A bucket by the two halves of its hash. */
export interface BucketName {
  readonly high: number
  readonly low: number
}

/**
 * A part of the buckets of one policy: a hash table with linear probing in one flat piece of memory. A slot is the 64
 * bits of the hash, then the numbers of the bucket; an empty one has the hash 0. It holds no objects, so nothing in it
 * costs the garbage collector anything, and a look-up touches one line of the processor's cache.
 */
export class BucketSegment {
  /** How many leading bits of the hash all buckets here share. */
  depth: number
  size = 0
  cells: Float64Array
  /** All buckets here refuse until this moment, as far as anybody has looked. */
  refusingUntilMs = 0
  /** No bucket here is full again before this moment. */
  #idleFromMs = Number.POSITIVE_INFINITY
  readonly #policy: LimitPolicy
  readonly #algorithm: Algorithm
  /** Numbers of one slot. */
  readonly #stride: number
  #hashes: Int32Array
  #mask: number
  /** Where the next look around begins. */
  #hand = 0

  constructor(policy: LimitPolicy, algorithm: Algorithm, depth: number) {
    this.#policy = policy
    this.#algorithm = algorithm
    this.depth = depth
    this.#stride = algorithm.cellCount + 1
    this.cells = new Float64Array(smallestSlotCount * this.#stride)
    this.#hashes = new Int32Array(this.cells.buffer)
    this.#mask = smallestSlotCount - 1
  }

  /** Where the bucket lies in `cells`; -1 when it is not here. */
  find(high: number, low: number): number {
    const stride = this.#stride
    const hashes = this.#hashes
    const mask = this.#mask
    for (let slot = low & mask; ; slot = (slot + 1) & mask) {
      const word = slot * stride * 2
      const first = hashes[word]
      const second = hashes[word + 1]
      if (first === high && second === low) return slot * stride + 1
      if (first === 0 && second === 0) return -1
    }
  }

  /** Whether one more needs a split first. */
  isFull(): boolean {
    return this.size >= largestSlotCount * maxLoad
  }

  /** Makes a new, empty bucket of one that is not here. @returns where it lies in `cells` */
  insert(high: number, low: number): number {
    if (this.size >= (this.#mask + 1) * maxLoad) this.#resize((this.#mask + 1) * 2)
    this.size++
    this.refusingUntilMs = 0
    return this.#place(high, low)
  }

  /** To be called when a bucket is new, or holds more than before: when to look for it again. */
  expect(at: number): void {
    this.#idleFromMs = Math.min(this.#idleFromMs, this.#algorithm.idleFromMs(this.#policy, this.cells, at))
  }

  /** Forgets a bucket. */
  remove({ high, low }: BucketName): void {
    const at = this.find(high, low)
    if (at >= 0) this.#removeSlot(this.#slotOf(at))
  }

  /** Moves the buckets whose next bit is 1 to a new segment. */
  split(): BucketSegment {
    const bit = 1 << (31 - this.depth)
    this.depth++
    const sibling = new BucketSegment(this.#policy, this.#algorithm, this.depth)
    sibling.#idleFromMs = this.#idleFromMs
    const stride = this.#stride
    for (let slot = 0; slot <= this.#mask; slot++) {
      // What is removed can be followed by another one in the same slot.
      while (!this.#isEmpty(slot) && ((this.#hashes[slot * stride * 2] ?? 0) & bit) !== 0) {
        const { high, low } = this.#nameAt(slot)
        const from = slot * stride + 1
        const at = sibling.insert(high, low)
        for (let cell = 0; cell < stride - 1; cell++) sibling.cells[at + cell] = this.cells[from + cell] ?? 0
        this.#removeSlot(slot)
      }
    }
    return sibling
  }

  /**
   * Looks at the next few slots and forgets those buckets that say nothing a new one would not. As each new key does
   * so, the table shrinks after a flood without a timer, and without ever stopping to sweep.
   */
  clear(wholeMs: number, slotCount: number): void {
    if (this.#idleFromMs > wholeMs) return
    const isWhole = slotCount > this.#mask
    let idleFromMs = Number.POSITIVE_INFINITY
    const count = isWhole ? this.#mask + 1 : slotCount
    for (let step = 0; step < count; step++) {
      while (!this.#isEmpty(this.#hand)) {
        const fromMs = this.#algorithm.idleFromMs(this.#policy, this.cells, this.#cellOf(this.#hand))
        if (fromMs > wholeMs) {
          idleFromMs = Math.min(idleFromMs, fromMs)
          break
        }
        this.#removeSlot(this.#hand)
      }
      this.#hand = (this.#hand + 1) & this.#mask
    }
    if (isWhole) this.#idleFromMs = idleFromMs
    if (this.#mask >= smallestSlotCount && this.size * 8 < this.#mask) this.#resize((this.#mask + 1) / 2)
  }

  /**
   * The bucket to forget when there is no room: the least used one of a few that do not refuse. Only if those all
   * refuse, the least used one of all here.
   *
   * @param kept Those that must stay. @returns `undefined` if all others here refuse
   */
  leastUsed(wholeMs: number, kept: readonly BucketName[]): BucketName | undefined {
    let least = -1
    let leastUsage = Number.POSITIVE_INFINITY
    let seenCount = 0
    const start = this.#hand
    for (let step = 0; step <= this.#mask; step++) {
      const slot = (start + step) & this.#mask
      if (this.#isEmpty(slot)) continue
      if (seenCount++ >= sampleCount && least >= 0) break
      this.#hand = (slot + 1) & this.#mask
      const at = this.#cellOf(slot)
      if (this.#algorithm.waitMs(this.#policy, this.cells, at, wholeMs, 1) > 0) continue
      const usage = this.#algorithm.usage(this.#policy, this.cells, at, wholeMs)
      if (usage >= leastUsage || this.#isKept(slot, kept)) continue
      least = slot
      leastUsage = usage
    }
    return least < 0 ? undefined : this.#nameAt(least)
  }

  /** Milliseconds until the first bucket here stops refusing, but for the kept ones; infinite if there is no other. */
  refusalMs(wholeMs: number, kept: readonly BucketName[]): number {
    let waitMs = Number.POSITIVE_INFINITY
    for (let slot = 0; slot <= this.#mask; slot++) {
      if (this.#isEmpty(slot) || this.#isKept(slot, kept)) continue
      const at = this.#cellOf(slot)
      waitMs = Math.min(waitMs, this.#algorithm.waitMs(this.#policy, this.cells, at, wholeMs, 1))
    }
    return waitMs
  }

  #isKept(slot: number, kept: readonly BucketName[]): boolean {
    if (kept.length === 0) return false
    const { high, low } = this.#nameAt(slot)
    return kept.some((one) => one.high === high && one.low === low)
  }

  #slotOf(at: number): number {
    return (at - 1) / this.#stride
  }

  #cellOf(slot: number): number {
    return slot * this.#stride + 1
  }

  #nameAt(slot: number): BucketName {
    const word = slot * this.#stride * 2
    return { high: this.#hashes[word] ?? 0, low: this.#hashes[word + 1] ?? 0 }
  }

  #isEmpty(slot: number): boolean {
    const word = slot * this.#stride * 2
    return this.#hashes[word] === 0 && this.#hashes[word + 1] === 0
  }

  #place(high: number, low: number): number {
    let slot = low & this.#mask
    while (!this.#isEmpty(slot)) slot = (slot + 1) & this.#mask
    const stride = this.#stride
    this.#hashes[slot * stride * 2] = high
    this.#hashes[slot * stride * 2 + 1] = low
    return slot * stride + 1
  }

  #removeSlot(slot: number): void {
    const stride = this.#stride
    this.size--
    let hole = slot
    // Whatever was pushed past the hole moves back into it, so that no search stops in front of it.
    for (let next = (hole + 1) & this.#mask; !this.#isEmpty(next); next = (next + 1) & this.#mask) {
      const home = (this.#hashes[next * stride * 2 + 1] ?? 0) & this.#mask
      if (((next - home) & this.#mask) < ((next - hole) & this.#mask)) continue
      this.cells.copyWithin(hole * stride, next * stride, (next + 1) * stride)
      hole = next
    }
    this.cells.fill(0, hole * stride, (hole + 1) * stride)
  }

  #resize(slotCount: number): void {
    const { cells } = this
    const hashes = this.#hashes
    const stride = this.#stride
    this.cells = new Float64Array(slotCount * stride)
    this.#hashes = new Int32Array(this.cells.buffer)
    this.#mask = slotCount - 1
    this.#hand &= this.#mask
    for (let from = 0; from < cells.length; from += stride) {
      const high = hashes[from * 2] ?? 0
      const low = hashes[from * 2 + 1] ?? 0
      if (high === 0 && low === 0) continue
      const at = this.#place(high, low)
      for (let cell = 0; cell < stride - 1; cell++) this.cells[at + cell] = cells[from + 1 + cell] ?? 0
    }
  }
}
