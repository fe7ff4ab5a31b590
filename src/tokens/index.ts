export {
  type AccessGrant,
  type AccessTokens,
  type AccessTokensOptions,
  accessTokens,
  type PublicJwk,
} from './access-tokens.ts'
export { signingSince } from './age.ts'
export type { AccessClaims } from './claims.ts'
export { signingKeysMigration } from './migration.ts'
export { readSigningKeys, type SigningKeyRecord } from './records.ts'
export { accessSeconds, rotateSigningKeys, type SigningKeyRotation, skewSeconds } from './rotate.ts'
export { loadSigningKeys, type SigningKeys, type SigningKeysOptions } from './signing-keys.ts'
