export type { Argon2Cost } from './argon2-pool.ts'
export { type CursorPosition, type CursorValue, cursorMaxChars, openCursor, sealCursor } from './cursor.ts'
export { deriveKey, type KeyPurpose } from './derive-key.ts'
export {
  ed25519Signer,
  ed25519Verifier,
  makeSigningKey,
  type SigningKey,
  signingKeyOf,
} from './ed25519.ts'
export { equalConstantTime, mac, sha1Hex, sha256 } from './hash.ts'
export { inOneMessage } from './message.ts'
export {
  argon2Floor,
  type HashVerdict,
  hashPassword,
  isKnownHash,
  type Peppers,
  verifyPassword,
} from './password-hash.ts'
export { randomId, randomToken, unguessableBytes } from './random.ts'
export { openWith, sealWith } from './seal.ts'
export {
  blindIndex,
  blindIndexes,
  blindIndexPrefix,
  type DataKey,
  type FieldValue,
  isFieldValue,
  type KeyRing,
  keyIdOf,
  openField,
  type Place,
  sealedPrefix,
  sealField,
} from './vault.ts'
