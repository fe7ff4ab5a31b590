import { isIP } from 'node:net'
import { addressKey, networkKey } from '../base/index.ts'
import type { FindingSubject } from './finding.ts'

/** Something that a detector counts. */
export type SignalName =
  | 'login-failed'
  | 'login-succeeded'
  | 'session-ended'
  | 'token-reused'
  | 'session-moved'
  /** An object that is not there, or is somebody else's, asked for by an account and by a stranger. */
  | 'object-missed'
  | 'object-missed-by-stranger'
  /** An object of which the database says that it is somebody else's. */
  | 'object-foreign'
  | 'path-missed'
  /** A route that is there, and not for this account. */
  | 'route-forbidden'
  | 'scanner-agent'
  | 'scanner-path'
  /** What has no honest reading, and what has one. */
  | 'sql-evident'
  | 'sql-likely'
  | 'injection-evident'
  | 'injection-likely'
  | 'method-refused'
  | 'cross-site-refused'
  | 'origin-refused'
  | 'input-refused'
  | 'input-refused-of-stranger'
  | 'request-refused'
  | 'request-refused-of-stranger'
  | 'malware-uploaded'
  | 'malware-uploaded-by-stranger'
  | 'honeytoken-touched'
  | 'privileges-off-hours'

/** One of them, with who and where. Texts that came from outside are hashed before they are remembered. */
export interface Signal {
  readonly name: SignalName
  readonly atMs: number
  /** Normalised; empty when it is not known. */
  readonly address: string
  /** An account's id; `null` when there is none. */
  readonly account: string | null
  readonly session: string | null
  /** `GET /api/notes/:id`; `null` when no route took it. */
  readonly route: string | null
  /** What tells it from others of its kind: the name that was tried, the object, the path. */
  readonly what: string
}

/** What a detector counts: every signal, or different ones by something of theirs. */
export type Counts = 'signals' | 'accounts' | 'addresses' | 'ids' | 'routes'

/** What a detector counts by. */
export type CountsBy = FindingSubject['by']

const longestChars = 200

/** Whose count a signal goes to; `undefined` when it says nothing of that. */
export function subjectOf(by: CountsBy, signal: Signal): string | undefined {
  switch (by) {
    case 'everybody':
      return ''
    case 'address':
      return signal.address === '' ? undefined : addressKey(signal.address)
    case 'network':
      return signal.address === '' ? undefined : networkOf(signal.address)
    case 'account':
      return named(signal.account)
    case 'session':
      return named(signal.session)
  }
}

/** What a signal counts as where only different ones count; `undefined` when it says nothing of that. */
export function countedValue(counts: Exclude<Counts, 'signals'>, signal: Signal): string | undefined {
  switch (counts) {
    case 'accounts':
      return signal.account ?? named(signal.what)
    case 'addresses':
      return signal.address === '' ? undefined : addressKey(signal.address)
    case 'ids':
    case 'routes':
      return named(signal.what)
  }
}

/** The network of an address: a /24 of IPv4, which one customer of a hoster may have, and a /48 of IPv6. */
export function networkOf(address: string): string {
  return isIP(address) === 4 ? `${address.slice(0, address.lastIndexOf('.'))}.0/24` : networkKey(address)
}

function named(text: string | null): string | undefined {
  return text === null || text === '' ? undefined : text.slice(0, longestChars)
}
