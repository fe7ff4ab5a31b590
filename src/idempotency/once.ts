import type { Kysely } from 'kysely'
import type { Secret } from '../base/index.ts'
import { mac } from '../crypto/index.ts'
import type { Database, InRequest, OwnedRows, Scope } from '../data/index.ts'
import { Problem } from '../errors/index.ts'
import { repliesTable } from './migration.ts'
import type { ReplySeal } from './seal.ts'

/** One request that must be carried out once, however often it is sent. */
export interface OnceRequest {
  /** Who sends it. A key of one caller means nothing for another. */
  readonly userId: string
  /** The tenant of the caller, when there is one. */
  readonly tenantId: string | null
  /** Where: `POST /api/notes`. */
  readonly route: string
  /** The client's key. */
  readonly key: string
  /** Everything that the request says, as a text. */
  readonly payload: string
}

/** A reply as it is kept. */
export interface KeptReply {
  readonly status: number
  readonly content: string | null
  readonly entityTag: string | undefined
}

/** What the first request of a key does: it finds out for whom it runs, and then runs in the transaction. */
export interface OnceWork {
  /** Decides the scope of the transaction. */
  readonly prepare: () => Promise<{ readonly scope: Scope }>
  /** Carries it out. What it writes and its reply are kept together or not at all. */
  readonly run: (db: Kysely<never>) => Promise<KeptReply>
}

/** What {@link OnceReplies} is made of. */
export interface OnceParts {
  readonly database: Database
  readonly rows: OwnedRows
  /** The key derived for `idempotency`; it names requests, so that the table tells nobody who sent what. */
  readonly nameKey: Secret<Buffer>
  readonly seal: ReplySeal
  readonly nowMs?: () => number
}

const keptMs = 24 * 60 * 60_000
const cleanEvery = 500

interface Kept {
  readonly fingerprint: string
  readonly reply: string
}

/**
 * Carries requests with an `Idempotency-Key` out once. The reply is stored in the transaction of what the request
 * writes, so that there is no moment in which one is there without the other: a client whose connection broke asks
 * again and gets the first reply.
 *
 * @see draft-ietf-httpapi-idempotency-key-header-07 §2.6; OWASP ASVS 5.0 §2.3.4
 */
export class OnceReplies {
  readonly #parts: OnceParts
  readonly #nowMs: () => number
  /** What is being carried out by this process right now. */
  readonly #running = new Set<string>()
  #sinceCleaned = 0

  constructor(parts: OnceParts) {
    this.#parts = parts
    this.#nowMs = parts.nowMs ?? Date.now
  }

  /**
   * The reply to a request, carried out now or before.
   *
   * @throws `IDEMPOTENCY_RUNNING` (409) while the first one still runs, `IDEMPOTENCY_MISMATCH` (422) for the same
   * key with another payload, and whatever the work throws; then nothing is kept and the key is free.
   */
  async reply(request: OnceRequest, work: OnceWork): Promise<{ reply: KeptReply; isReplayed: boolean }> {
    const id = this.#digest([request.userId, request.tenantId, request.route, request.key])
    const fingerprint = this.#digest([request.payload])
    const before = await this.#kept(id, fingerprint)
    if (before !== undefined) return { reply: before, isReplayed: true }
    if (this.#running.has(id)) throw running()
    this.#running.add(id)
    try {
      const { scope } = await work.prepare()
      const reply = await this.#parts.rows.transaction(scope, (db, own) =>
        this.#carryOut(id, fingerprint, work, db, own),
      )
      if (reply !== undefined) return { reply, isReplayed: false }
    } finally {
      this.#running.delete(id)
      this.#cleanSometimes()
    }
    // Another process was faster between the look and the transaction.
    const meanwhile = await this.#kept(id, fingerprint)
    if (meanwhile === undefined) throw running()
    return { reply: meanwhile, isReplayed: true }
  }

  /** @returns `undefined` when another has carried it out by now */
  async #carryOut(
    id: string,
    fingerprint: string,
    work: OnceWork,
    db: Kysely<never>,
    own: InRequest,
  ): Promise<KeptReply | undefined> {
    if (!(await own.tryLock(id))) throw running()
    const nowMs = this.#nowMs()
    await own.run((tables) =>
      tables
        .deleteFrom(repliesTable)
        .where('id', '=', id)
        .where('createdAt', '<=', iso(nowMs - keptMs)),
    )
    const taken = await own.run((tables) => tables.selectFrom(repliesTable).select('id').where('id', '=', id))
    if (taken.length > 0) return undefined
    const reply = await work.run(db)
    const sealed = this.#parts.seal.seal(id, JSON.stringify(reply))
    await own.run((tables) =>
      tables.insertInto(repliesTable).values({ id, fingerprint, reply: sealed, createdAt: iso(nowMs) }),
    )
    return reply
  }

  async #kept(id: string, fingerprint: string): Promise<KeptReply | undefined> {
    const kept: Kept | undefined = await this.#parts.database.db
      .selectFrom(repliesTable)
      .select(['fingerprint', 'reply'])
      .where('id', '=', id)
      .where('createdAt', '>', iso(this.#nowMs() - keptMs))
      .$castTo<Kept>()
      .executeTakeFirst()
    if (kept === undefined) return undefined
    if (kept.fingerprint !== fingerprint) {
      throw new Problem('IDEMPOTENCY_MISMATCH', 'the same key with another payload')
    }
    return parseReply(this.#parts.seal.open(id, kept.reply))
  }

  #digest(parts: readonly (string | null)[]): string {
    return mac(this.#parts.nameKey, JSON.stringify(parts)).toString('base64url')
  }

  // Replies that nobody asks for again must not stay for ever; the work is small and waits for nobody.
  #cleanSometimes(): void {
    this.#sinceCleaned += 1
    if (this.#sinceCleaned < cleanEvery) return
    this.#sinceCleaned = 0
    void this.clean().catch(() => undefined)
  }

  /** Deletes the replies that are past their time. */
  async clean(): Promise<void> {
    await this.#parts.database.db
      .deleteFrom(repliesTable)
      .where('createdAt', '<=', iso(this.#nowMs() - keptMs))
      .execute()
  }
}

function running(): Problem {
  return new Problem('IDEMPOTENCY_RUNNING', 'the first request with this key has not ended', {
    headers: { 'retry-after': '1' },
  })
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}

function parseReply(text: string): KeptReply {
  const reply: unknown = JSON.parse(text)
  if (typeof reply !== 'object' || reply === null || !('status' in reply) || typeof reply.status !== 'number')
    throw new Problem('INTERNAL', 'a stored reply cannot be read')
  const content = 'content' in reply && typeof reply.content === 'string' ? reply.content : null
  const entityTag = 'entityTag' in reply && typeof reply.entityTag === 'string' ? reply.entityTag : undefined
  return { status: reply.status, content, entityTag }
}
