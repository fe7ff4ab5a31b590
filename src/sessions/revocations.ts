import type { MigrationDatabase } from '../data/index.ts'
import { revocationsTable, sessionsTable } from './migration.ts'

/** What of an access token says whether it has ended. */
export interface LiveClaims {
  readonly sub: string
  readonly sid: string
  readonly ver: number
}

/** Knows which access tokens have ended before their time, without asking anybody while it is fresh. */
export interface RevocationIndex {
  /**
   * Whether a token may still be used: at once while the index is fresh, otherwise from the database.
   *
   * @throws UNAVAILABLE when the index is stale and the database does not answer
   */
  isLive(claims: LiveClaims): boolean | Promise<boolean>
  /** Reads what this process has just committed. It never fails: what cannot be read makes the index stale. */
  noteCommitted(): Promise<void>
  readonly isFresh: boolean
  /** Ends the regular reading. */
  close(): Promise<void>
}

/** How the index is kept. */
export interface RevocationOptions {
  readonly db: MigrationDatabase
  /** How long an access token lives at most, clocks that differ included, in milliseconds. */
  readonly tokenMs: number
  /** How often the table is read, in milliseconds; 250 unless given. */
  readonly everyMs?: number
  /** How old the last reading may be to be trusted, in milliseconds; 1,000 unless given. */
  readonly maxAgeMs?: number
  /** How many revocations are held at most; 100,000 unless given. */
  readonly maxCount?: number
  /** Told once when readings begin to fail, for the log. */
  readonly onFailure?: (error: unknown) => void
  /** The wall clock, in milliseconds since 1970. */
  readonly nowMs?: () => number
  /** A clock that does not step back, in milliseconds: how old a reading is. */
  readonly monotonicMs?: () => number
}

const defaultEveryMs = 250
const defaultMaxAgeMs = 1_000
const defaultMaxCount = 100_000
// A transaction that was slow to commit, or a node whose clock is behind, puts its row among those read before.
const overlapMs = 60_000

/**
 * Reads the revocations that still matter, and follows the table from there on.
 *
 * The table is the channel: a row is written in the transaction of what it reports, so there is nothing to lose
 * between the two; every node reads what is new a few times a second. Each reading goes back over the last minute, so
 * a row that was committed late is not missed. Where readings fail, the index is stale within a second, and until it
 * is fresh again each token is held against the database itself.
 *
 * @see OWASP ASVS 5.0 §7.4.1, §9.2.1; GHSA-g65h-35f3-x2w3 (a token that was good after its logout)
 */
export async function loadRevocations(options: RevocationOptions): Promise<RevocationIndex> {
  const index = new TableRevocations(options)
  await index.start()
  return index
}

class TableRevocations implements RevocationIndex {
  readonly #options: RevocationOptions
  readonly #nowMs: () => number
  readonly #monotonicMs: () => number
  readonly #maxAgeMs: number
  readonly #maxCount: number
  /** When each session's end is forgotten. */
  readonly #sessions = new Map<string, number>()
  readonly #users = new Map<string, { readonly version: number; readonly forgetAtMs: number }>()
  /** Rows of the overlap that are known. */
  #seen = new Map<string, number>()
  #readAtMs = Number.NEGATIVE_INFINITY
  #reading: Promise<void> | undefined
  #isFailing = false
  #isOverfull = false
  #isClosed = false
  #timer: NodeJS.Timeout | undefined

  constructor(options: RevocationOptions) {
    this.#options = options
    this.#nowMs = options.nowMs ?? Date.now
    this.#monotonicMs = options.monotonicMs ?? (() => performance.now())
    this.#maxAgeMs = options.maxAgeMs ?? defaultMaxAgeMs
    this.#maxCount = options.maxCount ?? defaultMaxCount
  }

  get isFresh(): boolean {
    return !this.#isOverfull && this.#monotonicMs() - this.#readAtMs <= this.#maxAgeMs
  }

  isLive(claims: LiveClaims): boolean | Promise<boolean> {
    return this.isFresh ? this.#isKnownLive(claims) : this.#isLiveInDatabase(claims)
  }

  async noteCommitted(): Promise<void> {
    // A reading that is under way may have begun before the commit, so it is not enough.
    await this.#reading?.catch(() => undefined)
    try {
      await this.#read()
    } catch (error) {
      this.#readAtMs = Number.NEGATIVE_INFINITY
      this.#tellFailure(error)
    }
  }

  async start(): Promise<void> {
    await this.#readFrom(this.#nowMs() - this.#options.tokenMs - overlapMs)
    this.#schedule()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#timer)
    await this.#reading?.catch(() => undefined)
  }

  #isKnownLive({ sub, sid, ver }: LiveClaims): boolean {
    if (this.#sessions.has(sid)) return false
    const user = this.#users.get(sub)
    return user === undefined || ver >= user.version
  }

  /** The whole truth, as slow as it is. */
  async #isLiveInDatabase({ sub, sid, ver }: LiveClaims): Promise<boolean> {
    const { db } = this.#options
    const session = await db
      .selectFrom(sessionsTable)
      .select('endedAt')
      .where('id', '=', sid)
      .where('userId', '=', sub)
      .executeTakeFirst()
    if (session === undefined || session['endedAt'] !== null) return false
    const newer = await db
      .selectFrom(revocationsTable)
      .select('id')
      .where('userId', '=', sub)
      .where('minimumVersion', '>', ver)
      .limit(1)
      .executeTakeFirst()
    return newer === undefined
  }

  #schedule(): void {
    if (this.#isClosed) return
    this.#timer = setTimeout(() => void this.#tick(), this.#options.everyMs ?? defaultEveryMs)
    this.#timer.unref()
  }

  async #tick(): Promise<void> {
    try {
      await this.#read()
      this.#isFailing = false
    } catch (error) {
      this.#tellFailure(error)
    }
    this.#schedule()
  }

  #tellFailure(error: unknown): void {
    if (!this.#isFailing) this.#options.onFailure?.(error)
    this.#isFailing = true
  }

  #read(): Promise<void> {
    this.#reading ??= this.#readNew().finally(() => {
      this.#reading = undefined
    })
    return this.#reading
  }

  async #readNew(): Promise<void> {
    // After a loss that was longer than the overlap, all that may have been missed is read.
    const silentMs = this.#monotonicMs() - this.#readAtMs
    const backMs = Number.isFinite(silentMs) ? silentMs + overlapMs : this.#options.tokenMs + overlapMs
    await this.#readFrom(this.#nowMs() - backMs)
  }

  async #readFrom(sinceMs: number): Promise<void> {
    const startedAtMs = this.#monotonicMs()
    const since = new Date(sinceMs).toISOString()
    const rows = await this.#options.db
      .selectFrom(revocationsTable)
      .select(['id', 'sessionId', 'userId', 'minimumVersion'])
      .where('at', '>=', since)
      .limit(this.#maxCount + 1)
      .execute()
    const forgetAtMs = this.#nowMs() + this.#options.tokenMs
    const seen = new Map<string, number>()
    for (const { id, sessionId, userId, minimumVersion } of rows) {
      const key = String(id)
      const known = this.#seen.get(key)
      seen.set(key, known ?? forgetAtMs)
      if (known !== undefined) continue
      if (typeof sessionId === 'string') this.#sessions.set(sessionId, forgetAtMs)
      if (typeof userId === 'string') this.#raise(userId, Number(minimumVersion), forgetAtMs)
    }
    this.#seen = seen
    this.#forgetOld()
    this.#isOverfull = rows.length > this.#maxCount || this.#sessions.size + this.#users.size > this.#maxCount
    this.#readAtMs = startedAtMs
  }

  #raise(userId: string, version: number, forgetAtMs: number): void {
    const before = this.#users.get(userId)?.version ?? 0
    this.#users.set(userId, { version: Math.max(before, version), forgetAtMs })
  }

  /** What concerns only tokens that are past their time is of no more use; Maps keep the order of insertion. */
  #forgetOld(): void {
    const now = this.#nowMs()
    for (const [id, forgetAtMs] of this.#sessions) if (forgetAtMs <= now) this.#sessions.delete(id)
    for (const [id, user] of this.#users) if (user.forgetAtMs <= now) this.#users.delete(id)
  }
}
