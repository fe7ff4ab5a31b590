/**
 * How many nodes share the limits. More are believed at once, fewer only after `holdMs`: right after Redis has come
 * back empty, the first node there sees itself alone, and would take the whole limit at the next outage.
 */
export class NodeCount {
  readonly #leastCount: number
  readonly #holdMs: number
  #count: number
  #confirmedMs = 0

  constructor(leastCount: number, holdMs: number) {
    this.#leastCount = leastCount
    this.#holdMs = holdMs
    this.#count = leastCount
  }

  get count(): number {
    return this.#count
  }

  /** So many were seen. */
  seen(seenCount: number, atMs: number): void {
    const count = Math.max(this.#leastCount, seenCount)
    if (count < this.#count && atMs - this.#confirmedMs < this.#holdMs) return
    this.#count = count
    this.#confirmedMs = atMs
  }

  /** Nobody could be seen meanwhile, so what was last known holds from here on. */
  hold(atMs: number): void {
    this.#confirmedMs = atMs
  }
}
