import { BlockList, isIP } from 'node:net'
import { bad, good, type Parsed } from './setting.ts'

const hostLabel = /^(?!-)[A-Za-z0-9-]{1,63}(?<!-)$/

/** A host to listen on: an IP address or a host name. */
export function parseHost(text: string): Parsed<string> {
  const isName =
    text.length <= 253 && text.split('.').every((label) => hostLabel.test(label)) && !/^[\d.]+$/.test(text)
  return isIP(text) !== 0 || isName
    ? good(text)
    : bad(
        'is no address to listen on',
        'write an IP address or a host name, without port, scheme or brackets',
      )
}

/** A TCP port; 0 lets the system choose one. */
export function parsePort(text: string): Parsed<number> {
  const port = Number(text)
  return /^(0|[1-9]\d{0,4})$/.test(text) && port <= 65_535
    ? good(port)
    : bad('is no port', 'write a whole number from 0 to 65535')
}

/**
 * An origin as browsers write it: scheme, host, and the port where it is not the scheme's own.
 *
 * @see RFC 6454 §6.1
 */
export function parseOrigin(text: string): Parsed<string> {
  const fix = 'write scheme and host, and the port if it is not the usual one: https://api.example.com'
  if (text.includes('*')) return bad('has a wildcard, which would name origins that are not yours', fix)
  if (!URL.canParse(text)) return bad('is no origin', fix)
  const url = new URL(text)
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return bad('is not an http or https origin', fix)
  if (url.username !== '' || url.password !== '') return bad('holds credentials', fix)
  if (url.origin !== text) return bad('is more than an origin, or not spelled as browsers spell it', fix)
  return good(url.origin)
}

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8, 'ipv4')
loopback.addAddress('::1', 'ipv6')

/** True for a host that only this machine can reach: `localhost`, 127.0.0.0/8, ::1 (also in brackets). */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[(.*)\]$/, '$1')
  const family = isIP(bare)
  if (family !== 0) return loopback.check(bare, family === 4 ? 'ipv4' : 'ipv6')
  return bare === 'localhost' || bare.endsWith('.localhost')
}

/** The origin of a listener nobody gave a public name. */
export function originOf(scheme: 'http' | 'https', host: string, port: number): string {
  // Nobody can call an unspecified address; it stands for all of them, this machine's own name among them.
  const name = host === '0.0.0.0' || host === '::' ? 'localhost' : host
  return new URL(`${scheme}://${isIP(name) === 6 ? `[${name}]` : name}:${port}`).origin
}

// Wider ranges are no network of proxies: two halves of everything would be 0.0.0.0/0 in other words.
const minPrefixBits: Readonly<Record<4 | 6, number>> = { 4: 8, 6: 7 }
const mappedIpv4 = new BlockList()
mappedIpv4.addSubnet('::ffff:0:0', 96, 'ipv6')

/**
 * An address or a CIDR range of proxies.
 *
 * Whoever is in the range can claim to be any client, so a range that holds strangers is refused.
 *
 * @see OWASP ASVS 5.0 §4.1.3
 */
export function parseProxyRange(text: string): Parsed<string> {
  return parseCidr(
    text,
    bad('is so wide that clients themselves would be trusted', 'name the networks of your own proxies'),
  )
}

/**
 * An address or a CIDR range that no ban can hit. What holds strangers is refused: they could not be banned.
 *
 * @see OWASP ASVS 5.0 §8.2.4
 */
export function parseAllowedRange(text: string): Parsed<string> {
  return parseCidr(text, bad('is so wide that attackers would be in it too', 'name the networks of your own'))
}

function parseCidr(text: string, tooWide: Parsed<string>): Parsed<string> {
  const [address = '', bits, ...rest] = text.split('/')
  const family = isIP(address)
  const fix = 'write an IP address or a CIDR range such as 10.0.0.0/8'
  if ((family !== 4 && family !== 6) || rest.length > 0 || address.includes('%'))
    return bad('is no CIDR range', fix)
  if (family === 6 && mappedIpv4.check(address, 'ipv6')) {
    return bad('has an IPv4 address in IPv6 spelling', 'write it as IPv4: 10.0.0.0/8')
  }
  if (bits === undefined) return good(text)
  if (!/^(0|[1-9]\d{0,2})$/.test(bits) || Number(bits) > (family === 4 ? 32 : 128)) {
    return bad('has a prefix length that does not exist', fix)
  }
  return Number(bits) < minPrefixBits[family] ? tooWide : good(text)
}
