import type { Secret } from '../base/index.ts'
import { deriveKey, ed25519Signer, ed25519Verifier, sha256, signingKeyOf } from '../crypto/index.ts'

/** What a trail is sealed with, from one root secret. */
export interface TrailKey {
  /** Names the key in the tables: the beginning of a hash of the public half. */
  readonly id: string
  /** Links the rows. */
  readonly chain: Secret<Buffer>
  /** The public half of what signs checkpoints, 32 bytes: whoever has it can check them without the secret. */
  readonly publicKey: Buffer
  readonly sign: (message: Uint8Array) => Buffer
  readonly verify: (message: Uint8Array, signature: Uint8Array) => boolean
}

/** The key of now, and those that older rows may be sealed with. */
export type TrailKeys = readonly [TrailKey, ...TrailKey[]]

/** The keys of a trail, from the root secret and the one before. */
export function trailKeys(secret: Secret<Buffer>, previous: Secret<Buffer> | null): TrailKeys {
  return previous === null ? [trailKey(secret)] : [trailKey(secret), trailKey(previous)]
}

function trailKey(secret: Secret<Buffer>): TrailKey {
  const pair = signingKeyOf(deriveKey(secret, 'audit-checkpoint'))
  return {
    id: sha256(pair.publicKey).toString('base64url').slice(0, 16),
    chain: deriveKey(secret, 'audit-chain'),
    publicKey: pair.publicKey,
    sign: ed25519Signer(pair),
    verify: ed25519Verifier(pair.publicKey),
  }
}
