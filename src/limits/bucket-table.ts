import { assert } from '../base/index.ts'

interface Bucket {
  readonly key: string
  /** The moment from which it is full again, and says nothing that a new one would not. */
  arrivalMs: number
  /** Its place in the heap. */
  place: number
}

// Each new key clears away up to two that are full again, so that the table shrinks after a flood, without a timer and
// without ever stopping to sweep.
const clearedCount = 2

/**
 * The buckets of one limit class, at most `keyCount` of them, ordered by the moment from which they are full again.
 *
 * The order decides what goes when the table is full: first the buckets that are full again, which nobody will miss,
 * then the one that has given the least. To push a bucket out, an attacker must therefore use up as much of `keyCount`
 * others. A heap: a hit or a new key takes at most log2(keyCount) steps, 17 for 100,000, and usually one or two.
 */
export class BucketTable {
  readonly #keyCount: number
  readonly #byKey = new Map<string, Bucket>()
  readonly #heap: Bucket[] = []

  constructor(keyCount: number) {
    this.#keyCount = keyCount
  }

  /** How many buckets it holds. */
  get size(): number {
    return this.#heap.length
  }

  /** The bucket of a key; `undefined` when it has none. */
  find(key: string): number | undefined {
    return this.#byKey.get(key)?.arrivalMs
  }

  /**
   * The last bucket that so many new keys would push out, leaving out the `kept` ones; `undefined` while there is room.
   */
  nextOut(newCount: number, kept: readonly string[]): number | undefined {
    let outCount = this.size + newCount - this.#keyCount
    if (outCount <= 0) return undefined
    // The smallest are found from the top of the heap down: behind each one only its two children can come next.
    const frontier = [0]
    for (;;) {
      const next = frontier.reduce((a, b) => (this.#at(b).arrivalMs < this.#at(a).arrivalMs ? b : a))
      const { key, arrivalMs } = this.#at(next)
      if (!kept.includes(key) && --outCount === 0) return arrivalMs
      const children = [next * 2 + 1, next * 2 + 2].filter((place) => place < this.size)
      frontier.splice(frontier.indexOf(next), 1, ...children)
    }
  }

  /** Stores a bucket, which is never less used than before. */
  put(key: string, arrivalMs: number, nowMs: number): void {
    const known = this.#byKey.get(key)
    if (known !== undefined) {
      assert(arrivalMs >= known.arrivalMs, 'a bucket is only taken from')
      known.arrivalMs = arrivalMs
      this.#sink(known)
      return
    }
    for (let cleared = 0; cleared < clearedCount && this.size > 0; cleared++) {
      if (this.#at(0).arrivalMs > nowMs) break
      this.#removeFirst()
    }
    while (this.size >= this.#keyCount) this.#removeFirst()
    // A copy: a key cut out of a header would otherwise keep the whole header in memory (Node 24 does, 26 does not).
    const own = Buffer.from(key, 'latin1').toString('latin1')
    const bucket = { key: own, arrivalMs, place: this.size }
    this.#heap.push(bucket)
    this.#byKey.set(own, bucket)
    this.#rise(bucket)
  }

  #removeFirst(): void {
    const first = this.#at(0)
    const last = this.#at(this.size - 1)
    this.#heap.pop()
    this.#byKey.delete(first.key)
    if (first === last) return
    this.#set(0, last)
    this.#sink(last)
  }

  #rise(bucket: Bucket): void {
    while (bucket.place > 0) {
      const place = bucket.place
      const parent = this.#at((place - 1) >> 1)
      if (parent.arrivalMs <= bucket.arrivalMs) return
      this.#set(parent.place, bucket)
      this.#set(place, parent)
    }
  }

  #sink(bucket: Bucket): void {
    for (;;) {
      const { place } = bucket
      const left = place * 2 + 1
      if (left >= this.size) return
      const isRightLess = left + 1 < this.size && this.#at(left + 1).arrivalMs < this.#at(left).arrivalMs
      const child = this.#at(isRightLess ? left + 1 : left)
      if (bucket.arrivalMs <= child.arrivalMs) return
      this.#set(child.place, bucket)
      this.#set(place, child)
    }
  }

  #at(place: number): Bucket {
    const bucket = this.#heap[place]
    assert(bucket !== undefined, 'the heap has no holes')
    return bucket
  }

  #set(place: number, bucket: Bucket): void {
    this.#heap[place] = bucket
    bucket.place = place
  }
}
