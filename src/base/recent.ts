/**
 * What was looked up lately, by name. Two halves take turns: when the younger is full the older is dropped, so that it is
 * bounded, whoever chooses the names, and nothing is ever searched for.
 *
 * @example
 * const keys = new Recent<string>(10_000)
 * keys.find(address) ?? keys.put(address, keyOf(address))
 */
export class Recent<Value> {
  readonly #halfMaxCount: number
  #young = new Map<string, Value>()
  #old = new Map<string, Value>()

  /** @param maxCount How many are remembered at most. */
  constructor(maxCount: number) {
    this.#halfMaxCount = Math.max(1, maxCount >> 1)
  }

  find(name: string): Value | undefined {
    const young = this.#young.get(name)
    if (young !== undefined) return young
    const old = this.#old.get(name)
    if (old !== undefined) this.put(name, old)
    return old
  }

  /** @returns the value */
  put(name: string, value: Value): Value {
    if (this.#young.size >= this.#halfMaxCount) {
      this.#old = this.#young
      this.#young = new Map()
    }
    this.#young.set(name, value)
    return value
  }

  clear(): void {
    this.#young = new Map()
    this.#old = new Map()
  }
}
