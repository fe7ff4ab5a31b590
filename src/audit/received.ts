import { type EventName, isEventName, kindOfEvent, type RecordedEvent, recordOf } from '../events/index.ts'
import { type EventRow, rowOf } from './row.ts'

/** An event that was taken, and its row. */
export interface Received {
  readonly record: RecordedEvent
  readonly row: EventRow
}

const detailChars = 500

/**
 * Makes a record and a row of whatever was handed over. Applications emit too, from code that no compiler has looked
 * at: what is no event of ours is still written, as well as it can be read, and nothing is thrown. A throw in here would
 * end the process, or undo the transaction that the event tells of.
 *
 * @param nowMs Milliseconds since 1970.
 */
export function received(given: unknown, nowMs: number): Received {
  try {
    return made(given, nowMs)
  } catch {
    const event = nameOf(given) ?? 'app_unnamed'
    const record = recordOf({ event, reason: 'an event that could not be read' }, nowMs)
    return { record, row: rowOf(record) }
  }
}

/** The name of what was handed over, if it has one. It never throws. */
export function nameOf(given: unknown): EventName | undefined {
  try {
    const name: unknown = memberOf(given, 'event')
    return typeof name === 'string' && isEventName(name) ? name : undefined
  } catch {
    return undefined
  }
}

function made(given: unknown, nowMs: number): Received {
  const event = nameOf(given) ?? 'app_unnamed'
  const outcome = outcomes.find((one) => one === memberOf(given, 'outcome'))
  const reason = textOf(memberOf(given, 'reason'))
  const details = detailsOf(memberOf(given, 'details'))
  const userId: unknown = memberOf(given, 'userId')
  const record = recordOf(
    {
      event,
      outcome: outcome ?? kindOfEvent(event).outcome,
      ...(userId === undefined ? {} : { userId: textOf(userId) ?? null }),
      ...textsOf(given),
      ...(reason === undefined ? {} : { reason }),
      ...(details === undefined ? {} : { details }),
    },
    nowMs,
  )
  return { record, row: rowOf(record) }
}

const outcomes = ['success', 'failure', 'unknown'] as const
const texts = ['actorId', 'sessionId', 'address', 'route', 'requestId'] as const

function textsOf(given: unknown): Partial<Record<(typeof texts)[number], string>> {
  const found: Partial<Record<(typeof texts)[number], string>> = {}
  for (const name of texts) {
    const text = textOf(memberOf(given, name))
    if (text !== undefined) found[name] = text
  }
  return found
}

function memberOf(given: unknown, name: string): unknown {
  return typeof given === 'object' && given !== null ? Reflect.get(given, name) : undefined
}

function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  return value === undefined || value === null ? undefined : String(value)
}

type Details = NonNullable<RecordedEvent['details']>

function detailsOf(value: unknown): Details | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const details: Record<string, Details[string]> = {}
  // What is more than this is cut anyway; a list of a million is not walked.
  for (const name of Object.keys(value).slice(0, 16)) details[name] = detailOf(Reflect.get(value, name))
  return details
}

function detailOf(value: unknown): Details[string] {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value)
  // Details are flat and small; what is in an object is not ours to walk.
  return typeof value === 'object' || typeof value === 'function'
    ? typeof value
    : String(value).slice(0, detailChars)
}
