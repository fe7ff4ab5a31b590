import { Secret } from '../base/index.ts'
import { sha256, unguessableBytes } from '../crypto/index.ts'
import { bad, good, type Parsed } from './setting.ts'

/** Length of the root secret. */
export const secretBytes = 32

const fix = 'make one with: openssl rand -base64 32'
const standardBase64 = /^[A-Za-z0-9+/]{43}=?$/
const urlBase64 = /^[A-Za-z0-9_-]{43}=?$/

/**
 * The root secret: exactly 32 bytes in base64 or base64url, and bytes that look random.
 *
 * @see OWASP ASVS 5.0 §11.5.1, §13.2.3; GO-2026-4801 (a default secret nobody had changed)
 */
export function parseSecret(text: string): Parsed<Secret<Buffer>> {
  if (!standardBase64.test(text) && !urlBase64.test(text)) return bad('is not 32 bytes in base64', fix)
  const bytes = Buffer.from(text, 'base64')
  // The last character has two bits to spare; a decoder that ignores them would give one secret four spellings.
  const plain = text.replaceAll('-', '+').replaceAll('_', '/').replace(/=$/, '')
  if (bytes.toString('base64').replace(/=$/, '') !== plain) return bad('is not 32 bytes in base64', fix)
  if (isPublished(bytes)) return bad('is an example that everybody can read', fix)
  if (isGuessable(bytes)) return bad('is not random: it can be guessed', fix)
  return good(new Secret(bytes))
}

// Of 32 random bytes, about 30 differ; fewer than 17 happen once in 10^17 secrets.
const minDistinctBytes = 17

function isGuessable(bytes: Buffer): boolean {
  const first = bytes.readUInt8(0)
  const step = bytes.readUInt8(1) - first
  const isSeries = bytes.every((byte, index) => byte === ((first + step * index) & 0xff))
  // Text that was only encoded: `echo my-password | base64` and the like.
  const isText = bytes.every((byte) => (byte >= 0x20 && byte < 0x7f) || byte === 0x0a || byte === 0x0d)
  return new Set(bytes).size < minDistinctBytes || isSeries || isText
}

// Keys that stand in specifications and are pasted from there: the Fernet specification, RFC 8032 §7.1, RFC 7748 §6.1.
const publishedKeys: readonly string[] = [
  '730ff4c7af3d46923e8ed451ee813c87f790b0a226bc96a92de49b5e9c05e1ee',
  '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
  '77076d0a7318a57d3c16c17251b26645df4c2f92ebc099a84c41ecd2fa5b5ad3',
]
// A word put through SHA-256 looks random and is in every dictionary of digests.
const publishedWords: readonly string[] = [
  '',
  'secret',
  'password',
  'changeme',
  'test',
  'development',
  'holdfast',
]

function isPublished(bytes: Buffer): boolean {
  return (
    publishedKeys.includes(bytes.toString('hex')) || publishedWords.some((word) => sha256(word).equals(bytes))
  )
}

const markBytes = 4

/**
 * Makes a secret for development: 28 random bytes and 4 that mark it, so that production knows it on any machine
 * and refuses it. 224 random bits are left.
 */
export function makeDevelopmentSecret(): Buffer {
  const random = unguessableBytes(secretBytes - markBytes)
  return Buffer.concat([random, markOf(random)])
}

/** True for a secret that {@link makeDevelopmentSecret} made; wrong once in four thousand million others. */
export function isDevelopmentSecret(bytes: Buffer): boolean {
  return bytes.subarray(-markBytes).equals(markOf(bytes.subarray(0, -markBytes)))
}

function markOf(random: Uint8Array): Buffer {
  return sha256(Buffer.concat([Buffer.from('holdfast development secret'), random])).subarray(0, markBytes)
}
