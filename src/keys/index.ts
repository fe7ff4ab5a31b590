export { sealingSince } from './age.ts'
export { type Destruction, destroyKey } from './destroy.ts'
export { KeyFault } from './fault.ts'
export { fieldVault } from './field-vault.ts'
export { type KeyEncryption, rootKeyEncryption } from './key-encryption.ts'
export { type KeyListing, type KeyState, type KeySummary, type KeyUse, listKeys } from './list.ts'
export {
  type KeysPlace,
  type KeysReport,
  type KeysRequest,
  manageKeys,
  type SigningRotation,
} from './manage.ts'
export { keysMigration, keysTable } from './migration.ts'
export {
  type Reencryption,
  type ReencryptionOptions,
  type ReencryptionProgress,
  reencrypt,
} from './reencrypt.ts'
export type { RowFailure } from './reseal.ts'
export { type KeyRingOptions, type LiveKeyRing, loadKeyRing } from './ring.ts'
export { type Rotation, type RotationOptions, rotateKeys } from './rotate.ts'
