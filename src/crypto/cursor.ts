import { assert, type Secret } from '../base/index.ts'
import { equalConstantTime, mac } from './hash.ts'

/** Where a page ended: the values of the columns it is ordered by. */
export type CursorPosition = readonly CursorValue[]

/** One value of a position. */
export type CursorValue = string | number | boolean | null

/** The longest cursor there is; schemas of a `cursor` parameter should take no more. */
export const cursorMaxChars = 2048

const tagBytes = 32
// What fits into a cursor after the tag: three bytes for each four characters.
const positionMaxBytes = (cursorMaxChars / 4) * 3 - tagBytes

/**
 * Makes the opaque text by which a client asks for the next page. It is authenticated but not encrypted: a
 * position holds only what the caller has just been shown.
 *
 * @param key The key derived for `cursor`.
 * @param route The list it belongs to, such as `GET /api/notes`; a cursor of one list is refused by every other.
 * @param position At most 1,504 bytes as JSON; numbers must be finite.
 * @see GHSA-r9w3-57w2-gch2 (SQL injection through a page token)
 * @example sealCursor(key, 'GET /api/notes', [note.createdAt, note.id])
 */
export function sealCursor(key: Secret<Buffer>, route: string, position: CursorPosition): string {
  assert(position.every(isCursorValue), 'a cursor holds text, finite numbers, booleans and null')
  const body = Buffer.from(JSON.stringify(position))
  assert(body.length <= positionMaxBytes, 'a cursor position has at most 1,504 bytes as JSON')
  return Buffer.concat([tagOf(key, route, body), body]).toString('base64url')
}

/**
 * Reads a cursor back.
 *
 * @param text Straight from the client.
 * @returns `null` for anything that {@link sealCursor} did not make for this route under this key.
 * @see OWASP ASVS 5.0 §11.3.3
 */
export function openCursor(key: Secret<Buffer>, route: string, text: string): CursorPosition | null {
  if (text.length > cursorMaxChars) return null
  const bytes = Buffer.from(text, 'base64url')
  // Node's decoder skips what it does not know; only the one canonical spelling is a cursor.
  if (bytes.length <= tagBytes || bytes.toString('base64url') !== text) return null
  const body = bytes.subarray(tagBytes)
  if (!equalConstantTime(bytes.subarray(0, tagBytes), tagOf(key, route, body))) return null
  return parsePosition(body.toString())
}

function tagOf(key: Secret<Buffer>, route: string, body: Buffer): Buffer {
  const name = Buffer.from(route)
  // The length in front keeps the end of a route and the start of a position apart.
  const length = Buffer.alloc(4)
  length.writeUInt32BE(name.length)
  return mac(key, Buffer.concat([length, name, body]))
}

function parsePosition(json: string): CursorPosition | null {
  const value: unknown = JSON.parse(json)
  return Array.isArray(value) && value.every(isCursorValue) ? value : null
}

function isCursorValue(value: unknown): value is CursorValue {
  if (typeof value === 'number') return Number.isFinite(value)
  return value === null || typeof value === 'string' || typeof value === 'boolean'
}
