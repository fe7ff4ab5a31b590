import { ipv4Word, readIpv6 } from './address-words.ts'
import { type Ban, manualOrigin } from './ban.ts'
import { Ipv4Networks, Ipv6Networks, type NetworkBan } from './networks.ts'
import type { NeverBanned } from './never-banned.ts'
import type { AddressRange } from './range.ts'
import { rangeOfBan } from './target.ts'

/** What {@link BanIndex} is made of. */
export interface BanIndexParts {
  readonly never: NeverBanned
  /** How many bans are held at most; 100,000 unless given, some 40 MB. */
  readonly maxCount?: number | undefined
  /** Told how many bans there was no room for, for the log. */
  readonly onOverfull?: ((droppedCount: number) => void) | undefined
  /** The wall clock, in milliseconds since 1970. */
  readonly nowMs: () => number
}

interface Held extends NetworkBan {
  readonly range: AddressRange | undefined
  readonly target: string
  /** Those that weigh least go first. */
  readonly weight: number
}

const defaultMaxCount = 100_000
const endlessMs = 8.64e15
// Above every time there is: what a person has banned outlasts what a detector has.
const manualWeight = 1e16

// Taken up anew by each look-up; nothing else runs meanwhile.
const words = new Int32Array(4)

/**
 * Everybody who is banned, in memory: a look-up reads no table, waits for nothing, and makes no garbage
 * for whoever is not banned.
 *
 * It is bounded. When there are more bans than it holds, those of persons stay, and of the others those that last
 * longest: a botnet whose hosts are banned one by one must not push an operator's ban out.
 */
export class BanIndex {
  readonly #never: NeverBanned
  readonly #maxCount: number
  readonly #onOverfull: (droppedCount: number) => void
  readonly #nowMs: () => number
  readonly #held = new Map<string, Held>()
  readonly #ipv4 = new Ipv4Networks()
  readonly #ipv6 = new Ipv6Networks()
  readonly #accounts = new Map<string, NetworkBan>()
  /** What weighs no more than this was dropped before, and would only be dropped again. */
  #floorWeight = Number.NEGATIVE_INFINITY

  constructor({ never, maxCount = defaultMaxCount, onOverfull = () => undefined, nowMs }: BanIndexParts) {
    this.#never = never
    this.#maxCount = maxCount
    this.#onOverfull = onOverfull
    this.#nowMs = nowMs
  }

  get count(): number {
    return this.#held.size
  }

  /** How many of them are of accounts. */
  get accountCount(): number {
    return this.#accounts.size
  }

  /**
   * For how long an address is still banned, in milliseconds.
   *
   * @param address As `normaliseAddress` gives it; anything else is not banned.
   */
  addressBannedForMs(address: string): number | undefined {
    if (this.#held.size === 0) return undefined
    const ban = this.#lastToEnd(address)
    if (ban === undefined) return undefined
    const restMs = ban.expiresAtMs - this.#nowMs()
    // Last, because it is rare: only whoever would be refused is held against the lists.
    return restMs > 0 && !this.#never.has(address) ? restMs : undefined
  }

  /** For how long an account is still banned, in milliseconds. */
  accountBannedForMs(userId: string): number | undefined {
    const ban = this.#accounts.get(userId)
    if (ban === undefined) return undefined
    const restMs = ban.expiresAtMs - this.#nowMs()
    return restMs > 0 ? restMs : undefined
  }

  /** Takes up how a ban stands now: in force, extended, or lifted. */
  put(ban: Ban): void {
    this.#remove(ban.id)
    const expiresAtMs = ban.expiresAt === null ? Number.POSITIVE_INFINITY : Date.parse(ban.expiresAt)
    // Written so that a time that is none ends the ban too.
    if (ban.liftedAt !== null || !(expiresAtMs > this.#nowMs())) return
    const range = ban.kind === 'account' ? undefined : rangeOfBan(ban)
    if (range === null) return
    const weight = Math.min(expiresAtMs, endlessMs) + (ban.origin === manualOrigin ? manualWeight : 0)
    if (this.#held.size >= this.#roomCount && weight <= this.#floorWeight) return
    const held: Held = { id: ban.id, expiresAtMs, range, target: ban.target, weight }
    this.#held.set(ban.id, held)
    this.#enter(held)
    if (this.#held.size > this.#maxCount) this.#makeRoom()
  }

  /** Forgets what is past its end. */
  sweep(): void {
    const now = this.#nowMs()
    for (const { id, expiresAtMs } of this.#held.values()) if (expiresAtMs <= now) this.#remove(id)
    if (this.#held.size < this.#roomCount) this.#floorWeight = Number.NEGATIVE_INFINITY
  }

  // Room is made for a twentieth at once: to sort everything for each ban over the bound would be the attack.
  get #roomCount(): number {
    return this.#maxCount - Math.floor(this.#maxCount / 20)
  }

  #lastToEnd(address: string): NetworkBan | undefined {
    const word = ipv4Word(address)
    if (word !== undefined) return this.#ipv4.lastToEnd(word)
    return readIpv6(address, words) ? this.#ipv6.lastToEnd(words[0] ?? 0, words[1] ?? 0) : undefined
  }

  #enter(held: Held): void {
    const { range, target } = held
    if (range === undefined) this.#accounts.set(target, held)
    else if (range.family === 4) this.#ipv4.set(range.words[0] ?? 0, range.prefixBits, held)
    else this.#ipv6.set(range.words[0] ?? 0, range.words[1] ?? 0, range.prefixBits, held)
  }

  #remove(id: string): void {
    const held = this.#held.get(id)
    if (held === undefined) return
    this.#held.delete(id)
    const { range, target } = held
    if (range === undefined) {
      if (this.#accounts.get(target)?.id === id) this.#accounts.delete(target)
    } else if (range.family === 4) this.#ipv4.delete(range.words[0] ?? 0, range.prefixBits, id)
    else this.#ipv6.delete(range.words[0] ?? 0, range.words[1] ?? 0, range.prefixBits, id)
  }

  #makeRoom(): void {
    this.sweep()
    const excessCount = this.#held.size - this.#roomCount
    if (this.#held.size <= this.#maxCount) return
    const byWeight = [...this.#held.values()].sort((a, b) => a.weight - b.weight)
    for (const { id, weight } of byWeight.slice(0, excessCount)) {
      this.#remove(id)
      this.#floorWeight = weight
    }
    this.#onOverfull(excessCount)
  }
}
