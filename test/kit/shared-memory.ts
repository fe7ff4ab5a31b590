import { strict as assert } from 'node:assert'
import {
  type LimitCheck,
  type LimitDecision,
  type SharedMemory,
  sharedStore,
} from '../../src/limits/index.ts'
import { startMs } from './limits.ts'

/** What the threads of a group share, for several stores in one thread. */
export class TestMemory {
  readonly #regions = new Map<string, { readonly buffer: SharedArrayBuffer; readonly order: number }>()
  readonly #gone = new Set<number>()
  #lastHolder = 0

  /** What the next thread sees. */
  thread(seat = 0, seatCount = 4): SharedMemory {
    this.#lastHolder += 1
    return {
      holder: this.#lastHolder,
      seat,
      seatCount,
      hashSecret: Buffer.alloc(16, 7),
      isGone: (holder) => this.#gone.has(holder),
      region: (name, byteCount) => {
        const order = this.#regions.size
        const region = this.#regions.get(name) ?? { buffer: new SharedArrayBuffer(byteCount), order }
        this.#regions.set(name, region)
        return region
      },
    }
  }

  /** A thread has died. */
  kill({ holder }: SharedMemory): void {
    this.#gone.add(holder)
  }

  /** The only region whose name begins so, as words. */
  words(start: string): Int32Array {
    const found = [...this.#regions].filter(([name]) => name.startsWith(start))
    const [only] = found
    assert(only !== undefined && found.length === 1, `one region is named ${start}`)
    return new Int32Array(only[1].buffer)
  }
}

/** A shared store under a clock that the test sets. */
export function sharedStoreOf(memory: SharedMemory, keyCount = 1_000) {
  let nowMs = startMs
  const store = sharedStore({ memory, keyCount, nowMs: () => nowMs })
  const at = <T>(atMs: number, act: () => T): T => {
    nowMs = atMs
    return act()
  }
  const consume = (checks: readonly LimitCheck[], atMs = startMs): LimitDecision => {
    const decision = at(atMs, () => store.consume(checks, atMs))
    assert(!(decision instanceof Promise), 'the shared store answers without waiting')
    return decision
  }
  return { store, consume, at }
}
