import { assert } from '../base/index.ts'
import { sha256 } from '../crypto/index.ts'
import { BucketTable } from './bucket-table.ts'
import { standing } from './gcra.ts'
import type { BucketState, LimitCheck, LimitDecision, LimitStore } from './limit.ts'

const defaultKeyCount = 100_000

/** A check with its bucket looked up. */
interface Claim {
  readonly check: LimitCheck
  readonly table: BucketTable
  readonly key: string
  readonly isNew: boolean
  /** The bucket as found, or as an earlier check of the same request leaves it. */
  readonly arrivalMs: number
  readonly nextArrivalMs: number
  readonly waitMs: number
}

/**
 * Buckets in this process's memory. Bounded, because whoever sends the requests picks the keys: each limit class has a
 * table of its own, so a flood on one class costs the others nothing.
 *
 * When a table is full, buckets that are full again go first, then the one that has given the least. A bucket that is
 * refusing never goes: if all are, a new key is refused until one of them is not. So no flood of new keys lets a
 * caller who was refused try again, and forgetting one who is near the limit takes `keyCount` others as near.
 *
 * @param keyCount The most buckets of one class; 100,000 unless given, about 20 MB when all are in use.
 * @see OWASP ASVS 5.0 §2.4.1, §15.2.2
 */
export function memoryStore(keyCount: number = defaultKeyCount): LimitStore {
  assert(Number.isSafeInteger(keyCount) && keyCount > 0, 'a store holds a whole number of keys above zero')
  // One for each class of the configuration; requests cannot add any.
  const tables = new Map<string, BucketTable>()
  return {
    consume(checks: readonly LimitCheck[], nowMs: number): LimitDecision {
      assert(checks.length > 0 && checks.length <= keyCount, 'a request is counted somewhere')
      const claims: Claim[] = []
      for (const check of checks) claims.push(claimOf(check, claims, tableOf(tables, keyCount, check), nowMs))
      const waits = claims.map((claim) => Math.max(claim.waitMs, roomWaitMs(claim, claims, nowMs)))
      const retryAfterMs = Math.max(...waits)
      const allowed = retryAfterMs === 0
      // Decided for all before anything is written, in one turn of the event loop: no other request comes between.
      if (allowed) commit(claims, nowMs)
      const buckets = claims.map((claim, index) => stateOf(claim, waits[index] ?? 0, allowed, nowMs))
      const remaining = allowed ? Math.min(...buckets.map((bucket) => bucket.remaining)) : 0
      return { allowed, remaining, retryAfterMs, buckets }
    },
  }
}

function tableOf(
  tables: Map<string, BucketTable>,
  keyCount: number,
  { name, limit }: LimitCheck,
): BucketTable {
  const id = `${limit.count}/${limit.windowSeconds} ${name}`
  const known = tables.get(id)
  if (known !== undefined) return known
  const made = new BucketTable(keyCount)
  tables.set(id, made)
  return made
}

function claimOf(check: LimitCheck, earlier: readonly Claim[], table: BucketTable, nowMs: number): Claim {
  const key = boundedKey(check.key)
  // Twice the same bucket in one request takes two.
  const twin = earlier.findLast((claim) => claim.table === table && claim.key === key)
  const found = twin?.nextArrivalMs ?? table.find(key)
  const arrivalMs = found ?? 0
  const { waitMs, nextArrivalMs } = standing(check.limit, arrivalMs, nowMs)
  return { check, table, key, isNew: twin?.isNew ?? found === undefined, arrivalMs, nextArrivalMs, waitMs }
}

/** How long until the table has a place for a new key: 0 unless it is full of buckets that refuse. */
function roomWaitMs({ check, table, isNew }: Claim, claims: readonly Claim[], nowMs: number): number {
  if (!isNew) return 0
  const beside = claims.filter((claim) => claim.table === table)
  const newKeys = new Set(beside.filter((claim) => claim.isNew).map(({ key }) => key))
  const nextOut = table.nextOut(
    newKeys.size,
    beside.map(({ key }) => key),
  )
  return nextOut === undefined ? 0 : standing(check.limit, nextOut, nowMs).waitMs
}

function commit(claims: readonly Claim[], nowMs: number): void {
  // Known keys first: a bucket that this request uses up must not be pushed out as one that is little used.
  for (const { table, key, isNew, nextArrivalMs } of claims) if (!isNew) table.put(key, nextArrivalMs, nowMs)
  for (const { table, key, isNew, nextArrivalMs } of claims) if (isNew) table.put(key, nextArrivalMs, nowMs)
}

function stateOf({ check, ...claim }: Claim, waitMs: number, isTaken: boolean, nowMs: number): BucketState {
  const { name, limit } = check
  if (waitMs > 0) return { name, limit, remaining: 0, waitMs }
  const after = standing(limit, isTaken ? claim.nextArrivalMs : claim.arrivalMs, nowMs)
  return { name, limit, remaining: after.remaining, waitMs: after.waitMs }
}

const plainKey = /^[a-z][\x21-\x7e]{0,63}$/

/** A key of bounded size. What is long or odd is stored as its digest, which no plain key looks like. */
function boundedKey(key: string): string {
  return plainKey.test(key) ? key : `#${sha256(key).toString('base64url')}`
}
