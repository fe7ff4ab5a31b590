import { isIP, SocketAddress } from 'node:net'
import { Recent } from './recent.ts'

const mappedPrefix = '::ffff:'

/**
 * One spelling for each address: IPv6 in lower case and shortest form, an IPv4 address in IPv6 clothes
 * (`::ffff:a.b.c.d`) as IPv4, zone ids and brackets dropped. `undefined` for anything that is no address.
 *
 * @see RFC 5952
 */
export function normaliseAddress(text: string): string | undefined {
  const bare = text.startsWith('[') && text.endsWith(']') ? text.slice(1, -1) : text
  const zone = bare.indexOf('%')
  const address = zone === -1 ? bare : bare.slice(0, zone)
  switch (isIP(address)) {
    case 4:
      return address
    case 6:
      return withoutMapping(new SocketAddress({ address, family: 'ipv6' }).address)
    default:
      return undefined
  }
}

function withoutMapping(address: string): string {
  const rest = address.startsWith(mappedPrefix) ? address.slice(mappedPrefix.length) : ''
  return isIP(rest) === 4 ? rest : address
}

/** Whose buckets an address takes from. */
export interface AddressKeys {
  /** See {@link addressKey}. */
  readonly address: string
  /** See {@link networkKey}. */
  readonly network: string
}

// Some 2 MB when it is full, since what is longer than any address is not remembered: a header may say anything.
const knownCount = 10_000
const knownMaxChars = 64
const known = new Recent<AddressKeys>(knownCount)

/** The keys of an address in any spelling, remembered for those that were asked for lately. */
export function addressKeys(text: string): AddressKeys {
  const found = known.find(text)
  if (found !== undefined) return found
  const address = normaliseAddress(text) ?? ''
  const keys = { address: addressKey(address), network: networkKey(address) }
  return text.length > knownMaxChars ? keys : known.put(text, keys)
}

/**
 * Whose bucket an address takes from: an IPv4 address itself, an IPv6 address its /64, because one customer has
 * 2^64 addresses to rotate through.
 *
 * @param address As {@link normaliseAddress} gives it.
 * @example addressKey('2001:db8::1') // '2001:db8:0:0::/64'
 */
export function addressKey(address: string): string {
  return isIP(address) === 6 ? `${groupsOf(address).slice(0, 4).join(':')}::/64` : address
}

/**
 * The wider network of an address: an IPv6 address's /48, which one customer may have; an IPv4 address itself.
 *
 * @param address As {@link normaliseAddress} gives it.
 */
export function networkKey(address: string): string {
  return isIP(address) === 6 ? `${groupsOf(address).slice(0, 3).join(':')}::/48` : address
}

/** The eight groups of an IPv6 address. */
function groupsOf(address: string): readonly string[] {
  const [head = '', tail] = address.split('::')
  const groups = head === '' ? [] : head.split(':')
  const after = tail === undefined || tail === '' ? [] : tail.split(':')
  while (groups.length + after.length < 8) groups.push('0')
  return [...groups, ...after]
}
