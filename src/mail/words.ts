import { isIP } from 'node:net'
import { assert } from '../base/index.ts'

/** A text without line breaks and control characters: in a header one would begin another header. */
export function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ').trim()
}

/**
 * Words that came from outside, as they may stand in a mail: letters, digits, spaces, hyphens and underscores. Without
 * a full stop, a slash, a colon or an `@` no mail program makes a link of them, and without invisible characters
 * nothing stands there in another order than it is read.
 *
 * @see GHSA-4hmq-ggrm-qfc6 (a reset mail that said what the attacker wanted); OWASP ASVS 5.0 §1.2.1
 * @example plainWords('Click http://evil.example now') // 'Click http evil example now'
 */
export function plainWords(text: string, maxChars: number): string {
  const words = text.replace(/[^\p{L}\p{N}_-]+/gu, ' ').trim()
  return [...words].slice(0, maxChars).join('').trim()
}

/**
 * A line for whoever runs the server: addresses and routes stay readable, nothing begins another line, and no mail
 * program makes a link of it.
 */
export function lineOf(text: string, maxChars: number): string {
  const line = oneLine(
    text
      .replaceAll('://', ' ')
      .replace(/\p{Cf}/gu, '')
      .replaceAll('@', ' at '),
  )
  return [...line].slice(0, maxChars).join('')
}

/** An IP address; what is none is not repeated. */
export function ipAddress(text: string): string {
  return isIP(text) === 0 ? 'an unknown address' : `the address ${text}`
}

/** A time as people read it: `2026-11-21 07:05 UTC`. */
export function when(at: string): string {
  const ms = Date.parse(at)
  assert(Number.isFinite(ms), 'a time in a mail is a time')
  const utc = new Date(ms).toISOString()
  return `${utc.slice(0, 10)} ${utc.slice(11, 16)} UTC`
}
