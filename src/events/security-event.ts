import type { EventLevel, EventName, EventOutcome } from './catalogue.ts'

/**
 * Something that happened which matters for security, in the words of the OWASP Logging Vocabulary. It names who and
 * what, never a secret and never what was sent.
 *
 * @example emit({ event: 'authn_login_fail', userId: null, address: '203.0.113.9', requestId })
 * @see OWASP ASVS 5.0 §16.2.1, §16.2.5
 */
export interface SecurityEvent extends EventSubject, EventPlace {
  readonly event: EventName
  /** What came of it, where that differs from what the catalogue says of the name. */
  readonly outcome?: EventOutcome
  /** Why, or what exactly, in fixed words. */
  readonly reason?: string
  /** What belongs to this kind of event: names and ids, never what was sent. */
  readonly details?: EventDetails
}

/** Who an event is about. */
export interface EventSubject {
  /** Whose account; `null` when there is none. */
  readonly userId?: string | null
  /** Who did it, where that is somebody else: an administrator. */
  readonly actorId?: string
  readonly sessionId?: string
}

/** Where an event came from. */
export interface EventPlace {
  /** The client's address, normalised. */
  readonly address?: string
  /** `GET /api/notes/:id`: the pattern, never the path. */
  readonly route?: string
  readonly requestId?: string
}

/** What belongs to a kind of event. At most 16 of them; a text is cut after 500 characters. */
export type EventDetails = Readonly<Record<string, string | number | boolean | null>>

/** An event with what it has got on its way: the form in which it is stored, logged and listened to. */
export interface RecordedEvent extends SecurityEvent {
  /** A UUIDv7. */
  readonly id: string
  /** When, in milliseconds since 1970. */
  readonly atMs: number
  readonly level: EventLevel
  readonly outcome: EventOutcome
}

/** An event as a handler emits it: who has asked, from where and for what is filled in. */
export type HandlerEvent = Pick<SecurityEvent, 'event' | 'outcome' | 'reason' | 'details' | 'userId'>

/** Takes an event. It never throws and never makes a request wait. */
export type EmitEvent = (event: SecurityEvent) => void
