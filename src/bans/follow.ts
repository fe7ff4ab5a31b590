import { setImmediate as nextTurn } from 'node:timers/promises'
import type { MigrationDatabase } from '../data/index.ts'
import type { BanIndex } from './ban-index.ts'
import { type BanPlace, type BanRecord, readActive, readChanges } from './records.ts'

/** How the table is followed. */
export interface FollowOptions {
  readonly db: MigrationDatabase
  readonly index: BanIndex
  /** How often the table is read, in milliseconds; 250 unless given. */
  readonly everyMs?: number | undefined
  /** Told once when readings begin to fail, for the log. */
  readonly onFailure?: ((error: unknown) => void) | undefined
  /** The wall clock, in milliseconds since 1970. */
  readonly nowMs: () => number
  /** A clock that does not step back, in milliseconds: how old a reading is. */
  readonly monotonicMs?: (() => number) | undefined
}

/** A table of bans that is being followed. */
export interface BanFollower {
  /** Reads what has changed, now. */
  read(): Promise<void>
  /** Takes up a row that this process has just committed. */
  note(record: BanRecord): Promise<void>
  /** Ends the regular reading. */
  close(): Promise<void>
}

const defaultEveryMs = 250
// A node whose clock is behind, or whose commit was slow, puts its row among those read before.
const overlapMs = 2_000
// For clocks that are further apart. Not each time: under attack a minute holds very many bans.
const deepOverlapMs = 60_000
const deepEveryMs = 5_000
const pageCount = 500

/**
 * Reads who is banned, and follows the table from there on. What has been read stays in force when readings fail.
 *
 * @see docs/decisions/0015-bans-are-read-from-a-table.md; OWASP ASVS 5.0 §16.5.3
 */
export async function followBans(options: FollowOptions): Promise<BanFollower> {
  const follower = new TableFollower(options)
  await follower.start()
  return follower
}

class TableFollower implements BanFollower {
  readonly #options: FollowOptions
  readonly #monotonicMs: () => number
  #readAtMs = Number.NEGATIVE_INFINITY
  #deepAtMs = Number.NEGATIVE_INFINITY
  #reading: Promise<void> | undefined
  #isFailing = false
  #isClosed = false
  #timer: NodeJS.Timeout | undefined

  constructor(options: FollowOptions) {
    this.#options = options
    this.#monotonicMs = options.monotonicMs ?? (() => performance.now())
  }

  async start(): Promise<void> {
    await this.read()
    this.#schedule()
  }

  async read(): Promise<void> {
    this.#reading ??= this.#readNew().finally(() => {
      this.#reading = undefined
    })
    await this.#reading
  }

  async note(record: BanRecord): Promise<void> {
    // A reading that is under way may have begun before the commit, and would put the row back as it was.
    await this.#reading?.catch(() => undefined)
    this.#options.index.put(record)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#timer)
    await this.#reading?.catch(() => undefined)
  }

  #schedule(): void {
    if (this.#isClosed) return
    this.#timer = setTimeout(() => void this.#tick(), this.#options.everyMs ?? defaultEveryMs)
    this.#timer.unref()
  }

  async #tick(): Promise<void> {
    try {
      await this.read()
      this.#isFailing = false
    } catch (error) {
      if (!this.#isFailing) this.#options.onFailure?.(error)
      this.#isFailing = true
    }
    this.#schedule()
  }

  async #readNew(): Promise<void> {
    const startedAtMs = this.#monotonicMs()
    const isDeep = startedAtMs - this.#deepAtMs >= deepEveryMs
    // After a loss that was longer than the overlap, all that may have been missed is read.
    const silentMs = startedAtMs - this.#readAtMs
    const sinceMs = this.#options.nowMs() - silentMs - (isDeep ? deepOverlapMs : overlapMs)
    const { db } = this.#options
    if (Number.isFinite(sinceMs))
      await this.#takePages(new Date(sinceMs).toISOString(), (from) => readChanges(db, from, pageCount))
    else {
      const active = { rowCount: pageCount, now: new Date(this.#options.nowMs()).toISOString() }
      await this.#takePages('', (from) => readActive(db, from, active))
    }
    this.#readAtMs = startedAtMs
    if (!isDeep) return
    this.#deepAtMs = startedAtMs
    this.#options.index.sweep()
  }

  async #takePages(since: string, read: (from: BanPlace) => Promise<readonly BanRecord[]>): Promise<void> {
    let from: BanPlace = { changedAt: since, id: '' }
    while (!this.#isClosed) {
      const page = await read(from)
      for (const record of page) this.#options.index.put(record)
      const last = page.at(-1)
      if (last === undefined || page.length < pageCount) return
      from = last
      // SQLite answers at once: without this, requests would wait for the whole table.
      await nextTurn()
    }
  }
}
