import { newId } from '../base/index.ts'
import { randomToken } from '../crypto/index.ts'
import type { MigrationDatabase } from '../data/index.ts'
import { revocationsTable, sessionsTable } from './migration.ts'
import type { RefreshTokens } from './refresh-token.ts'
import {
  type RevocationCause,
  type SessionLimits,
  type SessionRecord,
  type SessionRow,
  sessionRow,
  type Transport,
} from './session.ts'

/** What a session is opened with. */
export interface SessionRequest {
  readonly userId: string
  readonly transport: Transport
  /** RFC 8176. */
  readonly amr: readonly string[]
  readonly authTimeSeconds: number
  readonly deviceId: string | null
  readonly userAgent: string
  readonly address: string
}

/** A session and its newest refresh token, which is kept nowhere. */
export interface OpenedSession {
  readonly session: SessionRecord
  readonly refreshToken: string
}

/** Where a refresh comes from, and how. */
export interface RefreshRequest {
  readonly address: string
  readonly userAgent: string
  readonly transport: Transport
}

/** What came of a refresh. */
export type Refreshed =
  | ({ readonly kind: 'refreshed' } & OpenedSession)
  | {
      readonly kind: 'refused'
      /** `unknown` also for a token that nobody of us has made. */
      readonly why: 'unknown' | 'expired' | 'ended' | 'reused'
      /** The session of a genuine token. */
      readonly session?: SessionRecord
    }

/**
 * Runs, in one transaction, what ends the session of a token that was used twice; what is told of it belongs into the
 * same transaction.
 */
export type EndReused = (
  session: SessionRecord,
  end: (db: MigrationDatabase) => Promise<boolean>,
) => Promise<void>

/** When a refresh is answered, and how the session of a used token is ended. */
interface Moment {
  readonly nowMs: number
  readonly ending: EndReused
}

/** What {@link Sessions} is made of. */
export interface SessionsParts {
  readonly db: MigrationDatabase
  readonly refreshTokens: RefreshTokens
  readonly limits: SessionLimits
  readonly nowMs?: () => number
}

// Ended sessions are kept a while: who sends a token of one is told apart from who sends anything.
const keptMs = 30 * 86_400_000

/** Sessions, and the family of refresh tokens that each has. */
export class Sessions {
  readonly #db: MigrationDatabase
  readonly #tokens: RefreshTokens
  readonly #limits: SessionLimits
  readonly #nowMs: () => number
  readonly #endReused: EndReused

  constructor({ db, refreshTokens, limits, nowMs = Date.now }: SessionsParts) {
    this.#db = db
    this.#tokens = refreshTokens
    this.#limits = limits
    this.#nowMs = nowMs
    this.#endReused = async (_session, end) => void (await db.transaction().execute(end))
  }

  /**
   * Opens a session with an id of its own: none is ever taken over (session fixation). Where an account has too many,
   * those that have rested longest end.
   *
   * @param db In the transaction of what lets it be.
   * @see OWASP ASVS 5.0 §7.2.4, §7.1.2
   */
  async open(db: MigrationDatabase, request: SessionRequest): Promise<OpenedSession> {
    const nowMs = this.#nowMs()
    const id = newId(nowMs)
    const salt = randomToken(16)
    const refreshToken = this.#tokens.make({ sessionId: id, generation: 1 }, salt)
    const { amr, ...columns } = request
    const row = await db
      .insertInto(sessionsTable)
      .values({
        ...columns,
        id,
        methods: JSON.stringify(amr),
        createdAt: iso(nowMs),
        lastSeenAt: iso(nowMs),
        idleUntil: iso(Math.min(nowMs + this.#limits.idleMs, nowMs + this.#limits.absoluteMs)),
        expiresAt: iso(nowMs + this.#limits.absoluteMs),
        generation: 1,
        tokenHash: this.#tokens.hash(refreshToken),
        salt,
        rotatedAt: iso(nowMs),
      })
      .returningAll()
      .executeTakeFirstOrThrow()
    await this.#endSurplus(db, request.userId)
    return { session: sessionRow(row).session, refreshToken }
  }

  /**
   * Changes a refresh token for the next of its family. The first of all who send the same token moves the family on,
   * by one conditional UPDATE; whoever comes within the time of grace gets the same successor; whoever comes later,
   * or once that successor was used, holds a stolen copy or was robbed, and the family ends.
   *
   * @see RFC 9700 §4.14.2; GHSA-392p-2q2v-4372, CVE-2026-1035 (refreshes that raced)
   */
  async refresh(
    token: string,
    request: RefreshRequest,
    ending: EndReused = this.#endReused,
  ): Promise<Refreshed> {
    const name = this.#tokens.name(token)
    const row = name === null ? null : await this.#byId(name.sessionId)
    if (name === null || row === null || !this.#isOf(token, name, row)) return refused('unknown')
    const { session } = row
    if (session.transport !== request.transport) return refused('unknown')
    if (row.endedAt !== null) return refused('ended', session)
    const nowMs = this.#nowMs()
    if (iso(nowMs) >= session.idleUntil || iso(nowMs) >= session.expiresAt) return refused('expired', session)
    if (name.generation === row.generation) return await this.#moveOn(row, request, { nowMs, ending })
    return await this.#answerOld(row, name.generation, { nowMs, ending })
  }

  /** The sessions of an account that live, the newest in use first. */
  async list(userId: string): Promise<readonly SessionRecord[]> {
    const now = iso(this.#nowMs())
    const rows = await this.#db
      .selectFrom(sessionsTable)
      .selectAll()
      .where('userId', '=', userId)
      .where('endedAt', 'is', null)
      .where('idleUntil', '>', now)
      .where('expiresAt', '>', now)
      .orderBy('lastSeenAt', 'desc')
      .orderBy('id', 'desc')
      .execute()
    return rows.map((row) => sessionRow(row).session)
  }

  /**
   * Whether an account has, or had within the last month, a session of the same client at the same address. A client
   * that keeps no cookies is known by that: its owner would else get a mail for each of its logins.
   */
  async isFamiliar(
    db: MigrationDatabase,
    userId: string,
    { address, userAgent }: { readonly address: string; readonly userAgent: string },
  ): Promise<boolean> {
    const row = await db
      .selectFrom(sessionsTable)
      .select('id')
      .where('userId', '=', userId)
      .where('address', '=', address)
      .where('userAgent', '=', userAgent)
      .limit(1)
      .executeTakeFirst()
    return row !== undefined
  }

  /** Ends one session of an account. @returns false when it has no such session that lives */
  async end(
    db: MigrationDatabase,
    userId: string,
    sessionId: string,
    cause: RevocationCause,
  ): Promise<boolean> {
    const ended = await db
      .updateTable(sessionsTable)
      .set({ endedAt: iso(this.#nowMs()), endCause: cause })
      .where('id', '=', sessionId)
      .where('userId', '=', userId)
      .where('endedAt', 'is', null)
      .returning('id')
      .execute()
    if (ended.length === 0) return false
    await this.#note(db, { sessionId }, cause)
    return true
  }

  /** Ends every session of an account, and every access token below a version. */
  async revoke(
    db: MigrationDatabase,
    { userId, minimumVersion }: { readonly userId: string; readonly minimumVersion: number },
    cause: RevocationCause,
  ): Promise<void> {
    await db
      .updateTable(sessionsTable)
      .set({ endedAt: iso(this.#nowMs()), endCause: cause })
      .where('userId', '=', userId)
      .where('endedAt', 'is', null)
      .execute()
    await this.endTokens(db, userId, minimumVersion, cause)
  }

  /** Ends every access token of an account below a version; its sessions go on, and give tokens with what holds now. */
  async endTokens(
    db: MigrationDatabase,
    userId: string,
    minimumVersion: number,
    cause: RevocationCause,
  ): Promise<void> {
    await this.#note(db, { userId, minimumVersion }, cause)
  }

  /**
   * Deletes every row of an account that is deleted itself: addresses and devices are its person's. What was revoked
   * stays revoked: that is another table.
   *
   * @see OWASP ASVS 5.0 §14.2.7
   */
  async forget(db: MigrationDatabase, userId: string): Promise<void> {
    await db.deleteFrom(sessionsTable).where('userId', '=', userId).execute()
  }

  /** Deletes what is long over. */
  async clean(): Promise<void> {
    const before = iso(this.#nowMs() - keptMs)
    await this.#db.deleteFrom(sessionsTable).where('expiresAt', '<', before).execute()
    await this.#db.deleteFrom(sessionsTable).where('endedAt', '<', before).execute()
    await this.#db
      .deleteFrom(revocationsTable)
      .where('at', '<', iso(this.#nowMs() - 86_400_000))
      .execute()
  }

  #isOf(token: string, name: { sessionId: string; generation: number }, row: SessionRow): boolean {
    if (name.generation < 1 || name.generation > row.generation) return false
    // The good one is known by its hash as well, whatever key it was made under.
    if (name.generation === row.generation && this.#tokens.hash(token) === row.tokenHash) return true
    return this.#tokens.isGenuine(token, name, row.salt)
  }

  async #moveOn(row: SessionRow, request: RefreshRequest, moment: Moment): Promise<Refreshed> {
    const { nowMs } = moment
    const { session, generation } = row
    const sessionId = session.id
    const refreshToken = this.#tokens.make({ sessionId, generation: generation + 1 }, row.salt)
    const idleUntil = Math.min(nowMs + this.#limits.idleMs, Date.parse(session.expiresAt))
    const moved = await this.#db
      .updateTable(sessionsTable)
      .set({
        generation: generation + 1,
        tokenHash: this.#tokens.hash(refreshToken),
        rotatedAt: iso(nowMs),
        lastSeenAt: iso(nowMs),
        idleUntil: iso(idleUntil),
        address: request.address,
        userAgent: request.userAgent,
      })
      .where('id', '=', sessionId)
      .where('generation', '=', generation)
      .where('endedAt', 'is', null)
      .returningAll()
      .executeTakeFirst()
    if (moved !== undefined) return { kind: 'refreshed', session: sessionRow(moved).session, refreshToken }
    // Another was faster, or the session has ended meanwhile.
    const now = await this.#byId(sessionId)
    if (now === null) return refused('unknown')
    return now.endedAt === null ? await this.#answerOld(now, generation, moment) : refused('ended', session)
  }

  /** A token that is not the good one any more: sent twice by its client, or by somebody else. */
  async #answerOld(row: SessionRow, generation: number, { nowMs, ending }: Moment): Promise<Refreshed> {
    const { session } = row
    const isInGrace = generation === row.generation - 1 && nowMs - row.rotatedAtMs <= this.#limits.graceMs
    if (isInGrace) {
      const refreshToken = this.#tokens.make({ sessionId: session.id, generation: row.generation }, row.salt)
      return { kind: 'refreshed', session, refreshToken }
    }
    await ending(session, (trx) => this.end(trx, session.userId, session.id, 'token-reused'))
    return refused('reused', session)
  }

  async #endSurplus(db: MigrationDatabase, userId: string): Promise<void> {
    const now = iso(this.#nowMs())
    const surplus = await db
      .selectFrom(sessionsTable)
      .select('id')
      .where('userId', '=', userId)
      .where('endedAt', 'is', null)
      .where('idleUntil', '>', now)
      .orderBy('lastSeenAt', 'desc')
      .orderBy('id', 'desc')
      .limit(1_000)
      .offset(this.#limits.maxCount)
      .execute()
    for (const { id } of surplus) await this.end(db, userId, String(id), 'too-many-sessions')
  }

  async #byId(id: string): Promise<SessionRow | null> {
    const row = await this.#db.selectFrom(sessionsTable).selectAll().where('id', '=', id).executeTakeFirst()
    return row === undefined ? null : sessionRow(row)
  }

  async #note(
    db: MigrationDatabase,
    subject: { readonly sessionId: string } | { readonly userId: string; readonly minimumVersion: number },
    cause: RevocationCause,
  ): Promise<void> {
    const nowMs = this.#nowMs()
    await db
      .insertInto(revocationsTable)
      .values({ id: newId(nowMs), ...subject, cause, at: iso(nowMs) })
      .execute()
  }
}

function refused(
  why: 'unknown' | 'expired' | 'ended' | 'reused',
  session?: SessionRecord,
): Extract<Refreshed, { kind: 'refused' }> {
  return { kind: 'refused', why, ...(session === undefined ? {} : { session }) }
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}
