import type { EventLevel, KnownEventName } from '../events/index.ts'

/** What can be done about a finding. */
export type ResponseName =
  | 'alert'
  | 'slow-down'
  | 'step-up'
  | 'ban-address'
  | 'lock-account'
  | 'revoke-sessions'

/** What a detector has counted by. */
export interface FindingSubject {
  readonly by: 'address' | 'network' | 'account' | 'session' | 'everybody'
  /** The address, network, account id or session id; empty for `everybody`. */
  readonly value: string
}

/**
 * What a detector has found: one subject that did too much of something. A detector that goes on finding the same
 * tells of it again, but not more often than once in its `quietMs`.
 */
export interface Finding {
  /** The detector: `password-spraying`. */
  readonly detector: string
  /** Its detection points in OWASP AppSensor: `AE1`. */
  readonly points: readonly string[]
  /** The event that stands for it in the audit trail. */
  readonly event: KnownEventName
  readonly level: EventLevel
  readonly subject: FindingSubject
  /** What was seen, in one sentence without what was sent. */
  readonly summary: string
  /** How many signals within the window, or how many different ones where the detector counts different ones. */
  readonly count: number
  readonly windowMs: number
  readonly firstMs: number
  readonly lastMs: number
  /** Some of those who took part, the latest: at most 50 of each. */
  readonly addresses: readonly string[]
  readonly accounts: readonly string[]
  readonly sessions: readonly string[]
  readonly routes: readonly string[]
  /** What the rule of the detector asks for. */
  readonly responses: readonly ResponseName[]
}
