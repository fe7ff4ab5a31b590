import { type Ban, BanFault, type BanTarget, type BanTargetKind } from './ban.ts'
import type { NeverBanned } from './never-banned.ts'
import {
  type AddressRange,
  addressBits,
  overlaps,
  parseRange,
  rangeOfAddress,
  textOf,
  widened,
} from './range.ts'

/** A target that has been understood, in its one spelling. */
export interface ParsedTarget {
  readonly kind: BanTargetKind
  readonly target: string
  /** `undefined` for an account. */
  readonly range: AddressRange | undefined
  /** What was written, before an IPv6 address became its /64. */
  readonly written: AddressRange | undefined
}

// The largest networks that anybody was ever given: wider ones hold strangers to each other.
const leastBits: Readonly<Record<4 | 6, number>> = { 4: 8, 6: 19 }
const customerBits = 64
const accountMaxChars = 200

// All of IPv4 as an IPv6-only network sees it (RFC 6052 §2.1): its /64 is no customer, but everybody.
const translated: AddressRange = { family: 6, prefixBits: 96, words: [0x0064ff9b, 0, 0, 0] }

/**
 * Understands whom to ban.
 *
 * @throws BanFault for what is no target, is too wide, or says more than one
 * @example parseTarget({ address: '2001:db8::7' }).target // '2001:db8::/64'
 */
export function parseTarget(given: BanTarget): ParsedTarget {
  const address = memberOf(given, 'address')
  const range = memberOf(given, 'range')
  const account = memberOf(given, 'account')
  if ([address, range, account].filter((text) => text !== undefined).length !== 1)
    throw new BanFault('unfit', 'A ban is of one address, one range or one account.')
  if (account !== undefined) return accountTarget(account)
  return address === undefined ? rangeTarget(range ?? '') : addressTarget(address)
}

/**
 * Understands an address or a range as it is written on a command line.
 *
 * @throws BanFault
 */
export function parseNetwork(text: string): ParsedTarget {
  return text.includes('/') ? rangeTarget(text) : addressTarget(text)
}

/** The range of a ban as it stands in the table; `null` for a row, written by hand, that no order could have made. */
export function rangeOfBan({ target }: Pick<Ban, 'target'>): AddressRange | null {
  try {
    return parseNetwork(target).range ?? null
  } catch (error) {
    if (error instanceof BanFault) return null
    throw error
  }
}

/** @throws BanFault when a ban of this target would hit a trusted proxy, or is in the allow list as a whole */
export function requireBannable({ range, written, target }: ParsedTarget, never: NeverBanned): void {
  if (range === undefined) return
  const proxy = never.proxyIn(range)
  if (proxy !== undefined)
    throw new BanFault(
      'trusted-proxy',
      `${target} has addresses of the trusted proxy ${proxy} (TRUSTED_PROXIES): a ban would hit everybody behind it.`,
    )
  const allowed = never.allowedAround(range) ?? (written && never.allowedAround(written))
  if (allowed !== undefined)
    throw new BanFault('never-banned', `${target} belongs to ${allowed}, which NEVER_BANNED protects.`)
}

/** What is unique among the bans in force. */
export function openKeyOf({ kind, target }: Pick<Ban, 'kind' | 'target'>): string {
  return `${kind === 'account' ? 'account' : 'network'} ${target}`
}

// From JavaScript anything may come.
function memberOf(given: object, name: string): string | undefined {
  const value: unknown = Reflect.get(given, name)
  if (value === undefined) return undefined
  if (typeof value === 'string') return value
  throw new BanFault('unfit', `The ${name} of a ban is a text.`)
}

function accountTarget(account: string): ParsedTarget {
  if (account === '' || account.length > accountMaxChars || hasControls(account))
    throw new BanFault('unfit', `An account is an id of up to ${accountMaxChars} characters on one line.`)
  return { kind: 'account', target: account, range: undefined, written: undefined }
}

function addressTarget(text: string): ParsedTarget {
  const written = rangeOfAddress(text)
  if (written === undefined)
    throw new BanFault('unfit', 'That is no IP address: write 203.0.113.9 or 2001:db8::7.')
  return networkTarget(written.family === 6 ? widened(written, customerBits) : written, written)
}

function rangeTarget(text: string): ParsedTarget {
  const range = text.includes('/') ? parseRange(text) : undefined
  if (range === undefined)
    throw new BanFault('unfit', 'That is no CIDR range: write 203.0.113.0/24 or 2001:db8::/48.')
  if (range.prefixBits < leastBits[range.family])
    throw new BanFault(
      'too-wide',
      `A range is banned from /${leastBits[4]} (IPv4) or /${leastBits[6]} (IPv6) on: a wider one would hit everybody.`,
    )
  if (range.family === 6 && range.prefixBits > customerBits)
    throw new BanFault('unfit', 'An IPv6 range has at most /64: one customer has all of it.')
  return networkTarget(range, range)
}

function networkTarget(range: AddressRange, written: AddressRange): ParsedTarget {
  if (overlaps(range, translated))
    throw new BanFault('too-wide', '64:ff9b::/96 is all of IPv4 behind a translator: ban the IPv4 address.')
  const isAddress = range.prefixBits === (range.family === 4 ? addressBits(4) : customerBits)
  return { kind: isAddress ? 'address' : 'range', target: textOf(range), range, written }
}

/** True for what would break a line of a terminal or a log, or steer it. */
export function hasControls(text: string): boolean {
  return /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(text) || !text.isWellFormed()
}
