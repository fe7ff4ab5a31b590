import type { MigrationDatabase, Resource } from '../data/index.ts'
import { type Destruction, destroyKey } from './destroy.ts'
import type { KeyEncryption } from './key-encryption.ts'
import { type KeyListing, listKeys } from './list.ts'
import { type Reencryption, type ReencryptionOptions, reencrypt } from './reencrypt.ts'
import { loadKeyRing } from './ring.ts'
import { type Rotation, rotateKeys } from './rotate.ts'

/** What to do about the keys of encrypted columns. */
export type KeysRequest =
  | { readonly action: 'list' }
  /** @param isCompromised True when a key has leaked: access tokens of before are refused at once. */
  | { readonly action: 'rotate'; readonly isCompromised?: boolean }
  | ({ readonly action: 'reencrypt' } & ReencryptionOptions)
  | { readonly action: 'destroy'; readonly id: string }

/** What became of it. */
export type KeysReport =
  | ({ readonly action: 'list' } & KeyListing)
  | ({ readonly action: 'rotate'; readonly signing: SigningRotation | null } & Rotation)
  | ({ readonly action: 'reencrypt' } & Reencryption)
  | { readonly action: 'destroy'; readonly id: string; readonly outcome: Destruction }

/** What became of the keys that sign access tokens. */
export interface SigningRotation {
  /** The `kid` of the newest. */
  readonly id: string
  /** From when on it signs: ISO 8601 in UTC. */
  readonly activeFrom: string
  /** Whether the tokens of before are refused at once. */
  readonly isCompromised: boolean
}

/** What the keys are of. */
export interface KeysPlace {
  /** Without row rules, and migrated. */
  readonly db: MigrationDatabase
  readonly resources: readonly Resource[]
  readonly keyEncryption: KeyEncryption
  /** Rotates the keys that sign access tokens; none in an application without accounts. */
  readonly rotateSigning?: (isCompromised: boolean) => Promise<SigningRotation>
}

/** Does what `holdfast keys` asks for. @throws KeyFault */
export async function manageKeys(
  { db, resources, keyEncryption, rotateSigning }: KeysPlace,
  request: KeysRequest,
): Promise<KeysReport> {
  switch (request.action) {
    case 'list':
      return { action: 'list', ...(await listKeys(db, resources)) }
    case 'rotate':
      return {
        action: 'rotate',
        ...(await rotateKeys(db, keyEncryption)),
        signing: (await rotateSigning?.(request.isCompromised === true)) ?? null,
      }
    case 'reencrypt': {
      const ring = await loadKeyRing(db, keyEncryption)
      try {
        return { action: 'reencrypt', ...(await reencrypt(db, ring, resources, request)) }
      } finally {
        ring.close()
      }
    }
    case 'destroy':
      return { action: 'destroy', id: request.id, outcome: await destroyKey(db, request.id, resources) }
    default:
      return request satisfies never
  }
}
