import type { MigrationDatabase } from '../data/index.ts'
import { Problem } from '../errors/index.ts'
import type { RecordedEvent } from '../events/index.ts'
import { chainsTable, eventsTable } from './migration.ts'
import { eventOf, eventRowOf } from './row.ts'

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
// More processes do not write at the same time; what crashed stays open, and the newest come first.
const liveChainCount = 64
const closedForMs = 60_000
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
    const at = new Date(this.#nowMs()).toISOString()
    const before = this.#position
    const chains = await this.#liveChains()
    const seqs = new Map<string, number>()
    const events: RecordedEvent[] = []
    for (const { chain, startedAt } of chains) {
      const known = before?.seqs.get(chain) ?? (isNewer(startedAt, before) ? 0 : undefined)
      const from = known ?? (await this.#lastOf(chain))
      const rows = await this.#rowsAfter(chain, from)
      events.push(...rows.map((row) => eventOf(eventRowOf(row))))
      seqs.set(chain, Number(rows.at(-1)?.['seq'] ?? from))
    }
    if (this.#isStopped) return
    this.#position = { at, seqs }
    // Nodes are read one after the other; what they did is told by time.
    events.sort((one, other) => (one.id < other.id ? -1 : 1))
    // The first is told even when it is empty: whoever is cut off before an event comes again with its cursor.
    if (events.length > 0 || before === undefined)
      this.#options.onBatch({ cursor: cursorOf(this.#position), events })
  }

  async #liveChains(): Promise<readonly { readonly chain: string; readonly startedAt: string }[]> {
    const recently = new Date(this.#nowMs() - closedForMs).toISOString()
    // A reader that comes again was away for longer than that.
    const since = this.#position === undefined || this.#position.at > recently ? recently : this.#position.at
    const rows = await this.#db
      .selectFrom(chainsTable)
      .select(['chain', 'startedAt'])
      .where((eb) => eb.or([eb('closedAt', 'is', null), eb('closedAt', '>', since)]))
      .orderBy('chain', 'desc')
      .limit(liveChainCount)
      .execute()
    return rows.map((row) => ({ chain: String(row['chain']), startedAt: String(row['startedAt']) }))
  }

  async #lastOf(chain: string): Promise<number> {
    const row = await this.#db
      .selectFrom(eventsTable)
      .select((eb) => eb.fn.max('seq').as('seq'))
      .where('chain', '=', chain)
      .executeTakeFirst()
    return Number(row?.['seq'] ?? 0)
  }

  async #rowsAfter(chain: string, seq: number) {
    return await this.#db
      .selectFrom(eventsTable)
      .selectAll()
      .where('chain', '=', chain)
      .where('seq', '>', seq)
      .orderBy('seq')
      .limit(pageCount)
      .execute()
  }
}

function isNewer(startedAt: string, position: Position | undefined): boolean {
  if (position === undefined) return false
  return Date.parse(startedAt) > Date.parse(position.at) - clockSkewMs
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
  if (typeof at !== 'string' || !Number.isFinite(Date.parse(at)) || pairs.length > liveChainCount) return null
  const seqs = new Map<string, number>()
  for (const pair of pairs) {
    if (!Array.isArray(pair)) return null
    const [chain, seq]: unknown[] = pair
    if (typeof chain !== 'string' || chain.length > 64) return null
    if (typeof seq !== 'number' || !Number.isSafeInteger(seq) || seq < 0) return null
    seqs.set(chain, seq)
  }
  return { at, seqs }
}
