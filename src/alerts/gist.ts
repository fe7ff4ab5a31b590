import type { Finding } from '../detection/index.ts'
import type { EventLevel } from '../events/index.ts'
import { type AlertSamples, isHigher } from './alert.ts'
import { type FindingKeys, type IsShared, keysOf } from './keys.ts'
import { oneLine } from './words.ts'

/** Findings that belong together, as far as one node knows, in the size of one. */
export interface Gist extends FindingKeys {
  /** The first is the one that opens the alert. */
  readonly detectors: readonly string[]
  readonly severity: EventLevel
  readonly summary: string
  /** How many findings. */
  readonly count: number
  readonly firstMs: number
  readonly lastMs: number
  readonly samples: AlertSamples
  /** Findings of one detector that have nothing in common but that there are too many of them. */
  readonly isRest: boolean
}

const keyMaxCount = 200
const detectorMaxCount = 50
const sampleMaxCount = 50
const sampleMaxChars = 200
const summaryMaxChars = 500

/**
 * The gist of one finding. Whatever stood in it is one line of bounded length from here on.
 *
 * @param nowMs When it came, in milliseconds since 1970.
 */
export function gistOf(finding: Finding, nowMs: number, isShared: IsShared): Gist {
  const { addresses, accounts, sessions, routes } = finding
  const detector = detectorName(finding.detector)
  return {
    ...keysOf({ ...finding, detector }, isShared),
    detectors: [detector],
    severity: finding.level,
    summary: oneLine(finding.summary, summaryMaxChars),
    count: 1,
    firstMs: timeIn(finding.firstMs, nowMs),
    lastMs: nowMs,
    samples: {
      addresses: sampled(addresses),
      accounts: sampled(accounts),
      sessions: sampled(sessions),
      routes: sampled(routes),
    },
    isRest: false,
  }
}

/** The same as one of the rest, which is known by its detector alone. */
export function restOf(gist: Gist): Gist {
  return { ...gist, own: [gist.everybody], also: [], isRest: true }
}

/** Two gists in one; the second is the later one. */
export function joined(one: Gist, other: Gist): Gist {
  return {
    ...one,
    own: united(one.own, other.own, keyMaxCount),
    also: united(one.also, other.also, keyMaxCount),
    detectors: united(one.detectors, other.detectors, detectorMaxCount),
    severity: isHigher(other.severity, one.severity) ? other.severity : one.severity,
    summary: summaryOf(one, other),
    count: one.count + other.count,
    firstMs: Math.min(one.firstMs, other.firstMs),
    lastMs: Math.max(one.lastMs, other.lastMs),
    samples: joinedSamples(one.samples, other.samples),
  }
}

interface Told {
  readonly severity: EventLevel
  readonly summary: string
  readonly detectors: readonly string[]
}

/** What to say of both: the worse of them, or what the detector that has begun says now. */
export function summaryOf(before: Told, later: Told): string {
  const isSame = before.severity === later.severity && before.detectors[0] === later.detectors[0]
  return isSame || isHigher(later.severity, before.severity) ? later.summary : before.summary
}

/** The later samples first. */
export function joinedSamples(before: AlertSamples, later: AlertSamples): AlertSamples {
  const both = (name: keyof AlertSamples) => united(later[name], before[name], sampleMaxCount)
  return {
    addresses: both('addresses'),
    accounts: both('accounts'),
    sessions: both('sessions'),
    routes: both('routes'),
  }
}

/** Everything of both, once each, the first ones first. */
export function united(
  first: readonly string[],
  second: readonly string[],
  maxCount: number,
): readonly string[] {
  return [...new Set([...first, ...second])].slice(0, maxCount)
}

/** `Password spraying, id enumeration and 2 more`. */
export function titleOf(detectors: readonly string[]): string {
  const shown = detectors.slice(0, 3).map((name) => name.replaceAll('-', ' '))
  const text = shown.join(', ')
  const more = detectors.length - shown.length
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${more > 0 ? ` and ${more} more` : ''}`
}

function detectorName(name: string): string {
  return /^[a-z][a-z0-9-]{0,63}$/.test(name) ? name : 'unnamed'
}

function timeIn(ms: number, nowMs: number): number {
  return Number.isFinite(ms) && ms > 0 && ms < nowMs ? ms : nowMs
}

function sampled(values: readonly string[]): readonly string[] {
  return values.slice(0, sampleMaxCount).map((value) => oneLine(value, sampleMaxChars))
}
