import { maskOf } from './address-words.ts'

/** What stands against a network. */
export interface NetworkBan {
  readonly id: string
  /** Milliseconds since 1970; infinite for a ban without an end. */
  readonly expiresAtMs: number
}

interface Level<Bans> {
  readonly prefixBits: number
  readonly bans: Bans
}

/** Bans of IPv4 networks, found by one look for each prefix length that is in use. */
export class Ipv4Networks {
  // An array, because it is gone through for every request: the entries of a Map would be made anew each time.
  #levels: readonly Level<Map<number, NetworkBan>>[] = []

  set(network: number, prefixBits: number, ban: NetworkBan): void {
    const level = this.#at(prefixBits) ?? { prefixBits, bans: new Map<number, NetworkBan>() }
    if (level.bans.size === 0) this.#levels = [...this.#levels, level]
    level.bans.set(network, ban)
  }

  /** Takes a ban away, but not a later one of the same network. */
  delete(network: number, prefixBits: number, id: string): void {
    const level = this.#at(prefixBits)
    if (level?.bans.get(network)?.id !== id) return
    level.bans.delete(network)
    if (level.bans.size === 0) this.#levels = this.#levels.filter((other) => other !== level)
  }

  /** The ban that ends last of those that an address falls under. */
  lastToEnd(address: number): NetworkBan | undefined {
    let last: NetworkBan | undefined
    for (let index = 0; index < this.#levels.length; index += 1) {
      const level = this.#levels[index]
      const ban = level?.bans.get(address & maskOf(level.prefixBits))
      if (ban !== undefined && (last === undefined || ban.expiresAtMs > last.expiresAtMs)) last = ban
    }
    return last
  }

  #at(prefixBits: number): Level<Map<number, NetworkBan>> | undefined {
    return this.#levels.find((level) => level.prefixBits === prefixBits)
  }
}

/** Bans of IPv6 networks up to /64: the first 64 bits, as two words. */
export class Ipv6Networks {
  #levels: readonly Level<Map<number, Map<number, NetworkBan>>>[] = []

  set(high: number, low: number, prefixBits: number, ban: NetworkBan): void {
    const level = this.#at(prefixBits) ?? { prefixBits, bans: new Map<number, Map<number, NetworkBan>>() }
    if (level.bans.size === 0) this.#levels = [...this.#levels, level]
    const bans = level.bans.get(high) ?? new Map<number, NetworkBan>()
    level.bans.set(high, bans.set(low, ban))
  }

  /** Takes a ban away, but not a later one of the same network. */
  delete(high: number, low: number, prefixBits: number, id: string): void {
    const level = this.#at(prefixBits)
    const bans = level?.bans.get(high)
    if (level === undefined || bans?.get(low)?.id !== id) return
    bans.delete(low)
    if (bans.size === 0) level.bans.delete(high)
    if (level.bans.size === 0) this.#levels = this.#levels.filter((other) => other !== level)
  }

  /** The ban that ends last of those that an address falls under. */
  lastToEnd(high: number, low: number): NetworkBan | undefined {
    let last: NetworkBan | undefined
    for (let index = 0; index < this.#levels.length; index += 1) {
      const level = this.#levels[index]
      if (level === undefined) continue
      const { prefixBits, bans } = level
      const ban = bans.get(high & maskOf(prefixBits))?.get(low & maskOf(prefixBits - 32))
      if (ban !== undefined && (last === undefined || ban.expiresAtMs > last.expiresAtMs)) last = ban
    }
    return last
  }

  #at(prefixBits: number): Level<Map<number, Map<number, NetworkBan>>> | undefined {
    return this.#levels.find((level) => level.prefixBits === prefixBits)
  }
}
