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
const singleNames: ReadonlySet<string> = new Set([
  'authorization',
  'content-encoding',
  'content-length',
  'content-type',
  'host',
  'idempotency-key',
  'origin',
  'sec-fetch-site',
])

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
  const seen = new Set<string>()
  for (const [index, text] of rawHeaders.entries()) {
    // Two more for the colon and space of a name, and for the line end of a value.
    bytes += text.length + 2
    if (index % 2 === 1) continue
    const name = text.toLowerCase()
    if (!singleNames.has(name)) continue
    if (seen.has(name)) return new Problem('BAD_REQUEST', `repeated ${name}`)
    seen.add(name)
  }
  return bytes > limits.headerBytes ? new Problem('HEADERS_TOO_LARGE', 'too many bytes') : undefined
}
