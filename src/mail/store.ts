import { assert, newId, type Secret } from '../base/index.ts'
import { openWith, sealWith } from '../crypto/index.ts'
import type { MigrationDatabase } from '../data/index.ts'
import { mailTable } from './migration.ts'
import type { MailIntent } from './outbox.ts'

/** A mail that this process may send until its lease runs out. */
export interface ClaimedMail {
  readonly id: string
  readonly sealed: string
  /** How often it was claimed, this time included. */
  readonly attemptCount: number
  readonly expiresAtMs: number
  /** The end of the lease, as the table holds it. */
  readonly leasedUntil: string
}

/** Keys of the table: the current one first, then the one of the root secret before. */
export type MailKeys = readonly [Secret<Buffer>, ...Secret<Buffer>[]]

const intentMaxBytes = 16_384
const lookCount = 16

/** The table of mails. Each method is one statement, or a few that need not go together. */
export class MailStore {
  readonly #db: MigrationDatabase
  readonly #keys: MailKeys

  constructor(db: MigrationDatabase, keys: MailKeys) {
    this.#db = db
    this.#keys = keys
  }

  /** @param db Where to write: the transaction of the caller, or the database itself. */
  async insert(
    db: MigrationDatabase,
    intent: MailIntent,
    at: { readonly nowMs: number; readonly expiresAtMs: number },
  ): Promise<void> {
    const id = newId(at.nowMs)
    await db
      .insertInto(mailTable)
      .values({
        id,
        sealed: this.#seal(id, intent),
        attemptCount: 0,
        dueAt: iso(at.nowMs),
        expiresAt: iso(at.expiresAtMs),
      })
      .execute()
  }

  /**
   * Takes a mail that is due: of all lanes of all processes exactly one gets it, for as long as the lease lasts. A
   * lease that ran out is one whose process has died, and the mail is due again.
   *
   * @returns `null` when nothing is due
   * @see OWASP ASVS 5.0 §15.4.2
   */
  async claim(nowMs: number, leaseMs: number): Promise<ClaimedMail | null> {
    for (;;) {
      const found = await this.#db
        .selectFrom(mailTable)
        .select(['id', 'dueAt'])
        .where('dueAt', '<=', iso(nowMs))
        .orderBy('dueAt')
        .orderBy('id')
        .limit(lookCount)
        .execute()
      if (found.length === 0) return null
      for (const { id, dueAt } of found) {
        const claimed = await this.#take({ id, dueAt }, iso(nowMs + leaseMs))
        if (claimed !== null) return claimed
      }
      // Others have taken all of them. What they took is not due any more, so this comes to an end.
    }
  }

  // One conditional statement, alike on both databases: whoever comes second finds another `dueAt` than it has seen.
  async #take(seen: { readonly id: unknown; readonly dueAt: unknown }, leasedUntil: string) {
    const row = await this.#db
      .updateTable(mailTable)
      .set((eb) => ({ dueAt: leasedUntil, attemptCount: eb('attemptCount', '+', 1) }))
      .where('id', '=', String(seen.id))
      .where('dueAt', '=', String(seen.dueAt))
      .returning(['id', 'sealed', 'attemptCount', 'expiresAt'])
      .executeTakeFirst()
    if (row === undefined) return null
    return {
      id: String(row['id']),
      sealed: String(row['sealed']),
      attemptCount: Number(row['attemptCount']),
      expiresAtMs: Date.parse(String(row['expiresAt'])),
      leasedUntil,
    }
  }

  async drop({ id }: ClaimedMail): Promise<void> {
    await this.#db.deleteFrom(mailTable).where('id', '=', id).execute()
  }

  /** Puts a mail off, unless its lease ran out and another has taken it. */
  async postpone({ id, leasedUntil }: ClaimedMail, dueAtMs: number): Promise<void> {
    await this.#db
      .updateTable(mailTable)
      .set({ dueAt: iso(dueAtMs) })
      .where('id', '=', id)
      .where('dueAt', '=', leasedUntil)
      .execute()
  }

  /** How many mails wait. It stops counting one past the given number. */
  async countUpTo(maxCount: number): Promise<number> {
    const row = await this.#db
      .selectFrom((eb) =>
        eb
          .selectFrom(mailTable)
          .select('id')
          .limit(maxCount + 1)
          .as('some'),
      )
      .select((eb) => eb.fn.countAll().as('count'))
      .executeTakeFirstOrThrow()
    return Number(row.count)
  }

  // The id is authenticated with it: a row cannot be given the text of another (ASVS 11.3.3).
  #seal(id: string, intent: MailIntent): string {
    const text = Buffer.from(JSON.stringify(intent))
    assert(text.length <= intentMaxBytes, 'what is to be mailed is small')
    return sealWith(this.#keys[0], text, Buffer.from(id)).toString('base64url')
  }

  /** @returns `null` for a row that no key opens: changed, moved, or of a root secret that is gone */
  open({ id, sealed }: ClaimedMail): MailIntent | null {
    for (const key of this.#keys) {
      const text = openWith(key, Buffer.from(sealed, 'base64url'), Buffer.from(id))
      if (text === null) continue
      const intent: unknown = JSON.parse(text.toString())
      if (typeof intent === 'object' && intent !== null && 'kind' in intent)
        return { kind: String(intent.kind), data: 'data' in intent ? intent.data : null }
    }
    return null
  }
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}
