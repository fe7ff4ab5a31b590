import { addressKey } from '../base/index.ts'
import type { ResponseRecord } from './response.ts'
import { addressKeyOf } from './targets.ts'

/** What {@link ResponseIndex} is made of. */
export interface ResponseIndexParts {
  readonly slowDown: { readonly firstMs: number; readonly maxMs: number }
  /** Whether an address is of a trusted proxy, or of `NEVER_BANNED`. */
  readonly isProtected: (address: string) => boolean
  /** How many of each kind are held at most; 100,000 unless given. */
  readonly maxCount?: number | undefined
  /** Told once when there begins to be no room, for the log. */
  readonly onOverfull?: (() => void) | undefined
  /** The wall clock, in milliseconds since 1970. */
  readonly nowMs: () => number
}

interface Held {
  readonly id: string
  readonly key: string
  readonly book: Map<string, Held>
  readonly expiresAtMs: number
  readonly delayMs: number
  readonly sinceMs: number
}

const defaultMaxCount = 100_000

/**
 * Who is slowed down and who must authenticate again, in memory: a request reads no table and waits for nothing.
 *
 * It is bounded, each kind by itself: a botnet whose hosts are slowed down one by one must not keep an account from
 * being asked for its password. There is room again once the earlier ones have ended.
 */
export class ResponseIndex {
  readonly #parts: ResponseIndexParts
  readonly #maxCount: number
  readonly #held = new Map<string, Held>()
  readonly #slowAddresses = new Map<string, Held>()
  /** Of IPv6, by themselves: to write down the /64 of an address costs more than all the rest of a look-up. */
  readonly #slowNetworks = new Map<string, Held>()
  readonly #slowAccounts = new Map<string, Held>()
  readonly #stepUpAccounts = new Map<string, Held>()
  readonly #stepUpSessions = new Map<string, Held>()
  #isOverfull = false

  constructor(parts: ResponseIndexParts) {
    this.#parts = parts
    this.#maxCount = parts.maxCount ?? defaultMaxCount
  }

  get count(): number {
    return this.#held.size
  }

  /**
   * How long a request is to be held back, in milliseconds; 0 for most.
   *
   * @param address As `normaliseAddress` gives it.
   */
  delayMsFor(address: string, userId: string | null): number {
    const byAddress = this.#addressDelayMs(address)
    if (userId === null || this.#slowAccounts.size === 0) return byAddress
    const byAccount = this.#inForce(this.#slowAccounts.get(userId))?.delayMs ?? 0
    return Math.max(byAddress, byAccount)
  }

  /**
   * Since when a session must have been authenticated to be used, in milliseconds since 1970; `undefined` for whenever.
   * Whoever was authenticated before must do it again.
   *
   * @see RFC 9470; OWASP ASVS 5.0 §7.5.3
   */
  stepUpSinceMs(userId: string, sessionId: string): number | undefined {
    if (this.#stepUpAccounts.size === 0 && this.#stepUpSessions.size === 0) return undefined
    const byAccount = this.#inForce(this.#stepUpAccounts.get(userId))?.sinceMs
    const bySession = this.#inForce(this.#stepUpSessions.get(sessionId))?.sinceMs
    if (byAccount === undefined || bySession === undefined) return byAccount ?? bySession
    return Math.max(byAccount, bySession)
  }

  /** Takes up how a response stands now: in force, extended, or undone. */
  put(record: ResponseRecord): void {
    this.#remove(record.id)
    const expiresAtMs = Date.parse(record.expiresAt)
    if (record.mode !== 'applied' || record.outcome !== 'done' || record.undoneAt !== null) return
    // Written so that a time that is none ends the response too.
    if (!(expiresAtMs > this.#parts.nowMs())) return
    const book = this.#bookOf(record)
    const key = record.targetKind === 'address' ? addressKeyOf(record.target) : record.target
    if (book === undefined || key === undefined || !this.#hasRoom(book, key)) return
    const { id } = record
    const sinceMs = Date.parse(record.lastAt)
    const held = { id, key, book, expiresAtMs, sinceMs, delayMs: this.#delayMsOf(record) }
    this.#held.set(id, held)
    book.set(key, held)
  }

  /** Forgets what is past its end. */
  sweep(): void {
    const now = this.#parts.nowMs()
    for (const { id, expiresAtMs } of this.#held.values()) if (expiresAtMs <= now) this.#remove(id)
    if (this.#held.size < this.#maxCount) this.#isOverfull = false
  }

  #addressDelayMs(address: string): number {
    if (this.#slowAddresses.size === 0 && this.#slowNetworks.size === 0) return 0
    const held = this.#inForce(this.#slowedAt(address))
    // The list last, because it is rare: a row may be older than the setting, or written by hand.
    return held === undefined || this.#parts.isProtected(address) ? 0 : held.delayMs
  }

  #slowedAt(address: string): Held | undefined {
    if (!address.includes(':')) return this.#slowAddresses.get(address)
    return this.#slowNetworks.size === 0 ? undefined : this.#slowNetworks.get(addressKey(address))
  }

  #inForce(held: Held | undefined): Held | undefined {
    return held !== undefined && held.expiresAtMs > this.#parts.nowMs() ? held : undefined
  }

  /** Twice as long for each finding more, and for each time before within a week. */
  #delayMsOf({ response, levelCount, findingCount }: ResponseRecord): number {
    if (response !== 'slow-down') return 0
    const { firstMs, maxMs } = this.#parts.slowDown
    const doubledCount = Math.max(0, Math.min(30, levelCount + findingCount - 2))
    return Math.min(maxMs, firstMs * 2 ** doubledCount)
  }

  #bookOf({ response, targetKind, target }: ResponseRecord): Map<string, Held> | undefined {
    if (response === 'slow-down') {
      if (targetKind === 'address') return target.includes(':') ? this.#slowNetworks : this.#slowAddresses
      return targetKind === 'account' ? this.#slowAccounts : undefined
    }
    if (response !== 'step-up') return undefined
    if (targetKind === 'account') return this.#stepUpAccounts
    return targetKind === 'session' ? this.#stepUpSessions : undefined
  }

  #hasRoom(book: ReadonlyMap<string, Held>, key: string): boolean {
    if (book.size < this.#maxCount || book.has(key)) return true
    if (!this.#isOverfull) this.#parts.onOverfull?.()
    this.#isOverfull = true
    return false
  }

  #remove(id: string): void {
    const held = this.#held.get(id)
    if (held === undefined) return
    this.#held.delete(id)
    // The target may have a later response by now.
    if (held.book.get(held.key) === held) held.book.delete(held.key)
  }
}
