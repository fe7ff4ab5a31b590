import { setImmediate as nextTurn } from 'node:timers/promises'

/** A row of a table that is followed. `changedAt` grows with every change of the row. */
export interface FollowedRow {
  readonly id: string
  readonly changedAt: string
}

/** How the rows of a followed table are read: by `changedAt`, and of those with the same one by `id`. */
export interface FollowedTable<Row extends FollowedRow> {
  /** Rows that have changed behind a place. */
  readChanges(from: FollowedRow, rowCount: number): Promise<readonly Row[]>
  /** The same of those that are in force at a time, for whoever knows nothing yet. */
  readActive(
    from: FollowedRow,
    page: { readonly rowCount: number; readonly now: string },
  ): Promise<readonly Row[]>
}

/** What is known of a table, in memory. */
export interface RowIndex<Row> {
  /** Takes up how a row stands now. */
  put(row: Row): void
  /** Forgets what is past its end. */
  sweep(): void
}

/** How a table is followed. */
export interface FollowTableOptions<Row extends FollowedRow> {
  readonly table: FollowedTable<Row>
  readonly index: RowIndex<Row>
  /** How often the table is read, in milliseconds; 250 unless given. */
  readonly everyMs?: number | undefined
  /** Told once when readings begin to fail, for the log. */
  readonly onFailure?: ((error: unknown) => void) | undefined
  /** The wall clock, in milliseconds since 1970. */
  readonly nowMs: () => number
  /** A clock that does not step back, in milliseconds: how old a reading is. */
  readonly monotonicMs?: (() => number) | undefined
}

/** A table that is being followed. */
export interface TableFollower<Row> {
  /** Reads what has changed, now. */
  read(): Promise<void>
  /** Takes up a row that this process has just committed. */
  note(row: Row): Promise<void>
  /** Ends the regular reading. */
  close(): Promise<void>
}

const defaultEveryMs = 250
// A node whose clock is behind, or whose commit was slow, puts its row among those read before.
const overlapMs = 2_000
// For clocks that are further apart. Not each time: under attack a minute holds very many rows.
const deepOverlapMs = 60_000
const deepEveryMs = 5_000
const pageCount = 500

/**
 * Reads what is in force in a table, and follows it from there on. What has been read stays in force when readings
 * fail.
 *
 * @throws what the first reading does
 * @see docs/decisions/0015-bans-are-read-from-a-table.md; OWASP ASVS 5.0 §16.5.3
 */
export async function followTable<Row extends FollowedRow>(
  options: FollowTableOptions<Row>,
): Promise<TableFollower<Row>> {
  const follower = new Follower(options)
  await follower.start()
  return follower
}

class Follower<Row extends FollowedRow> implements TableFollower<Row> {
  readonly #options: FollowTableOptions<Row>
  readonly #monotonicMs: () => number
  #readAtMs = Number.NEGATIVE_INFINITY
  #deepAtMs = Number.NEGATIVE_INFINITY
  #reading: Promise<void> | undefined
  #isFailing = false
  #isClosed = false
  #timer: NodeJS.Timeout | undefined

  constructor(options: FollowTableOptions<Row>) {
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

  async note(row: Row): Promise<void> {
    // A reading that is under way may have begun before the commit, and would put the row back as it was.
    await this.#reading?.catch(() => undefined)
    this.#options.index.put(row)
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
    const { table } = this.#options
    if (Number.isFinite(sinceMs))
      await this.#takePages(new Date(sinceMs).toISOString(), (from) => table.readChanges(from, pageCount))
    else {
      const active = { rowCount: pageCount, now: new Date(this.#options.nowMs()).toISOString() }
      await this.#takePages('', (from) => table.readActive(from, active))
    }
    this.#readAtMs = startedAtMs
    if (!isDeep) return
    this.#deepAtMs = startedAtMs
    this.#options.index.sweep()
  }

  async #takePages(since: string, read: (from: FollowedRow) => Promise<readonly Row[]>): Promise<void> {
    let from: FollowedRow = { changedAt: since, id: '' }
    while (!this.#isClosed) {
      const page = await read(from)
      for (const row of page) this.#options.index.put(row)
      const last = page.at(-1)
      if (last === undefined || page.length < pageCount) return
      from = last
      // SQLite answers at once: without this, requests would wait for the whole table.
      await nextTurn()
    }
  }
}
