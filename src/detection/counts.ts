/** Turns a text into a number of 53 bits. */
export type Hasher = (text: string) => number

const sliceCount = 12

/**
 * How many signals there were within a window, in twelve slices of it: exact for what is younger than eleven twelfths
 * of the window, and its size does not depend on how many there were.
 */
export class SignalSlices {
  readonly size = 0
  readonly #sliceMs: number
  readonly #slices: number[] = Array.from({ length: sliceCount }, () => 0)
  #last = 0

  constructor(windowMs: number) {
    this.#sliceMs = windowMs / sliceCount
  }

  add(_hash: number, atMs: number): void {
    const slice = this.#moveTo(atMs)
    const place = slice % sliceCount
    this.#slices[place] = (this.#slices[place] ?? 0) + 1
  }

  at(nowMs: number): number {
    this.#moveTo(nowMs)
    return this.#slices.reduce((sum, count) => sum + count, 0)
  }

  /** Empties the slices that have gone by. A clock that goes back counts as standing. */
  #moveTo(nowMs: number): number {
    const slice = Math.max(this.#last, Math.floor(nowMs / this.#sliceMs))
    const gone = Math.min(sliceCount, slice - this.#last)
    for (let step = 0; step < gone; step++) this.#slices[(slice - step) % sliceCount] = 0
    this.#last = slice
    return slice
  }
}

/**
 * How many different values there were within a window, of which it remembers the latest. They are numbers of 53 bits
 * under a key of this process, so nobody can send values that count as one.
 */
export class DistinctValues {
  readonly #windowMs: number
  readonly #mostCount: number
  // In the order of when they were last seen.
  readonly #seenMs = new Map<number, number>()

  constructor(windowMs: number, mostCount: number) {
    this.#windowMs = windowMs
    this.#mostCount = mostCount
  }

  get size(): number {
    return this.#seenMs.size
  }

  /** Whether there may be more than it can remember. */
  get isFull(): boolean {
    return this.#seenMs.size >= this.#mostCount
  }

  add(hash: number, atMs: number): void {
    this.#seenMs.delete(hash)
    this.#seenMs.set(hash, atMs)
    this.#forgetOld(atMs)
    if (this.#seenMs.size <= this.#mostCount) return
    const [oldest] = this.#seenMs.keys()
    if (oldest !== undefined) this.#seenMs.delete(oldest)
  }

  at(nowMs: number): number {
    // What is only read stays counted by its tally until it is written again.
    let old = 0
    for (const seenMs of this.#seenMs.values()) {
      if (seenMs > nowMs - this.#windowMs) break
      old += 1
    }
    return this.#seenMs.size - old
  }

  #forgetOld(nowMs: number): void {
    for (const [hash, seenMs] of this.#seenMs) {
      if (seenMs > nowMs - this.#windowMs) return
      this.#seenMs.delete(hash)
    }
  }
}

/** A hash of 53 bits under a seed: two rounds of multiplication that mix each other (cyrb53). */
export function hasherOf(seed: Uint8Array): Hasher {
  const words = new DataView(seed.buffer, seed.byteOffset)
  const [first, second] = [words.getUint32(0), words.getUint32(4)]
  return (text) => {
    let high = 0xdeadbeef ^ first
    let low = 0x41c6ce57 ^ second
    for (let index = 0; index < text.length; index++) {
      const unit = text.charCodeAt(index)
      high = Math.imul(high ^ unit, 2_654_435_761)
      low = Math.imul(low ^ unit, 1_597_334_677)
    }
    high = Math.imul(high ^ (high >>> 16), 2_246_822_507) ^ Math.imul(low ^ (low >>> 13), 3_266_489_909)
    low = Math.imul(low ^ (low >>> 16), 2_246_822_507) ^ Math.imul(high ^ (high >>> 13), 3_266_489_909)
    return 4_294_967_296 * (2_097_151 & low) + (high >>> 0)
  }
}
