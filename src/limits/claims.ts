import type { BucketName } from './bucket-segment.ts'
import type { BucketTable } from './bucket-table.ts'
import type { BucketState, LimitDecision } from './limit.ts'

/** What one check of a request wants of one bucket. */
export interface Wanted extends BucketName {
  readonly table: BucketTable
  readonly cost: number
}

/** A bucket that is wanted, as it would be after the checks so far. Nothing is written yet. */
interface Claim extends Wanted {
  readonly isNew: boolean
  /** A copy of the bucket; checks of one request that name the same bucket share it, and so take twice. */
  readonly cells: Float64Array
  waitMs: number
}

/** A bucket that has to make room. */
interface Victim extends BucketName {
  readonly table: BucketTable
}

/** What would become of a request. */
export interface Plan {
  readonly claims: readonly Claim[]
  readonly victims: readonly Victim[]
  readonly waitMs: number
}

/** Decides about all buckets of a request before anything is taken from any. */
export function planOf(wanted: readonly Wanted[], wholeMs: number): Plan {
  const claims: Claim[] = []
  for (const want of wanted) claims.push(claimOf(want, claims, wholeMs))
  const victims: Victim[] = []
  // Nothing has to go for a request that is refused anyway.
  if (claims.every(({ waitMs }) => waitMs === 0)) {
    for (const [index, claim] of claims.entries()) {
      if (!claim.isNew || claims.findIndex((other) => isSame(other, claim)) < index) continue
      const found = roomFor(claim, claims.slice(0, index + 1), { claims, victims }, wholeMs)
      if (typeof found === 'number') claim.waitMs = found
      else if (found !== undefined) victims.push(found)
    }
  }
  return { claims, victims, waitMs: Math.max(...claims.map(({ waitMs }) => waitMs)) }
}

/** Does what was decided. In the same turn of the event loop: no other request comes between. */
export function carryOut({ claims, victims }: Plan): void {
  for (const victim of victims) victim.table.remove(victim)
  for (const claim of claims) {
    const { table, high, low, cells } = claim
    const known = table.segmentOf(high)
    const segment = known.find(high, low) < 0 ? table.insert(claim) : known
    const at = segment.find(high, low)
    segment.cells.set(cells, at)
    segment.expect(at)
  }
}

/** What the request is told. After {@link carryOut}, if it is allowed. */
export function decisionOf({ claims, waitMs }: Plan, wholeMs: number): LimitDecision {
  const allowed = waitMs === 0
  const buckets = claims.map((claim): BucketState => {
    const { table, high, low } = claim
    const { policy, algorithm } = table
    const segment = table.segmentOf(high)
    const at = segment.find(high, low)
    const cells = at < 0 ? new Float64Array(algorithm.cellCount) : segment.cells
    const isRoomless = at < 0 && claim.waitMs > 0
    const remaining = isRoomless ? 0 : algorithm.remaining(policy, cells, Math.max(at, 0), wholeMs)
    const nextMs = allowed ? algorithm.waitMs(policy, cells, Math.max(at, 0), wholeMs, 1) : claim.waitMs
    return { policy, remaining, waitMs: nextMs }
  })
  const remaining = allowed ? Math.min(...buckets.map((bucket) => bucket.remaining)) : 0
  return { allowed, remaining, retryAfterMs: waitMs, buckets }
}

function claimOf(want: Wanted, earlier: readonly Claim[], wholeMs: number): Claim {
  const { table, high, low, cost } = want
  const { policy, algorithm } = table
  const twin = earlier.find((claim) => isSame(claim, want))
  const segment = table.segmentOf(high)
  const at = segment.find(high, low)
  const cells = twin?.cells ?? new Float64Array(algorithm.cellCount)
  if (twin === undefined && at >= 0) cells.set(segment.cells.subarray(at, at + algorithm.cellCount))
  const waitMs = algorithm.waitMs(policy, cells, 0, wholeMs, cost)
  if (waitMs === 0) algorithm.take(policy, cells, 0, wholeMs, cost)
  return { table, high, low, cost, isNew: at < 0, cells, waitMs }
}

/** What has to go for a new bucket; a number of milliseconds if nothing can before; `undefined` while there is room. */
function roomFor(
  claim: Claim,
  upTo: readonly Claim[],
  { claims, victims }: Pick<Plan, 'claims' | 'victims'>,
  wholeMs: number,
): Victim | number | undefined {
  const { table, high } = claim
  const going = victims.filter((victim) => victim.table === table)
  const coming = upTo.filter(
    (one, index) =>
      one.table === table && one.isNew && upTo.findIndex((other) => isSame(other, one)) === index,
  )
  if (table.excess(coming.length) <= going.length) return undefined
  // Neither what goes already, nor a bucket of this request: that must not be pushed out as little used.
  const own = claims.filter((one) => one.table === table && !one.isNew)
  const found = table.leastUsed(high, wholeMs, [...own, ...going])
  return typeof found === 'number' ? found : { table, high: found.high, low: found.low }
}

function isSame(a: Wanted, b: Wanted): boolean {
  return a.table === b.table && a.high === b.high && a.low === b.low
}
