import { assert } from '../base/index.ts'

/** Counts what is under way, for each key. */
export interface Places {
  /** Takes a place; `false` when all are taken. */
  enter(key: string, maxCount: number): boolean
  /** Gives a place back. */
  leave(key: string): void
}

/**
 * Counts what is under way, for each key. It holds no more keys than requests are under way, and those the server
 * bounds by its connections.
 */
export class Concurrency implements Places {
  readonly #underWay = new Map<string, number>()

  enter(key: string, maxCount: number): boolean {
    const count = this.#underWay.get(key) ?? 0
    if (count >= maxCount) return false
    this.#underWay.set(key, count + 1)
    return true
  }

  leave(key: string): void {
    const count = this.#underWay.get(key)
    assert(count !== undefined, 'whoever leaves has entered')
    if (count === 1) this.#underWay.delete(key)
    else this.#underWay.set(key, count - 1)
  }

  /** How many keys have something under way. */
  get size(): number {
    return this.#underWay.size
  }
}
