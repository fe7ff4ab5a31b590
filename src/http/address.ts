import { isIP, SocketAddress } from 'node:net'

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

/**
 * Whose bucket an address takes from: an IPv4 address itself, an IPv6 address its /64, because one customer has
 * 2^64 addresses to rotate through.
 *
 * @param address As {@link normaliseAddress} gives it.
 * @example addressKey('2001:db8::1') // '2001:db8:0:0::/64'
 */
export function addressKey(address: string): string {
  if (isIP(address) !== 6) return address
  const [head = '', tail] = address.split('::')
  const groups = head === '' ? [] : head.split(':')
  const after = tail === undefined || tail === '' ? [] : tail.split(':')
  while (groups.length + after.length < 8) groups.push('0')
  return `${[...groups, ...after].slice(0, 4).join(':')}::/64`
}
