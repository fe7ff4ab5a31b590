import type { EventLevel, KnownEventName } from '../events/index.ts'
import type { ResponseName } from './finding.ts'
import type { Counts, CountsBy, SignalName } from './signal.ts'

/** What a detector is: a record. The engine knows no detector by name. */
export interface Detector {
  readonly name: string
  /** Its detection points in OWASP AppSensor. */
  readonly points: readonly string[]
  /** The event that stands for a finding in the audit trail. */
  readonly event: KnownEventName
  readonly level: EventLevel
  readonly signals: readonly SignalName[]
  readonly counts: Counts
  readonly by: CountsBy
  /** How many within the window are a finding. */
  readonly thresholdCount: number
  readonly windowMs: number
  /** How long it does not tell the same again. */
  readonly quietMs: number
  readonly responses: readonly ResponseName[]
  /** What more of the same leads to. */
  readonly escalation?: Escalation
  /** What raises the threshold: there is more of everything where many people are. */
  readonly allowance?: Allowance
  /** How many different values it remembers of one subject, where the threshold does not say it. */
  readonly valueCount?: number
  /** One sentence. It never has anything in it that was sent. */
  readonly summary: string
}

/** The second stage of a detector. */
export interface Escalation {
  readonly thresholdCount: number
  readonly responses: readonly ResponseName[]
}

/**
 * What raises the threshold of a subject: so many for each different account that has logged in there within the
 * window. An office with 200 people has more wrong passwords than a flat.
 */
export interface Allowance {
  readonly signals: readonly SignalName[]
  readonly eachPercent: number
  /** The most different accounts that count. */
  readonly mostCount: number
}
