import type { BucketState, LimitDecision } from './limit.ts'
import type { SharedTable } from './shared-table.ts'

/** What one check of a request wants of one bucket. */
export interface SharedWant {
  readonly table: SharedTable
  /** Where the bucket's set begins. */
  readonly set: number
  readonly high: number
  readonly low: number
  readonly cost: number
}

/** A bucket that is wanted, as it would be after the checks so far. Nothing is written yet. */
interface Claim {
  readonly want: SharedWant
  readonly isNew: boolean
  /** The check before this one that names the same bucket. */
  readonly twin: Claim | undefined
  /** A copy of the bucket; twins share it, and so take twice. */
  readonly cells: Float64Array
  /** Where the bucket is or will be. */
  slot: number
  waitMs: number
}

/** Locks the sets of all wants, each once, in an order that is the same for everybody. @returns how to unlock them */
export function lockAll(wants: readonly SharedWant[]): () => void {
  const sorted = [...wants].sort((a, b) => a.table.order - b.table.order || a.set - b.set)
  const held: SharedWant[] = []
  const unlock = (): void => {
    for (const { table, set } of held) table.unlock(set)
  }
  try {
    for (const want of sorted) {
      const last = held.at(-1)
      if (last?.table === want.table && last.set === want.set) continue
      want.table.lock(want.set)
      held.push(want)
    }
  } catch (error) {
    unlock()
    throw error
  }
  return unlock
}

/**
 * Decides about all buckets of a request before anything is taken from any; then takes from all, or from none. Their
 * sets are locked.
 *
 * @param isTaking Whether it takes at all, or only looks.
 */
export function decideAll(wants: readonly SharedWant[], wholeMs: number, isTaking: boolean): LimitDecision {
  const claims: Claim[] = []
  for (const want of wants) claims.push(claimOf(want, claims, wholeMs))
  // Nobody has to make room for a request that is refused anyway.
  if (claims.every(({ waitMs }) => waitMs === 0))
    for (const claim of claims) if (claim.isNew && claim.twin === undefined) findRoom(claim, claims, wholeMs)
  const waitMs = Math.max(...claims.map((claim) => claim.waitMs))
  const isAllowed = waitMs === 0
  if (isAllowed && isTaking) for (const claim of claims) if (claim.twin === undefined) carryOut(claim)
  const buckets = claims.map((claim) => stateOf(claim, isAllowed, wholeMs))
  const remaining = isAllowed ? Math.min(...buckets.map((bucket) => bucket.remaining)) : 0
  return { allowed: isAllowed, remaining, retryAfterMs: waitMs, buckets }
}

function claimOf(want: SharedWant, earlier: readonly Claim[], wholeMs: number): Claim {
  const { table, set, high, low, cost } = want
  const { policy, algorithm } = table
  const twin = earlier.find((claim) => claim.twin === undefined && isSame(claim.want, want))
  const slot = table.find(set, high, low)
  const cells = twin?.cells ?? new Float64Array(algorithm.cellCount)
  if (twin === undefined && slot >= 0) copyOut({ table, set }, slot, cells)
  const waitMs = algorithm.waitMs(policy, cells, 0, wholeMs, cost)
  if (waitMs === 0) algorithm.take(policy, cells, 0, wholeMs, cost)
  return { want, isNew: slot < 0, twin, cells, slot, waitMs }
}

function copyOut({ table, set }: Pick<SharedWant, 'table' | 'set'>, slot: number, into: Float64Array): void {
  const at = table.cellOf(set, slot)
  into.set(table.cells.subarray(at, at + table.algorithm.cellCount))
}

function findRoom(claim: Claim, claims: readonly Claim[], wholeMs: number): void {
  const { table, set } = claim.want
  // Neither a bucket of this request, which must not be pushed out as little used, nor a slot that it takes already.
  const kept = claims
    .filter(({ want, slot }) => want.table === table && want.set === set && slot >= 0)
    .map(({ slot }) => slot)
  const room = table.roomIn(set, wholeMs, kept)
  if (room < 0) claim.waitMs = -room
  else claim.slot = room
}

function carryOut({ want, isNew, slot, cells }: Claim): void {
  const { table, set } = want
  if (isNew) table.place(set, slot, want)
  table.cells.set(cells, table.cellOf(set, slot))
}

function stateOf({ want, isNew, twin, cells, slot, waitMs }: Claim, isAllowed: boolean, wholeMs: number) {
  const { table, set } = want
  const { policy, algorithm } = table
  const now = isAllowed ? cells : new Float64Array(algorithm.cellCount)
  if (!isAllowed && slot >= 0 && !isNew) copyOut({ table, set }, slot, now)
  const isRoomless = (twin?.isNew ?? isNew) && waitMs > 0
  const state: BucketState = {
    policy,
    remaining: isRoomless ? 0 : algorithm.remaining(policy, now, 0, wholeMs),
    waitMs: isAllowed ? algorithm.waitMs(policy, now, 0, wholeMs, 1) : waitMs,
  }
  return state
}

function isSame(a: SharedWant, b: SharedWant): boolean {
  return a.table === b.table && a.high === b.high && a.low === b.low
}
