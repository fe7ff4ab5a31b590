import { newId } from '../base/index.ts'
import { isEventName, kindOfEvent } from './catalogue.ts'
import type { EventDetails, RecordedEvent, SecurityEvent } from './security-event.ts'

const detailCount = 16
const nameChars = 64
const textChars = 500

/**
 * Gives an event its id, its time and what the catalogue knows of it. Whatever an emitter hands over, an event is
 * small: what is too long is cut, and a name that is none becomes `app_unnamed`, so that emitting never throws.
 *
 * @param nowMs Milliseconds since 1970.
 */
export function recordOf(given: SecurityEvent, nowMs: number): RecordedEvent {
  const event = isEventName(given.event) ? given.event : 'app_unnamed'
  const { level, outcome } = kindOfEvent(event)
  return {
    outcome,
    ...given,
    event,
    ...(given.reason === undefined ? {} : { reason: cut(given.reason) }),
    ...(given.details === undefined ? {} : { details: smallDetails(given.details) }),
    id: newId(nowMs),
    atMs: nowMs,
    level,
  }
}

function smallDetails(details: EventDetails): EventDetails {
  const entries = Object.entries(details)
  const isSmall =
    entries.length <= detailCount &&
    entries.every(
      ([name, value]) => name.length <= nameChars && (typeof value !== 'string' || value.length <= textChars),
    )
  if (isSmall) return details
  return Object.fromEntries(
    entries
      .slice(0, detailCount)
      .map(([name, value]) => [name.slice(0, nameChars), typeof value === 'string' ? cut(value) : value]),
  )
}

function cut(text: string): string {
  return text.length <= textChars ? text : `${text.slice(0, textChars - 1)}…`
}
