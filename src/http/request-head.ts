import { Problem } from '../errors/index.ts'
import type { EdgeLimits } from './limits.ts'

/** A request's head as it came in. */
export interface RequestHead {
  /** The request target. */
  readonly url?: string | undefined
  /** Names and values in turn. */
  readonly rawHeaders: readonly string[]
}

// Node keeps the first of these and drops the rest, a proxy may keep the last: two readers, two requests.
const singleNames: readonly string[] = [
  'authorization',
  'content-encoding',
  'content-length',
  'content-type',
  'host',
  'idempotency-key',
  'origin',
  'sec-fetch-site',
]
const singleLengths: ReadonlySet<number> = new Set(singleNames.map((name) => name.length))

/**
 * Holds the head of a request against the limits.
 *
 * @returns `URI_TOO_LONG`, `HEADERS_TOO_LARGE`, or `BAD_REQUEST` for a field that must not be repeated.
 * @see RFC 9112 §3.2, OWASP ASVS 5.0 §4.2.1
 */
export function headRefusal({ url = '', rawHeaders }: RequestHead, limits: EdgeLimits): Problem | undefined {
  if (url.length > limits.urlChars) return new Problem('URI_TOO_LONG', 'request target')
  if (rawHeaders.length > limits.headerCount * 2) return new Problem('HEADERS_TOO_LARGE', 'too many fields')
  let bytes = 0
  let seen = 0
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const text = rawHeaders[at] ?? ''
    // Two more for the colon and space of a name, and for the line end of a value.
    bytes += text.length + (rawHeaders[at + 1] ?? '').length + 4
    // Most names are of another length, and need not be spelled out.
    if (!singleLengths.has(text.length)) continue
    const name = text.toLowerCase()
    const index = singleNames.indexOf(name)
    if (index === -1) continue
    const bit = 1 << index
    if ((seen & bit) !== 0) return new Problem('BAD_REQUEST', `repeated ${name}`)
    seen |= bit
  }
  return bytes > limits.headerBytes ? new Problem('HEADERS_TOO_LARGE', 'too many bytes') : undefined
}
