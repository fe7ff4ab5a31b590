import type { Secret } from '../base/index.ts'
import { mac, openWith, randomToken, sealWith } from '../crypto/index.ts'
import type { MigrationDatabase } from '../data/index.ts'
import { singleUseTable } from './migration.ts'

/** What a token that works once is good for. A token of one purpose is nothing to another. */
export type SingleUsePurpose = 'verify-email' | 'reset-password' | 'change-email' | 'first-administrator'

/** A token to be made. */
export interface SingleUseRequest {
  readonly purpose: SingleUsePurpose
  /** Whose it is: an account's id, or an address that has no account yet. */
  readonly subject: string
  /** How long it works, in milliseconds; 10 to 60 minutes. */
  readonly lifetimeMs: number
  /** What comes back with it. Sealed in the table, under a key that does not lie there. */
  readonly data?: unknown
}

/** What a token was made for. */
export interface Consumed {
  readonly subject: string
  readonly data: unknown
}

/** Keys and clock of {@link SingleUseTokens}. */
export interface SingleUseParts {
  /** The key derived for `single-use-name`: the table knows tokens by their MAC alone. */
  readonly nameKey: Secret<Buffer>
  /** The key derived for `single-use-data`. */
  readonly sealKey: Secret<Buffer>
  readonly nowMs?: () => number
}

const tokenBytes = 32
const tokenPattern = /^[A-Za-z0-9_-]{43}$/
const minimumMs = 600_000
const maximumMs = 3_600_000

/**
 * Tokens of 256 bits that work once: in mails and for the first administrator. Each is taken by one conditional
 * DELETE, so that of any number of requests that send it at once exactly one is told what it was made for.
 *
 * @see NIST SP 800-63B-4 §3.1.3.2; OWASP ASVS 5.0 §6.4.1, §6.6.2, §11.5.1; GHSA-hc7v-rggr-4hvx (a link used twice)
 */
export class SingleUseTokens {
  readonly #parts: SingleUseParts
  readonly #nowMs: () => number

  constructor(parts: SingleUseParts) {
    this.#parts = parts
    this.#nowMs = parts.nowMs ?? Date.now
  }

  /**
   * Makes a token. It takes the place of those of the same purpose and subject: the newest mail is the one that works.
   * Not so for `verify-email`, which belongs to no account yet: there, whoever registers somebody's address again and
   * again could end each of the owner's links before it is used.
   *
   * @param db In the transaction of what the token belongs to.
   * @returns the token; it is kept nowhere.
   * @throws RangeError for a lifetime outside of 10 to 60 minutes.
   */
  async issue(db: MigrationDatabase, request: SingleUseRequest): Promise<string> {
    const { purpose, subject, lifetimeMs, data } = request
    if (!(lifetimeMs >= minimumMs && lifetimeMs <= maximumMs))
      throw new RangeError('a token in a mail works for 10 to 60 minutes')
    const token = randomToken(tokenBytes)
    const hash = this.#name(purpose, token)
    const nowMs = this.#nowMs()
    if (purpose !== 'verify-email') await this.forget(db, subject, [purpose])
    await db
      .insertInto(singleUseTable)
      .values({
        hash,
        purpose,
        subject,
        sealed: data === undefined ? null : this.#seal(hash, data),
        createdAt: iso(nowMs),
        expiresAt: iso(nowMs + lifetimeMs),
      })
      .execute()
    return token
  }

  /**
   * Takes a token: it is gone with this call, whatever comes of it.
   *
   * @param db In the transaction of what it lets happen: when that fails, the token is there again.
   * @returns `null` for one that is unknown, used, past its time, replaced, or of another purpose.
   */
  async consume(db: MigrationDatabase, purpose: SingleUsePurpose, token: string): Promise<Consumed | null> {
    if (!tokenPattern.test(token)) return null
    const hash = this.#name(purpose, token)
    const [row] = await db
      .deleteFrom(singleUseTable)
      .where('hash', '=', hash)
      .where('purpose', '=', purpose)
      .where('expiresAt', '>', iso(this.#nowMs()))
      .returning(['subject', 'sealed'])
      .execute()
    if (row === undefined) return null
    const { subject, sealed } = row
    return {
      subject: String(subject),
      data: typeof sealed === 'string' ? this.#open(hash, sealed) : undefined,
    }
  }

  /**
   * Whose token it is, without taking it: for what has to be checked before, such as a new password that is refused
   * and asked for again. It decides nothing; {@link consume} does.
   */
  async peek(db: MigrationDatabase, purpose: SingleUsePurpose, token: string): Promise<string | null> {
    if (!tokenPattern.test(token)) return null
    const row = await db
      .selectFrom(singleUseTable)
      .select('subject')
      .where('hash', '=', this.#name(purpose, token))
      .where('expiresAt', '>', iso(this.#nowMs()))
      .executeTakeFirst()
    return row === undefined ? null : String(row['subject'])
  }

  /** Ends the tokens of a subject before they are used. @param purposes All of them unless given. */
  async forget(
    db: MigrationDatabase,
    subject: string,
    purposes?: readonly SingleUsePurpose[],
  ): Promise<void> {
    let query = db.deleteFrom(singleUseTable).where('subject', '=', subject)
    if (purposes !== undefined) query = query.where('purpose', 'in', [...purposes])
    await query.execute()
  }

  /** Deletes what is past its time. */
  async clean(db: MigrationDatabase): Promise<void> {
    await db.deleteFrom(singleUseTable).where('expiresAt', '<=', iso(this.#nowMs())).execute()
  }

  // The purpose is part of the name, so that a token sent to the wrong endpoint names no row at all.
  #name(purpose: SingleUsePurpose, token: string): string {
    return mac(this.#parts.nameKey, `${purpose} ${token}`).toString('base64url')
  }

  #seal(hash: string, data: unknown): string {
    const text = Buffer.from(JSON.stringify(data))
    return sealWith(this.#parts.sealKey, text, Buffer.from(hash)).toString('base64url')
  }

  #open(hash: string, sealed: string): unknown {
    const text = openWith(this.#parts.sealKey, Buffer.from(sealed, 'base64url'), Buffer.from(hash))
    return text === null ? undefined : JSON.parse(text.toString())
  }
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}
