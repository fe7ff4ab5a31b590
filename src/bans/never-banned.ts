import { assert } from '../base/index.ts'
import { type AddressRange, contains, overlaps, parseRange, rangeOfAddress, textOf } from './range.ts'

/** Who cannot be banned: the trusted proxies, and the allow list. */
export interface NeverBanned {
  /** The trusted proxy that shares an address with a range, as text. */
  proxyIn(range: AddressRange): string | undefined
  /** The entry of the allow list that a range is a part of, as text. */
  allowedAround(range: AddressRange): string | undefined
  /** True for an address of a proxy or of the allow list. */
  has(address: string): boolean
}

/**
 * Makes the check. A ban is held against it when it is made, and again whenever it would hit somebody: a row may be
 * older than the setting, or written by hand.
 *
 * @param trustedProxies TRUSTED_PROXIES: a ban of a proxy would be one of everybody behind it.
 * @param allowed NEVER_BANNED.
 */
export function neverBanned(trustedProxies: readonly string[], allowed: readonly string[]): NeverBanned {
  const proxies = trustedProxies.map(checkedRange)
  const listed = allowed.map(checkedRange)
  const all = [...proxies, ...listed]
  return {
    proxyIn: (range) => nameOf(proxies.find((proxy) => overlaps(proxy, range))),
    allowedAround: (range) => nameOf(listed.find((entry) => contains(entry, range))),
    has(address) {
      if (all.length === 0) return false
      const range = rangeOfAddress(address)
      return range !== undefined && all.some((entry) => contains(entry, range))
    },
  }
}

function checkedRange(entry: string): AddressRange {
  const range = parseRange(entry)
  assert(range !== undefined, 'the ranges were checked with the settings')
  return range
}

function nameOf(range: AddressRange | undefined): string | undefined {
  return range === undefined ? undefined : textOf(range)
}
