import { assert } from '../base/index.ts'
import { type Algorithm, algorithmOf } from './algorithm.ts'
import { type BucketName, BucketSegment } from './bucket-segment.ts'
import type { LimitPolicy } from './policy.ts'

// Enough for 16 million buckets in segments that are half full.
const maxDepth = 20
/** The most buckets of one policy. */
export const maxKeyCount = 2 ** 24
// Looked at for each new key. More than four for each new one, so that a table is clean before it has doubled.
const clearedSlotCount = 8

/**
 * The buckets of one policy, at most `keyCount` of them. Extendible hashing: a directory finds the segment by the first
 * bits of the hash, and a segment that is full splits alone. So a million new keys never make a request wait for a
 * table to be built anew, and a small table is small.
 *
 * @see R. Fagin et al., Extendible Hashing (1979)
 */
export class BucketTable {
  readonly policy: LimitPolicy
  readonly algorithm: Algorithm
  readonly #keyCount: number
  #count = 0
  #depth = 0
  #directory: BucketSegment[]

  constructor(policy: LimitPolicy, keyCount: number) {
    // A policy that somebody made by hand: with NaN in it, nothing would ever be over the limit (ASVS 16.5.3).
    assert(policy.burst > 0 && policy.intervalMs > 0, 'a policy comes from policyOf')
    assert(policy.count > 0 && policy.windowSeconds > 0, 'a policy comes from policyOf')
    this.policy = policy
    this.algorithm = algorithmOf(policy)
    this.#keyCount = keyCount
    this.#directory = [new BucketSegment(policy, this.algorithm, 0)]
  }

  /** How many buckets it holds. */
  get count(): number {
    return this.#count
  }

  /** Where a bucket is, if it is anywhere. */
  segmentOf(high: number): BucketSegment {
    const segment = this.#directory[this.#placeOf(high)]
    assert(segment !== undefined, 'the directory has no holes')
    return segment
  }

  /** Makes room for a new key, as far as that takes nothing from anybody. */
  clear(high: number, wholeMs: number): void {
    const segment = this.segmentOf(high)
    const before = segment.size
    segment.clear(wholeMs, this.#count < this.#keyCount ? clearedSlotCount : Number.POSITIVE_INFINITY)
    this.#count += segment.size - before
  }

  /** How many buckets must be forgotten for so many new ones. */
  excess(newCount: number): number {
    return this.#count + newCount - this.#keyCount
  }

  /**
   * The bucket to forget for a new one, near where that will be; or, if all there refuse, the milliseconds until the
   * first of them does not.
   *
   * @param kept Those that must stay; fewer than `keyCount`.
   */
  leastUsed(high: number, wholeMs: number, kept: readonly BucketName[]): BucketName | number {
    const segmentCount = this.#directory.length
    const start = this.#placeOf(high)
    for (let step = 0; step < segmentCount; step++) {
      const segment = this.#directory[(start + step) % segmentCount]
      if (segment === undefined) continue
      if (segment.refusingUntilMs > wholeMs) return segment.refusingUntilMs - wholeMs
      const found = segment.leastUsed(wholeMs, kept)
      if (found !== undefined) return found
      const waitMs = segment.refusalMs(wholeMs, kept)
      // Here is nothing but what has to stay. Segments that do not have as much as the others are very rare.
      if (waitMs === Number.POSITIVE_INFINITY) continue
      // Whoever makes all of them refuse cannot make every new key look through them again.
      if (kept.length === 0) segment.refusingUntilMs = wholeMs + waitMs
      return waitMs
    }
    assert(false, 'a table has more buckets than one request')
  }

  /** Forgets a bucket. */
  remove(name: BucketName): void {
    const segment = this.segmentOf(name.high)
    const before = segment.size
    segment.remove(name)
    this.#count += segment.size - before
  }

  /** Makes a new, empty bucket. @returns where it is */
  insert({ high, low }: BucketName): BucketSegment {
    assert(this.#count < this.#keyCount, 'a table has a bound')
    while (this.segmentOf(high).isFull()) this.#split(high)
    const segment = this.segmentOf(high)
    segment.insert(high, low)
    this.#count++
    return segment
  }

  #placeOf(high: number): number {
    // In two steps, because a shift by 32 is one by 0.
    return (high >>> 1) >>> (31 - this.#depth)
  }

  #split(high: number): void {
    const segment = this.segmentOf(high)
    if (segment.depth === this.#depth) {
      assert(this.#depth < maxDepth, 'hashes are spread evenly')
      this.#directory = this.#directory.flatMap((one) => [one, one])
      this.#depth++
    }
    const sibling = segment.split()
    const prefix = ((high >>> 1) >>> (31 - sibling.depth)) | 1
    const span = 1 << (this.#depth - sibling.depth)
    this.#directory.fill(sibling, prefix * span, (prefix + 1) * span)
  }
}
