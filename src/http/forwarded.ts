import { BlockList, isIP } from 'node:net'
import { assert, normaliseAddress } from '../base/index.ts'

/** Tells whether a peer is one of the configured proxies. */
export type IsTrusted = (address: string) => boolean

// Proxies in a chain are a handful; a longer list is somebody's attempt to make us work.
const maxHopCount = 32

/** What is wrong with an entry of the trusted-proxy list; `undefined` for an address or a CIDR range. */
export function cidrFault(entry: string): string | undefined {
  const { address, bits } = parseCidr(entry)
  const family = isIP(address)
  if (family === 0) return 'expected an IP address or a CIDR range such as 10.0.0.0/8'
  const maxBits = family === 4 ? 32 : 128
  if (bits !== undefined && !(/^\d{1,3}$/.test(bits) && Number(bits) <= maxBits)) {
    return `expected a prefix length from 0 to ${maxBits}`
  }
  return bits !== undefined && Number(bits) === 0
    ? 'a range of all addresses would trust every client'
    : undefined
}

/**
 * Makes the check for the configured proxies.
 *
 * @param entries Addresses and CIDR ranges; faulty ones are refused by {@link cidrFault} before they get here.
 */
export function trustOf(entries: readonly string[]): IsTrusted {
  const list = new BlockList()
  for (const entry of entries) {
    assert(cidrFault(entry) === undefined, 'the trusted proxies were checked with the settings')
    const { address, bits } = parseCidr(entry)
    const family = isIP(address) === 4 ? 'ipv4' : 'ipv6'
    if (bits === undefined) list.addAddress(address, family)
    else list.addSubnet(address, Number(bits), family)
  }
  return (address) => {
    const family = isIP(address)
    return family !== 0 && list.check(address, family === 4 ? 'ipv4' : 'ipv6')
  }
}

/**
 * The client's address: the peer's, unless the peer is a trusted proxy; then the right-most hop of
 * `X-Forwarded-For` that is none. What stands left of it was written by the client and means nothing.
 *
 * @param peer The address at the other end of the socket.
 * @param forwardedFor The field `X-Forwarded-For`, its lines joined.
 * @returns A normalised address; the peer's when the field holds anything but addresses.
 * @see OWASP ASVS 5.0 §4.1.3, §15.3.4
 */
export function clientAddressOf(
  peer: string | undefined,
  forwardedFor: string | undefined,
  isTrusted: IsTrusted,
): string {
  const peerAddress = normaliseAddress(peer ?? '') ?? 'unknown'
  if (forwardedFor === undefined || !isTrusted(peerAddress)) return peerAddress
  const hops = forwardedFor.split(',').slice(-maxHopCount).reverse()
  let nearest = peerAddress
  for (const hop of hops) {
    const address = normaliseAddress(withoutPort(hop.trim()))
    if (address === undefined) return peerAddress
    nearest = address
    if (!isTrusted(address)) break
  }
  return nearest
}

/** True when a trusted proxy says that the client came over TLS: its last word, `https`, exactly. */
export function isForwardedSecure(
  peer: string | undefined,
  forwardedProto: string | undefined,
  isTrusted: IsTrusted,
): boolean {
  if (forwardedProto === undefined || !isTrusted(normaliseAddress(peer ?? '') ?? '')) return false
  return forwardedProto.slice(forwardedProto.lastIndexOf(',') + 1).trim() === 'https'
}

// Some proxies append the client's port: `203.0.113.7:4711`, `[2001:db8::1]:4711`.
function withoutPort(hop: string): string {
  return /^(\[[^\]]*\]|[^:]*):\d{1,5}$/.exec(hop)?.[1] ?? hop
}

function parseCidr(entry: string): { readonly address: string; readonly bits: string | undefined } {
  const slash = entry.indexOf('/')
  if (slash === -1) return { address: entry, bits: undefined }
  return { address: entry.slice(0, slash), bits: entry.slice(slash + 1) }
}
