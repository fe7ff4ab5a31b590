import { assert, type Secret } from '../base/index.ts'
import { mac } from '../crypto/index.ts'
import {
  type EventDetails,
  type EventLevel,
  type EventOutcome,
  isEventName,
  type RecordedEvent,
} from '../events/index.ts'

/** A row of the trail as the table holds it, before it is sealed. */
export interface EventRow {
  readonly id: string
  readonly at: string
  readonly event: string
  readonly level: string
  readonly outcome: string
  readonly userId: string | null
  readonly actorId: string | null
  readonly sessionId: string | null
  readonly address: string | null
  readonly route: string | null
  readonly requestId: string | null
  readonly reason: string | null
  /** JSON text. */
  readonly details: string | null
}

/** Where a row stands in its chain. */
export interface ChainPlace {
  readonly chain: string
  /** From 1 on, without a gap. */
  readonly seq: number
}

/** A row that is sealed. */
export interface SealedRow extends EventRow, ChainPlace {
  readonly mac: string
  readonly hash: string
}

/** What an event says, in the order in which it is hashed: never changed, or old rows would not verify. */
export const eventColumns = [
  'id',
  'at',
  'event',
  'level',
  'outcome',
  'userId',
  'actorId',
  'sessionId',
  'address',
  'route',
  'requestId',
  'reason',
  'details',
] as const satisfies readonly (keyof EventRow)[]

// As long as an index of PostgreSQL takes, whatever the characters are: a row that it refuses would hold up all others.
const fieldChars = 500

/** The row of an event. */
export function rowOf(event: RecordedEvent): EventRow {
  return {
    id: event.id,
    at: new Date(event.atMs).toISOString(),
    event: event.event,
    level: event.level,
    outcome: event.outcome,
    userId: fieldOf(event.userId),
    actorId: fieldOf(event.actorId),
    sessionId: fieldOf(event.sessionId),
    address: fieldOf(event.address),
    route: fieldOf(event.route),
    requestId: fieldOf(event.requestId),
    reason: fieldOf(event.reason),
    details: event.details === undefined ? null : storable(JSON.stringify(event.details)),
  }
}

function fieldOf(value: string | null | undefined): string | null {
  return value === null || value === undefined ? null : storable(value.slice(0, fieldChars))
}

/**
 * A text that both databases give back as it is: half a surrogate pair comes back as another character, and would look
 * like a row that somebody has changed; PostgreSQL refuses a NUL.
 */
function storable(text: string): string {
  const whole = text.isWellFormed() ? text : text.toWellFormed()
  return whole.includes('\0') ? whole.replaceAll('\0', '\uFFFD') : whole
}

/**
 * The MAC of what a row says. Only whoever has the root secret can make it: it stands in the row from its insertion on,
 * so that a row which was put there is never sealed for one that a process left behind.
 */
export function macOf(key: Secret<Buffer>, row: EventRow): string {
  // JSON keeps the fields apart, whatever stands in them.
  const fields = JSON.stringify(eventColumns.map((column) => row[column]))
  return mac(key, `row ${fields}`).toString('base64url')
}

/** Whether a row says what one of us has written. */
export function isOurs(
  raw: Readonly<Record<string, unknown>>,
  keys: readonly { readonly chain: Secret<Buffer> }[],
): boolean {
  const row = eventRowOf(raw)
  return keys.some((key) => raw['mac'] === macOf(key.chain, row))
}

/**
 * The hash of a row: a MAC over the hash before it, its place, and the MAC of what it says.
 *
 * @param previous The hash of the row before, or {@link genesisOf} the chain.
 */
export function hashOf(key: Secret<Buffer>, previous: string, seq: number, rowMac: string): string {
  return mac(key, `link ${JSON.stringify([previous, seq, rowMac])}`).toString('base64url')
}

/** What stands before the first row of a chain. */
export function genesisOf(key: Secret<Buffer>, chain: string): string {
  return mac(key, `genesis ${JSON.stringify(chain)}`).toString('base64url')
}

/** Reads a row of the table. What does not fit is read as text: verifying finds it, and reading does not fail of it. */
export function eventRowOf(row: Readonly<Record<string, unknown>>): EventRow {
  return {
    id: text(row['id']),
    at: text(row['at']),
    event: text(row['event']),
    level: text(row['level']),
    outcome: text(row['outcome']),
    userId: textOrNull(row['userId']),
    actorId: textOrNull(row['actorId']),
    sessionId: textOrNull(row['sessionId']),
    address: textOrNull(row['address']),
    route: textOrNull(row['route']),
    requestId: textOrNull(row['requestId']),
    reason: textOrNull(row['reason']),
    details: textOrNull(row['details']),
  }
}

/** The event of a row, as readers get it. */
export function eventOf(row: EventRow): RecordedEvent {
  const { id, at, event, level, outcome, userId, details } = row
  return {
    id,
    // What somebody has written over must not keep operators from reading.
    atMs: Date.parse(at) || 0,
    event: isEventName(event) ? event : 'app_unnamed',
    level: levels.find((one) => one === level) ?? 'critical',
    outcome: outcomes.find((one) => one === outcome) ?? 'unknown',
    userId,
    ...present({ actorId: row.actorId, sessionId: row.sessionId, address: row.address }),
    ...present({ route: row.route, requestId: row.requestId, reason: row.reason }),
    ...(details === null ? {} : { details: detailsOf(details) }),
  }
}

const levels: readonly EventLevel[] = ['info', 'warn', 'critical']
const outcomes: readonly EventOutcome[] = ['success', 'failure', 'unknown']

function present<Name extends string>(fields: Record<Name, string | null>): Partial<Record<Name, string>> {
  const found: Partial<Record<Name, string>> = {}
  for (const name in fields) {
    const value = fields[name]
    if (value !== null) found[name] = value
  }
  return found
}

function detailsOf(json: string): EventDetails {
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch {
    return { unreadable: true }
  }
  if (typeof value !== 'object' || value === null) return { unreadable: true }
  const details: Record<string, EventDetails[string]> = {}
  for (const [name, one] of Object.entries(value)) details[name] = isPlain(one) ? one : JSON.stringify(one)
  return details
}

function isPlain(value: unknown): value is EventDetails[string] {
  return value === null || ['string', 'number', 'boolean'].includes(typeof value)
}

function text(value: unknown): string {
  assert(value !== undefined, 'every column of the trail is read')
  return String(value)
}

function textOrNull(value: unknown): string | null {
  return value === null || value === undefined ? null : String(value)
}
