import pg from 'pg'
import { Problem } from '../../errors/index.ts'

const int8 = 20
const textArray = 1009
const numeric = 1700
const date = 1082
const timestamp = 1114
const timestamptz = 1184

// Arrays that pg would read by other rules than their elements: rounded, or as dates of the local time zone.
const elementOf: ReadonlyMap<number, number> = new Map([
  [1016, int8],
  [1231, numeric],
  [1182, date],
  [1115, timestamp],
  [1185, timestamptz],
])

/** Reads one value of a row from its text. */
export type ReadValue = (text: string) => unknown

/**
 * How the values of a type are read: as SQLite gives them where the two differ, so that an application behaves the
 * same on both. Times are ISO 8601 in UTC; a whole number that JavaScript cannot hold exactly is refused, not rounded.
 */
export function readerOf(typeId: number): ReadValue {
  switch (typeId) {
    case int8:
      return readWhole
    case timestamp:
      return (text) => isoTime(text, 'Z')
    case timestamptz:
      return (text) => isoTime(text, '')
    default: {
      const element = elementOf.get(typeId)
      return element === undefined ? ownParser(typeId) : arrayReader(readerOf(element))
    }
  }
}

function arrayReader(read: ReadValue): ReadValue {
  const each = (part: unknown): unknown => {
    if (Array.isArray(part)) return part.map(each)
    return typeof part === 'string' ? read(part) : part
  }
  const parts = ownParser(textArray)
  return (text) => each(parts(text))
}

const { BOOL, BYTEA, INT2, INT4, OID, FLOAT4, FLOAT8, JSON: json, JSONB } = pg.types.builtins
const arraysOfThese = [1000, 1001, 1005, 1007, 1009, 1014, 1015, 1021, 1022, 1028, 2951, 199, 3807]

// Taken now, because an application may change what pg's parsers do for clients of its own.
const parsers: ReadonlyMap<number, ReadValue> = new Map(
  [BOOL, BYTEA, INT2, INT4, OID, FLOAT4, FLOAT8, json, JSONB, ...arraysOfThese].map((typeId) => [
    typeId,
    pg.types.getTypeParser(typeId, 'text'),
  ]),
)

// What is not in the list is text as PostgreSQL writes it: uuid, numeric, interval, ranges, types of an extension.
function ownParser(typeId: number): ReadValue {
  return parsers.get(typeId) ?? ((text) => text)
}

function readWhole(text: string): number {
  const whole = Number(text)
  if (!Number.isSafeInteger(whole))
    throw new Problem('INTERNAL', 'a whole number beyond 2^53 cannot be held exactly; read it as text')
  return whole
}

function isoTime(text: string, zone: string): string {
  // PostgreSQL writes `2026-01-31 12:00:00.123456+00`; JavaScript reads no offset without minutes.
  const time = new Date(`${text.replace(' ', 'T').replace(/([+-]\d\d)$/, '$1:00')}${zone}`)
  // Infinity, and the years before 1 and after 9999, which ISO 8601 has no plain form for.
  return Number.isNaN(time.getTime()) ? text : time.toISOString()
}

/** What PostgreSQL is sent for a parameter. @throws `INTERNAL`, `VALIDATION_FAILED` for what it cannot hold */
export function bindable(value: unknown): string | Buffer | null {
  if (value === null) return null
  if (typeof value === 'string') {
    if (value.includes('\0')) throw new Problem('VALIDATION_FAILED', 'a text with a NUL byte')
    return value
  }
  if (typeof value === 'bigint' || typeof value === 'boolean') return String(value)
  if (typeof value === 'number' && Number.isFinite(value)) return String(value)
  if (value instanceof Date) return value.toISOString()
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  throw new Problem('INTERNAL', 'a query parameter is no text, finite number, boolean, date or bytes')
}
