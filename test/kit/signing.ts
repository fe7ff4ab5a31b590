import { Secret } from '../../src/base/index.ts'
import { ed25519Signer, ed25519Verifier, makeSigningKey, type SigningKey } from '../../src/crypto/index.ts'
import type { SigningKeys } from '../../src/tokens/index.ts'

/** A key pair and the keys of a node that has it alone. */
export interface OneKey {
  readonly pair: SigningKey
  readonly keys: SigningKeys & { unknownCount: number; isWithdrawn: boolean }
}

/** Signing keys that lie in no table: for tests of what is done with them. */
export function oneKey(id = 'key-1'): OneKey {
  const pair = makeSigningKey()
  const sign = ed25519Signer(pair)
  const verifying = {
    id,
    publicKey: pair.publicKey,
    verifiesUntilMs: Number.POSITIVE_INFINITY,
    verify: ed25519Verifier(pair.publicKey),
  }
  const keys = {
    unknownCount: 0,
    isWithdrawn: false,
    active: { id, sign },
    get verifying() {
      return keys.isWithdrawn ? [] : [verifying]
    },
    get generation() {
      return keys.isWithdrawn ? 2 : 1
    },
    noteUnknown() {
      keys.unknownCount += 1
    },
    refresh: async () => undefined,
    close: () => undefined,
  }
  return { pair, keys }
}

/** A root secret for tests. */
export function rootSecret(fill: number): Secret<Buffer> {
  return new Secret(Buffer.alloc(32, fill))
}
