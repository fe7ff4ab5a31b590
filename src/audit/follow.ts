import type { MigrationDatabase } from '../data/index.ts'
import { Problem } from '../errors/index.ts'
import type { RecordedEvent } from '../events/index.ts'
import { chainsTable, checkpointsTable, eventsTable } from './migration.ts'
import { type EventRow, eventColumns, eventOf, eventRowOf } from './row.ts'
import { maxSeq } from './verify-chain.ts'

/** How the trail is followed. */
export interface FollowOptions {
  /** The cursor of the batch before; events from now on unless given. */
  readonly from?: string | undefined
  /** How often the table is read, in milliseconds; 250 unless given. */
  readonly everyMs?: number
  readonly onBatch: (batch: FollowedBatch) => void
  /** Told once when reading begins to fail. It goes on trying. */
  readonly onFailure: (error: unknown) => void
  readonly nowMs?: () => number
}

/** Events of all nodes, in the order of each node. */
export interface FollowedBatch {
  /** Where to go on after these. */
  readonly cursor: string
  readonly events: readonly RecordedEvent[]
}

const defaultEveryMs = 250
const pageCount = 500
// More processes do not write at the same time; those that wrote last come first.
const liveChainCount = 64
// A chain that is alive signs its head every ten minutes, and with the rows when the head is a minute old.
const aliveMs = 15 * 60_000
const clockSkewMs = 60_000
const cursorMaxChars = 8_192

/**
 * Follows the trail of all nodes. Places in a chain have no gap, so what is read behind a place is everything: an event
 * that was committed late is neither missed nor told twice.
 *
 * @returns ends it
 * @throws VALIDATION_FAILED for a cursor that is none
 */
export function followTrail(db: MigrationDatabase, options: FollowOptions): () => void {
  const follower = new TrailFollower(db, options)
  follower.start()
  return () => follower.stop()
}

interface Position {
  /** When it was reached, ISO 8601. */
  readonly at: string
  /** The last place read of each chain. */
  readonly seqs: ReadonlyMap<string, number>
}

interface LiveChain {
  readonly chain: string
  /** ISO 8601, UTC. */
  readonly startedAt: string
}

class TrailFollower {
  readonly #db: MigrationDatabase
  readonly #options: FollowOptions
  readonly #nowMs: () => number
  #position: Position | undefined
  #isStopped = false
  #isFailing = false
  #timer: NodeJS.Timeout | undefined

  constructor(db: MigrationDatabase, options: FollowOptions) {
    this.#db = db
    this.#options = options
    this.#nowMs = options.nowMs ?? Date.now
    this.#position = options.from === undefined ? undefined : positionIn(options.from)
  }

  start(): void {
    void this.#tick()
  }

  stop(): void {
    this.#isStopped = true
    clearTimeout(this.#timer)
  }

  async #tick(): Promise<void> {
    try {
      await this.#read()
      this.#isFailing = false
    } catch (error) {
      if (!this.#isFailing && !this.#isStopped) this.#options.onFailure(error)
      this.#isFailing = true
    }
    if (this.#isStopped) return
    this.#timer = setTimeout(() => void this.#tick(), this.#options.everyMs ?? defaultEveryMs)
    this.#timer.unref()
  }

  async #read(): Promise<void> {
    for (let isMore = true; isMore && !this.#isStopped; ) isMore = await this.#readOnce()
  }

  /** @returns whether there is more to be read at once */
  async #readOnce(): Promise<boolean> {
    const at = new Date(this.#nowMs()).toISOString()
    const before = this.#position
    const seqs = new Map<string, number>()
    const found: EventRow[] = []
    let isMore = false
    for (const live of await this.#liveChains(before)) {
      const from = before?.seqs.get(live.chain) ?? (await this.#startOf(live, before))
      const rows = await this.#rowsAfter(live.chain, from)
      found.push(...rows.map(eventRowOf))
      seqs.set(live.chain, Number(rows.at(-1)?.['seq'] ?? from))
      isMore ||= rows.length === pageCount
    }
    if (this.#isStopped) return false
    // While there is more to come, the time stays: by it, chains are known that have begun since.
    this.#position = { at: isMore && before !== undefined ? before.at : at, seqs }
    // Nodes are read one after the other; what they did is told by time.
    found.sort((one, other) => (one.id < other.id ? -1 : 1))
    // The first is told even when it is empty: whoever is cut off before an event comes again with its cursor.
    if (found.length > 0 || before === undefined)
      this.#options.onBatch({ cursor: cursorOf(this.#position), events: found.map(eventOf) })
    return isMore
  }

  async #liveChains(before: Position | undefined): Promise<readonly LiveChain[]> {
    // A reader that comes again was away for a while: what was alive then counts.
    const fromMs = before === undefined ? this.#nowMs() : Math.min(this.#nowMs(), Date.parse(before.at))
    const rows = await this.#db
      .selectFrom(`${checkpointsTable} as head`)
      .innerJoin(`${chainsTable} as chain`, 'chain.chain', 'head.chain')
      .select(['chain.chain', 'chain.startedAt'])
      .where('head.kind', '=', 'head')
      .where('head.at', '>', new Date(fromMs - aliveMs).toISOString())
      .orderBy('head.at', 'desc')
      .limit(liveChainCount)
      .execute()
    return rows.map((row) => ({ chain: String(row['chain']), startedAt: String(row['startedAt']) }))
  }

  /** Where to begin in a chain that the position does not know. */
  async #startOf({ chain, startedAt }: LiveChain, before: Position | undefined): Promise<number> {
    if (before === undefined) return await this.#lastOf(chain, undefined)
    const sinceMs = Date.parse(before.at) - clockSkewMs
    // It has begun since, or had been silent for so long that all of it which is older was told.
    return Date.parse(startedAt) > sinceMs ? 0 : await this.#lastOf(chain, new Date(sinceMs).toISOString())
  }

  async #lastOf(chain: string, before: string | undefined): Promise<number> {
    let query = this.#db
      .selectFrom(eventsTable)
      .select('seq')
      .where('chain', '=', chain)
      .where('seq', '<=', maxSeq)
    if (before !== undefined) query = query.where('at', '<', before)
    const row = await query.orderBy('seq', 'desc').limit(1).executeTakeFirst()
    return Number(row?.['seq'] ?? 0)
  }

  async #rowsAfter(chain: string, seq: number) {
    return await this.#db
      .selectFrom(eventsTable)
      .select([...eventColumns, 'seq'])
      .where('chain', '=', chain)
      .where('seq', '>', seq)
      .where('seq', '<=', maxSeq)
      .orderBy('seq')
      .limit(pageCount)
      .execute()
  }
}

function cursorOf({ at, seqs }: Position): string {
  return Buffer.from(JSON.stringify([at, ...seqs])).toString('base64url')
}

/** Reads a cursor. It names rows and grants nothing, so it needs no seal; what it holds is checked. */
function positionIn(text: string): Position {
  const position = text.length > cursorMaxChars ? null : parsed(text)
  if (position !== null) return position
  throw new Problem('VALIDATION_FAILED', 'the cursor of the stream is none of ours', {
    errors: [{ path: '/headers/last-event-id', message: 'expected the id of an event of this stream' }],
  })
}

function parsed(text: string): Position | null {
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(text, 'base64url').toString())
  } catch {
    return null
  }
  if (!Array.isArray(value)) return null
  const [at, ...pairs]: unknown[] = value
  if (typeof at !== 'string' || !isTime(at) || pairs.length > liveChainCount) return null
  const seqs = new Map<string, number>()
  for (const pair of pairs) {
    if (!Array.isArray(pair)) return null
    const [chain, seq]: unknown[] = pair
    if (typeof chain !== 'string' || chain.length > 64) return null
    if (typeof seq !== 'number' || !Number.isInteger(seq) || seq < 0 || seq > maxSeq) return null
    seqs.set(chain, seq)
  }
  return { at, seqs }
}

function isTime(text: string): boolean {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(text) && Number.isFinite(Date.parse(text))
}
