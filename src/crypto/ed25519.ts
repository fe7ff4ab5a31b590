import { createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto'
import { assert, Secret } from '../base/index.ts'

const keyBytes = 32

/** An Ed25519 key pair. */
export interface SigningKey {
  /** The seed of RFC 8032 §5.1.5, 32 bytes: the private key. */
  readonly seed: Secret<Buffer>
  /** The public point, 32 bytes. */
  readonly publicKey: Buffer
}

/**
 * Makes an Ed25519 key pair from the operating system's generator.
 *
 * @see RFC 8032; OWASP ASVS 5.0 §11.2.1, §11.5.1
 */
export function makeSigningKey(): SigningKey {
  const { d = '', x = '' } = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' })
  return { seed: new Secret(Buffer.from(d, 'base64url')), publicKey: Buffer.from(x, 'base64url') }
}

/**
 * A function that signs with a key pair, 64 bytes each time.
 *
 * @throws Error when the halves do not belong together, by the check of Node.js
 */
export function ed25519Signer({ seed, publicKey }: SigningKey): (message: Uint8Array) => Buffer {
  assert(seed.reveal().length === keyBytes && publicKey.length === keyBytes, 'Ed25519 keys have 32 bytes')
  const jwk = { ...publicJwk(publicKey), d: seed.reveal().toString('base64url') }
  const key = createPrivateKey({ key: jwk, format: 'jwk' })
  return (message) => sign(null, message, key)
}

/** A function that verifies signatures of a public point. It answers false to anything else, and does not throw. */
export function ed25519Verifier(publicKey: Buffer): (message: Uint8Array, signature: Uint8Array) => boolean {
  assert(publicKey.length === keyBytes, 'Ed25519 keys have 32 bytes')
  const key = createPublicKey({ key: publicJwk(publicKey), format: 'jwk' })
  return (message, signature) => signature.length === 2 * keyBytes && verify(null, message, key, signature)
}

function publicJwk(publicKey: Buffer): { readonly kty: string; readonly crv: string; readonly x: string } {
  return { kty: 'OKP', crv: 'Ed25519', x: publicKey.toString('base64url') }
}

// RFC 8410 §7: what stands before the 32 bytes of a seed in PKCS #8.
const pkcs8Start = Buffer.from('302e020100300506032b657004220420', 'hex')

/** The key pair of a seed that was derived from another key, 32 bytes. @see RFC 8032 §5.1.5 */
export function signingKeyOf(seed: Secret<Buffer>): SigningKey {
  assert(seed.reveal().length === keyBytes, 'Ed25519 keys have 32 bytes')
  const key = createPrivateKey({
    key: Buffer.concat([pkcs8Start, seed.reveal()]),
    format: 'der',
    type: 'pkcs8',
  })
  const { x = '' } = createPublicKey(key).export({ format: 'jwk' })
  return { seed, publicKey: Buffer.from(x, 'base64url') }
}
