import { assert } from '../base/index.ts'
import { unguessableBytes } from '../crypto/index.ts'
import type { Algorithm } from './algorithm.ts'
import type { BucketSegment } from './bucket-segment.ts'
import { BucketTable, maxKeyCount } from './bucket-table.ts'
import { carryOut, decisionOf, planOf, type Wanted } from './claims.ts'
import { assertCost } from './cost.ts'
import { KeyHash } from './key-hash.ts'
import type { LimitCheck, LimitDecision, LimitStore } from './limit.ts'
import type { LimitPolicy } from './policy.ts'
import { wholeTimeMs } from './whole-time.ts'

/** How many buckets of one policy a store remembers unless it is told. */
export const defaultKeyCount = 250_000

/** How a memory store is made. */
export interface MemoryStoreOptions {
  /**
   * The most buckets of one policy, up to 16,777,216; 250,000 unless given. That many take about 8 MB, and 46 MB where
   * the algorithm is a sliding window; fewer take less.
   */
  readonly keyCount?: number
}

/**
 * Buckets in this process's memory. Bounded, because whoever sends the requests picks the keys: each policy has a table
 * of its own, so a flood on one class costs the others nothing.
 *
 * When a table is full, buckets that are full again go first, then the least used one of a sample of sixteen. A bucket
 * that is refusing never goes: if all near the new key are, it is refused until one of them is not. So no flood of new
 * keys lets a caller who was refused try again. Refusing means that not even a request of cost 1 would pass.
 *
 * A bucket is known by a 64-bit hash of its key, under a secret of this store (see {@link KeyHash}).
 *
 * @example memoryStore({ keyCount: 1_000_000 })
 * @see OWASP ASVS 5.0 §2.4.1, §15.2.2
 */
export function memoryStore(options: MemoryStoreOptions = {}): LimitStore {
  return new MemoryStore(options)
}

/** A bucket that is there. */
interface Found {
  readonly policy: LimitPolicy
  readonly algorithm: Algorithm
  readonly segment: BucketSegment
  readonly at: number
  readonly cost: number
  readonly waitMs: number
}

class MemoryStore implements LimitStore {
  readonly #keyCount: number
  readonly #hash = new KeyHash(unguessableBytes(16))
  // One for each policy of the configuration; requests cannot add any.
  readonly #tables = new Map<string, BucketTable>()
  #lastPolicy: LimitPolicy | undefined
  #lastTable: BucketTable | undefined

  constructor({ keyCount = defaultKeyCount }: MemoryStoreOptions) {
    assert(Number.isSafeInteger(keyCount) && keyCount > 0, 'a store holds a whole number of keys above zero')
    assert(keyCount <= maxKeyCount, 'a store holds at most 16,777,216 keys of a policy')
    this.#keyCount = keyCount
  }

  consume(checks: readonly LimitCheck[], nowMs: number): LimitDecision {
    const wholeMs = wholeTimeMs(nowMs)
    const [first] = checks
    if (checks.length === 1 && first !== undefined) {
      const decision = this.#consumeOne(first, wholeMs)
      if (decision !== undefined) return decision
    }
    const known = checks.length > 1 ? this.#consumeKnown(checks, wholeMs) : undefined
    if (known !== undefined) return known
    const wanted = this.#wantedOf(checks)
    for (const { table, high, low } of wanted)
      if (table.segmentOf(high).find(high, low) < 0) table.clear(high, wholeMs)
    const plan = planOf(wanted, wholeMs)
    if (plan.waitMs === 0) carryOut(plan)
    return decisionOf(plan, wholeMs)
  }

  refund(checks: readonly LimitCheck[], nowMs: number): void {
    wholeTimeMs(nowMs)
    for (const { table, cost, high, low } of this.#wantedOf(checks)) {
      const segment = table.segmentOf(high)
      const at = segment.find(high, low)
      if (at < 0) continue
      table.algorithm.refund(table.policy, segment.cells, at, cost)
      segment.expect(at)
      segment.refusingUntilMs = 0
    }
  }

  refusedMs(checks: readonly LimitCheck[], nowMs: number): number {
    return planOf(this.#wantedOf(checks), wholeTimeMs(nowMs)).waitMs
  }

  async close(): Promise<void> {}

  /**
   * What nearly every request needs: one bucket that is there, or has room. The same as for many, but nothing is copied.
   */
  #consumeOne(check: LimitCheck, wholeMs: number): LimitDecision | undefined {
    const { policy, cost = 1 } = check
    const table = this.#tableOf(policy)
    const { algorithm } = table
    assertCost(policy, cost)
    this.#hash.read(check.key)
    const { high, low } = this.#hash
    let segment = table.segmentOf(high)
    let at = segment.find(high, low)
    const isNew = at < 0
    if (isNew) {
      table.clear(high, wholeMs)
      if (table.excess(1) > 0) return undefined
      segment = table.insert(this.#hash)
      at = segment.find(high, low)
    }
    const { cells } = segment
    const refusedMs = algorithm.waitMs(policy, cells, at, wholeMs, cost)
    const allowed = refusedMs === 0
    if (allowed) algorithm.take(policy, cells, at, wholeMs, cost)
    if (isNew) segment.expect(at)
    const remaining = algorithm.remaining(policy, cells, at, wholeMs)
    // One that is left does not have to wait.
    const nextMs = remaining > 0 ? 0 : algorithm.waitMs(policy, cells, at, wholeMs, 1)
    const waitMs = allowed ? nextMs : refusedMs
    const buckets = [{ policy, remaining, waitMs }]
    return { allowed, remaining: allowed ? remaining : 0, retryAfterMs: refusedMs, buckets }
  }

  /**
   * The same for several buckets, where all are there and no two are one: nothing has to make room, so what is decided
   * can be done in place. `undefined` for any other request, with nothing done.
   */
  #consumeKnown(checks: readonly LimitCheck[], wholeMs: number): LimitDecision | undefined {
    const found: Found[] = []
    let waitMs = 0
    for (const { policy, key, cost = 1 } of checks) {
      assertCheck(policy, cost, checks)
      const { algorithm } = this.#tableOf(policy)
      const segment = this.#segmentOf(policy, key)
      const at = segment.find(this.#hash.high, this.#hash.low)
      if (at < 0 || found.some((other) => other.segment === segment && other.at === at)) return undefined
      const one = { policy, algorithm, segment, at, cost, waitMs: 0 }
      one.waitMs = algorithm.waitMs(policy, segment.cells, at, wholeMs, cost)
      if (one.waitMs > waitMs) waitMs = one.waitMs
      found.push(one)
    }
    const allowed = waitMs === 0
    let least = Number.POSITIVE_INFINITY
    const buckets = found.map((one) => {
      const { policy, algorithm, at, cost } = one
      const { cells } = one.segment
      if (allowed) algorithm.take(policy, cells, at, wholeMs, cost)
      const remaining = algorithm.remaining(policy, cells, at, wholeMs)
      if (remaining < least) least = remaining
      // One that is left does not have to wait.
      const nextMs = remaining > 0 ? 0 : algorithm.waitMs(policy, cells, at, wholeMs, 1)
      return { policy, remaining, waitMs: allowed ? nextMs : one.waitMs }
    })
    return { allowed, remaining: allowed ? least : 0, retryAfterMs: waitMs, buckets }
  }

  #segmentOf(policy: LimitPolicy, key: string): BucketSegment {
    this.#hash.read(key)
    return this.#tableOf(policy).segmentOf(this.#hash.high)
  }

  #wantedOf(checks: readonly LimitCheck[]): Wanted[] {
    assert(checks.length > 0 && checks.length <= this.#keyCount, 'a request is counted somewhere')
    return checks.map(({ policy, key, cost = 1 }) => {
      assertCheck(policy, cost, checks)
      this.#hash.read(key)
      const { high, low } = this.#hash
      return { table: this.#tableOf(policy), high, low, cost }
    })
  }

  #tableOf(policy: LimitPolicy): BucketTable {
    // Most requests are of the class of the one before.
    if (policy === this.#lastPolicy && this.#lastTable !== undefined) return this.#lastTable
    const table = this.#tables.get(policy.id) ?? new BucketTable(policy, this.#keyCount)
    this.#tables.set(policy.id, table)
    this.#lastPolicy = policy
    this.#lastTable = table
    return table
  }
}

function assertCheck(policy: LimitPolicy, cost: number, [first]: readonly LimitCheck[]): void {
  assert(policy.group === first?.policy.group, 'the checks of a request are of one group')
  assertCost(policy, cost)
}
