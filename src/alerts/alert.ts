import type { EventLevel } from '../events/index.ts'

/** Whether somebody has to look. */
export type AlertState = 'open' | 'acknowledged' | 'closed'

/** What there is to tell of an alert. */
export type AlertNews = 'opened' | 'grown' | 'acknowledged' | 'closed'

/** Some of those who took part, the latest first: at most 50 of each. */
export interface AlertSamples {
  readonly addresses: readonly string[]
  readonly accounts: readonly string[]
  readonly sessions: readonly string[]
  /** `GET /api/notes/:id`: patterns, never paths. */
  readonly routes: readonly string[]
}

/** One attack, as far as it is known. Times are ISO 8601, UTC. */
export interface Alert {
  /** A UUIDv7. */
  readonly id: string
  readonly state: AlertState
  /** The highest of its findings. */
  readonly severity: EventLevel
  /** `Password spraying, id enumeration`. */
  readonly title: string
  /** What was seen, in one sentence without what was sent. */
  readonly summary: string
  /** The detectors that have found something, in the order in which they did. */
  readonly detectors: readonly string[]
  /** How many findings there were. */
  readonly count: number
  readonly openedAt: string
  /** When the first of what was found happened. */
  readonly firstAt: string
  /** When the last finding came. */
  readonly lastAt: string
  readonly samples: AlertSamples
  readonly acknowledgedAt: string | null
  readonly acknowledgedBy: string | null
  readonly closedAt: string | null
  /** Who has closed it; `null` when it was closed by itself. */
  readonly closedBy: string | null
  /** What was said last, by whoever acknowledged or closed it. */
  readonly reason: string | null
  /** The alert that it turned out to be a part of. */
  readonly mergedInto: string | null
  readonly changedAt: string
}

/** Who changes an alert, and why: both go to the audit trail. */
export interface AlertAct {
  /** Up to 200 characters. */
  readonly actorId: string
  /** Up to 500 characters on one line. */
  readonly reason: string
}

/** Why something cannot be done with an alert. */
export type AlertFaultKind =
  /** What was given cannot be understood. */
  | 'unfit'
  /** It is not in the state for that, any more. */
  | 'conflict'

/** Something that cannot be done with an alert. The message is for operators, and repeats nothing that was given. */
export class AlertFault extends Error {
  readonly kind: AlertFaultKind

  constructor(kind: AlertFaultKind, message: string) {
    super(message)
    this.name = 'AlertFault'
    this.kind = kind
  }
}

/** Levels from the lowest to the highest. */
export const severities: readonly EventLevel[] = ['info', 'warn', 'critical']

/** Whether the first level is higher than the second. */
export function isHigher(one: EventLevel, other: EventLevel): boolean {
  return severities.indexOf(one) > severities.indexOf(other)
}
