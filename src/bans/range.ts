import { isIP, SocketAddress } from 'node:net'
import { normaliseAddress } from '../base/index.ts'
import { ipv4Word, maskOf, readIpv6 } from './address-words.ts'

/** All addresses that begin with the same bits. */
export interface AddressRange {
  readonly family: 4 | 6
  readonly prefixBits: number
  /** The bits: one signed 32-bit number of IPv4, four of IPv6. What stands behind the prefix is zero. */
  readonly words: readonly number[]
}

/** How many bits an address of a family has. */
export function addressBits(family: 4 | 6): number {
  return family === 4 ? 32 : 128
}

/**
 * The range of one address. An IPv4 address in IPv6 spelling is the IPv4 address.
 *
 * @returns `undefined` for what is no address.
 */
export function rangeOfAddress(text: string): AddressRange | undefined {
  const address = normaliseAddress(text)
  const words = address === undefined ? undefined : wordsOf(address)
  if (words === undefined) return undefined
  const family = words.length === 1 ? 4 : 6
  return { family, prefixBits: addressBits(family), words }
}

/**
 * A CIDR range, or the range of one address. Bits behind the prefix are dropped: `203.0.113.9/24` is
 * `203.0.113.0/24`. A range of IPv4 addresses in IPv6 spelling is that of IPv4.
 *
 * @returns `undefined` for what is no range.
 */
export function parseRange(text: string): AddressRange | undefined {
  const slash = text.indexOf('/')
  if (slash === -1) return rangeOfAddress(text)
  const written = text.slice(0, slash)
  const bits = text.slice(slash + 1)
  const address = rangeOfAddress(written)
  if (address === undefined || !/^(0|[1-9]\d{0,2})$/.test(bits)) return undefined
  // `::ffff:203.0.113.0/120` counts its bits from the front of the IPv6 spelling.
  const isMapped = address.family === 4 && isIP(written) !== 4
  const prefixBits = Number(bits) - (isMapped ? 96 : 0)
  if (prefixBits < 0 || prefixBits > addressBits(address.family)) return undefined
  return widened(address, prefixBits)
}

/** The range with this many bits that holds another. */
export function widened({ family, words }: AddressRange, prefixBits: number): AddressRange {
  return { family, prefixBits, words: words.map((word, index) => word & maskOf(prefixBits - 32 * index)) }
}

/** True when every address of `inner` is in `outer`. */
export function contains(outer: AddressRange, inner: AddressRange): boolean {
  if (outer.family !== inner.family || outer.prefixBits > inner.prefixBits) return false
  return outer.words.every((word, index) => {
    const mask = maskOf(outer.prefixBits - 32 * index)
    return (word & mask) === ((inner.words[index] ?? 0) & mask)
  })
}

/** True when an address is in both; then one of the two contains the other. */
export function overlaps(one: AddressRange, other: AddressRange): boolean {
  return contains(one, other) || contains(other, one)
}

/** The one spelling of a range: `203.0.113.9`, `203.0.113.0/24`, `2001:db8::/64`. */
export function textOf({ family, prefixBits, words }: AddressRange): string {
  const address = family === 4 ? ipv4Text(words[0] ?? 0) : ipv6Text(words)
  return prefixBits === addressBits(family) ? address : `${address}/${prefixBits}`
}

function wordsOf(address: string): readonly number[] | undefined {
  const word = ipv4Word(address)
  if (word !== undefined) return [word]
  const words = new Int32Array(4)
  return readIpv6(address, words) ? [...words] : undefined
}

function ipv4Text(word: number): string {
  return [24, 16, 8, 0].map((shift) => (word >>> shift) & 255).join('.')
}

function ipv6Text(words: readonly number[]): string {
  const groups = words.flatMap((word) => [word >>> 16, word & 0xffff])
  const address = groups.map((group) => group.toString(16)).join(':')
  return new SocketAddress({ address, family: 'ipv6' }).address
}
