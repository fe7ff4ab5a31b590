import { assert } from '../base/index.ts'
import { assertCost } from './cost.ts'
import { KeyHash } from './key-hash.ts'
import type { LimitCheck, LimitDecision, LimitStore } from './limit.ts'
import { defaultKeyCount, type MemoryStoreOptions } from './memory-store.ts'
import type { LimitPolicy } from './policy.ts'
import { decideAll, lockAll, type SharedWant } from './shared-claims.ts'
import type { SharedMemory } from './shared-memory.ts'
import { SharedPlaces } from './shared-places.ts'
import { SharedTable } from './shared-table.ts'
import { wholeTimeMs } from './whole-time.ts'

/** How a shared store is made. */
export interface SharedStoreOptions extends MemoryStoreOptions {
  readonly memory: SharedMemory
  /** For tests; the clock of the machine unless given, because each thread has another idea of when it began. */
  readonly nowMs?: () => number
}

/**
 * Buckets in memory that the threads of a group share: together they admit exactly what one of them alone would. A
 * decision asks nobody and waits for nobody but for another decision about the same few buckets.
 *
 * It promises what `memoryStore` does: a bound on memory, all or nothing for the checks of a request, and no flood of
 * new keys pushes out a bucket that refuses. The bound is one for each set of sixteen buckets: a new key is refused
 * when all sixteen that share its place refuse.
 *
 * @see docs/decisions/0021-workers-share-memory.md; OWASP ASVS 5.0 §2.4.1, §15.2.2, §15.4.1
 */
export function sharedStore(options: SharedStoreOptions): LimitStore {
  return new SharedStore(options)
}

class SharedStore implements LimitStore {
  readonly #keyCount: number
  readonly #memory: SharedMemory
  readonly #nowMs: () => number
  readonly #hash: KeyHash
  // One for each policy of the configuration; requests cannot add any.
  readonly #tables = new Map<string, SharedTable>()
  #lastPolicy: LimitPolicy | undefined
  #lastTable: SharedTable | undefined

  constructor({ memory, keyCount = defaultKeyCount, nowMs = machineClock() }: SharedStoreOptions) {
    this.#memory = memory
    this.#keyCount = keyCount
    this.#nowMs = nowMs
    this.#hash = new KeyHash(memory.hashSecret)
  }

  consume(checks: readonly LimitCheck[]): LimitDecision {
    const wholeMs = wholeTimeMs(this.#nowMs())
    const [first] = checks
    if (checks.length === 1 && first !== undefined) return this.#consumeOne(first, wholeMs)
    return this.#decide(checks, wholeMs, true)
  }

  refund(checks: readonly LimitCheck[]): void {
    for (const { table, set, high, low, cost } of this.#wantsOf(checks)) {
      table.lock(set)
      try {
        const slot = table.find(set, high, low)
        if (slot >= 0) table.algorithm.refund(table.policy, table.cells, table.cellOf(set, slot), cost)
      } finally {
        table.unlock(set)
      }
    }
  }

  refusedMs(checks: readonly LimitCheck[]): number {
    return this.#decide(checks, wholeTimeMs(this.#nowMs()), false).retryAfterMs
  }

  placesFor(name: string): SharedPlaces {
    return new SharedPlaces(name, this.#memory)
  }

  async close(): Promise<void> {}

  /** What nearly every request needs. The same as for many, but nothing is copied. */
  #consumeOne({ policy, key, cost = 1 }: LimitCheck, wholeMs: number): LimitDecision {
    const table = this.#tableOf(policy)
    const { algorithm, cells } = table
    assertCost(policy, cost)
    this.#hash.read(key)
    const { high, low } = this.#hash
    const set = table.setOf(high)
    table.lock(set)
    try {
      let slot = table.find(set, high, low)
      if (slot < 0) {
        slot = table.roomIn(set, wholeMs, [])
        if (slot < 0) return noRoom(policy, -slot)
        table.place(set, slot, this.#hash)
      }
      const at = table.cellOf(set, slot)
      const refusedMs = algorithm.waitMs(policy, cells, at, wholeMs, cost)
      const allowed = refusedMs === 0
      if (allowed) algorithm.take(policy, cells, at, wholeMs, cost)
      const remaining = algorithm.remaining(policy, cells, at, wholeMs)
      // One that is left does not have to wait.
      const nextMs = remaining > 0 ? 0 : algorithm.waitMs(policy, cells, at, wholeMs, 1)
      const buckets = [{ policy, remaining, waitMs: allowed ? nextMs : refusedMs }]
      return { allowed, remaining: allowed ? remaining : 0, retryAfterMs: refusedMs, buckets }
    } finally {
      table.unlock(set)
    }
  }

  #decide(checks: readonly LimitCheck[], wholeMs: number, isTaking: boolean): LimitDecision {
    const wants = this.#wantsOf(checks)
    const unlock = lockAll(wants)
    try {
      return decideAll(wants, wholeMs, isTaking)
    } finally {
      unlock()
    }
  }

  #wantsOf(checks: readonly LimitCheck[]): SharedWant[] {
    assert(checks.length > 0, 'a request is counted somewhere')
    const group = checks[0]?.policy.group
    return checks.map(({ policy, key, cost = 1 }) => {
      assert(policy.group === group, 'the checks of a request are of one group')
      assertCost(policy, cost)
      this.#hash.read(key)
      const { high, low } = this.#hash
      const table = this.#tableOf(policy)
      return { table, set: table.setOf(high), high, low, cost }
    })
  }

  #tableOf(policy: LimitPolicy): SharedTable {
    // Most requests are of the class of the one before.
    if (policy === this.#lastPolicy && this.#lastTable !== undefined) return this.#lastTable
    const table = this.#tables.get(policy.id) ?? new SharedTable(policy, this.#keyCount, this.#memory)
    this.#tables.set(policy.id, table)
    this.#lastPolicy = policy
    this.#lastTable = table
    return table
  }
}

function noRoom(policy: LimitPolicy, waitMs: number): LimitDecision {
  return { allowed: false, remaining: 0, retryAfterMs: waitMs, buckets: [{ policy, remaining: 0, waitMs }] }
}

/**
 * Milliseconds since the machine has started: the same in every thread. `performance.now()` counts from the start of
 * its thread, and the time of day at which that was may have been set meanwhile.
 */
function machineClock(): () => number {
  const nsPerMs = 1e6
  const originMs = Number(process.hrtime.bigint()) / nsPerMs - performance.now()
  return () => originMs + performance.now()
}
