import { addressKey, normaliseAddress } from '../base/index.ts'
import type { Finding } from '../detection/index.ts'
import type { HeldResponse, ResponseTargetKind } from './response.ts'

/** Whom a response is against. */
export interface ResponseTarget {
  readonly targetKind: ResponseTargetKind
  /** In its one spelling; an IPv6 address as its /64, as bans have it. */
  readonly target: string
  /** The address before it became its /64: what `NEVER_BANNED` protects is single addresses too. */
  readonly written: string
}

const idMaxChars = 200
const lineMaxChars = 500

/**
 * Whom a response to a finding is against: its subject where that fits, otherwise those who took part, the latest
 * first. Who is locked out is never more than the one that was counted: an address that tries the passwords of fifty
 * people must not get to lock all of them.
 *
 * @returns none for a finding that has nothing of the kind, or only what is no address and no id
 */
export function targetsOf(
  response: HeldResponse,
  finding: Finding,
  maxCount: number,
): readonly ResponseTarget[] {
  const found = new Map<string, ResponseTarget>()
  for (const { kind, value } of candidatesOf(response, finding)) {
    if (found.size >= maxCount) break
    const target = kind === 'address' ? addressTarget(value) : idTarget(kind, value)
    if (target !== null && !found.has(target.target)) found.set(target.target, target)
  }
  return [...found.values()]
}

interface Candidate {
  readonly kind: ResponseTargetKind
  readonly value: string
}

function candidatesOf(response: HeldResponse, finding: Finding): readonly Candidate[] {
  const { by, value } = finding.subject
  const { addresses, accounts, sessions } = finding
  const subject = (kind: ResponseTargetKind): readonly Candidate[] => [{ kind, value }]
  const theirs = (kind: ResponseTargetKind, values: readonly string[]): readonly Candidate[] =>
    values.toReversed().map((one) => ({ kind, value: one }))
  // A session belongs to one account; with more than one nobody knows whose it is.
  const holder = by === 'session' && accounts.length === 1 ? theirs('account', accounts) : []
  switch (response) {
    case 'ban-address':
      return by === 'address' ? subject('address') : theirs('address', addresses)
    case 'slow-down':
      if (by === 'address') return subject('address')
      if (by === 'account') return subject('account')
      return by === 'session' ? holder : theirs('address', addresses)
    case 'step-up':
      return by === 'account' || by === 'session' ? subject(by) : theirs('account', accounts)
    case 'lock-account':
      return by === 'account' ? subject('account') : holder
    case 'revoke-sessions':
      return by === 'account' || by === 'session' ? subject(by) : theirs('session', sessions)
  }
}

function addressTarget(text: string): ResponseTarget | null {
  // A detector may have counted by the /64.
  const written = normaliseAddress(text.endsWith('::/64') ? text.slice(0, -3) : text)
  return written === undefined ? null : { targetKind: 'address', target: spelling(written), written }
}

function idTarget(targetKind: ResponseTargetKind, id: string): ResponseTarget | null {
  if (id === '' || id.length > idMaxChars || oneLine(id, idMaxChars) !== id) return null
  return { targetKind, target: id, written: id }
}

function spelling(address: string): string {
  const key = addressKey(address)
  if (key === address) return address
  return `${normaliseAddress(key.slice(0, -3)) ?? address}/64`
}

/** The spelling of a target in the table, of whatever somebody searches by. */
export function targetSpelling(text: string): string {
  return addressTarget(text)?.target ?? text
}

/** The key of an address target in memory; `undefined` for a row, written by hand, that has none. */
export function addressKeyOf(target: string): string | undefined {
  const found = addressTarget(target)
  return found === null ? undefined : addressKey(found.written)
}

/** A text without what would break a line of a terminal or a log, or steer it. */
export function oneLine(text: string, maxChars: number = lineMaxChars): string {
  return text
    .toWellFormed()
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\ufffd]+/gu, ' ')
    .trim()
    .slice(0, maxChars)
    .toWellFormed()
}
