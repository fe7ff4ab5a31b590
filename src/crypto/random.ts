import { randomBytes, randomUUID } from 'node:crypto'
import { assert } from '../base/index.ts'

/**
 * Bytes that nobody can guess, from the operating system's generator.
 *
 * @param byteCount 16 to 1,024; fewer than 16 could be guessed.
 * @see OWASP ASVS 5.0 §11.5.1
 */
export function unguessableBytes(byteCount: number): Buffer {
  assert(Number.isSafeInteger(byteCount) && byteCount >= 16 && byteCount <= 1024, 'random bytes: 16 to 1,024')
  return randomBytes(byteCount)
}

/**
 * A UUID of version 4, for names that must not repeat or be guessed. The same as the global one, without the web's checks
 * of its receiver.
 *
 * @see RFC 9562 §5.4
 */
export function randomId(): string {
  return randomUUID()
}

/**
 * A token that nobody can guess, in base64url without padding.
 *
 * @param byteCount 16 to 1,024 bytes of randomness; the text is a third longer.
 * @example randomToken(32) // 43 characters
 */
export function randomToken(byteCount: number): string {
  return unguessableBytes(byteCount).toString('base64url')
}
