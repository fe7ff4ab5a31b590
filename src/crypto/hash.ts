import { createHmac, hash, hkdfSync, timingSafeEqual } from 'node:crypto'
import type { Secret } from '../base/index.ts'

/** The SHA-256 digest, 32 bytes. Not for passwords. */
export function sha256(data: string | Uint8Array): Buffer {
  return hash('sha256', data, 'buffer')
}

/**
 * The SHA-1 digest in hexadecimal: only to look up what others name so, a password in lists of breached ones and a
 * script in Redis.
 *
 * @see OWASP ASVS 5.0 §11.4.1 (SHA-1 protects nothing here)
 */
export function sha1Hex(data: string): string {
  return hash('sha1', data, 'hex')
}

/**
 * The HMAC-SHA-256 of a message, 32 bytes. Text counts as UTF-8. Whoever puts several parts into one message must
 * make sure that no two lists of parts give the same message.
 *
 * @see RFC 2104
 */
export function mac(key: Secret<Buffer>, message: string | Uint8Array): Buffer {
  return createHmac('sha256', key.reveal()).update(message).digest()
}

/**
 * True when both are the same. The time it takes says nothing about where they differ, nor how long the other is.
 *
 * @see OWASP ASVS 5.0 §11.2.4
 */
export function equalConstantTime(a: string | Uint8Array, b: string | Uint8Array): boolean {
  // Digests have one length, so inputs of different length neither throw nor return early.
  return timingSafeEqual(sha256(a), sha256(b))
}

/** What HKDF takes. */
export interface HkdfInput {
  /** The input keying material. */
  readonly material: Uint8Array
  readonly salt: Uint8Array
  readonly info: string | Uint8Array
  /** 1 to 8,160 (255 blocks of SHA-256). */
  readonly byteCount: number
}

/**
 * HKDF-SHA-256, extract and expand.
 *
 * @throws RangeError for more bytes than HKDF gives.
 * @see RFC 5869
 */
export function hkdf({ material, salt, info, byteCount }: HkdfInput): Buffer {
  return Buffer.from(hkdfSync('sha256', material, salt, info, byteCount))
}
