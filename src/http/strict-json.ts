import { isUtf8 } from 'node:buffer'
import { Problem } from '../errors/index.ts'
import { type JsonLimits, scanJson } from './json-scan.ts'

/**
 * Parses a JSON body, and refuses what parsers disagree about: repeated keys, keys that reach a prototype, lone
 * surrogates, numbers that do not survive, a byte-order mark, bytes that are no UTF-8.
 *
 * @param bytes The body; its size has been limited already.
 * @throws `JSON_REFUSED` with the reason for the log; the input is never part of it.
 * @see RFC 8259, RFC 7493 (I-JSON), OWASP ASVS 5.0 §1.5.3
 */
export function parseStrictJson(bytes: Uint8Array, limits: JsonLimits): unknown {
  if (bytes.byteLength === 0) throw refusal('empty body')
  if (!isUtf8(bytes)) throw refusal('not UTF-8')
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
  if (text.startsWith('\ufeff')) throw refusal('byte-order mark')
  const found = scanJson(text, limits)
  if (found !== undefined) throw refusal(found)
  try {
    return JSON.parse(text)
  } catch {
    // The engine's message quotes the input, so it is dropped.
    throw refusal('syntax')
  }
}

function refusal(reason: string): Problem {
  return new Problem('JSON_REFUSED', reason)
}
