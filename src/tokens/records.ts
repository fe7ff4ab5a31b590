import { newId, type Secret } from '../base/index.ts'
import { makeSigningKey } from '../crypto/index.ts'
import type { MigrationDatabase } from '../data/index.ts'
import { type KeyEncryption, KeyFault } from '../keys/index.ts'
import { signingKeysTable } from './migration.ts'

/** A signing key as it is kept. Times are milliseconds since 1970. */
export interface SigningKeyRecord {
  /** The `kid`. */
  readonly id: string
  /** Counts up from 1. */
  readonly number: number
  readonly publicKey: Buffer
  /** The seed, wrapped by the key-encryption key. */
  readonly wrapped: string
  readonly createdAtMs: number
  /** From when on it signs. It is published, and verifies, before. */
  readonly activeFromMs: number
  /** Until when it verifies; `null` while it is the newest. */
  readonly verifiesUntilMs: number | null
}

/** Every key, newest first. @throws KeyFault for a row that is none */
export async function readSigningKeys(db: MigrationDatabase): Promise<readonly SigningKeyRecord[]> {
  const rows = await db.selectFrom(signingKeysTable).selectAll().orderBy('number', 'desc').execute()
  return rows.map((row) => {
    const publicKey = Buffer.from(String(row['publicKey']), 'base64url')
    const record = {
      id: String(row['id']),
      number: Number(row['number']),
      publicKey,
      wrapped: String(row['wrapped']),
      createdAtMs: Date.parse(String(row['createdAt'])),
      activeFromMs: Date.parse(String(row['activeFrom'])),
      verifiesUntilMs: row['verifiesUntil'] === null ? null : Date.parse(String(row['verifiesUntil'])),
    }
    if (publicKey.length !== 32 || Number.isNaN(record.activeFromMs) || Number.isNaN(record.verifiesUntilMs))
      throw new KeyFault(
        `The table ${signingKeysTable} holds a row that is no key. Restore it from a backup.`,
      )
    return record
  })
}

/**
 * Puts a new key into the table under a number, unless another node was faster.
 *
 * @returns whether it is in
 */
export async function insertSigningKey(
  db: MigrationDatabase,
  kek: KeyEncryption,
  { number, createdAtMs, activeFromMs }: Pick<SigningKeyRecord, 'number' | 'createdAtMs' | 'activeFromMs'>,
): Promise<boolean> {
  const id = newId(createdAtMs)
  const { seed, publicKey } = makeSigningKey()
  const inserted = await db
    .insertInto(signingKeysTable)
    .values({
      id,
      number,
      publicKey: publicKey.toString('base64url'),
      wrapped: await wrapSeed(kek, seed, id),
      createdAt: new Date(createdAtMs).toISOString(),
      activeFrom: new Date(activeFromMs).toISOString(),
    })
    .onConflict((conflict) => conflict.column('number').doNothing())
    .returning('id')
    .execute()
  return inserted.length === 1
}

/** Wraps a seed for its key. A seed that is put into the row of another key, or of an encrypted column, does not open. */
export async function wrapSeed(kek: KeyEncryption, seed: Secret<Buffer>, id: string): Promise<string> {
  return await kek.wrap(seed, `signing-key ${id}`)
}

/** Opens a seed. @throws KeyFault, and whatever a key management service throws */
export async function unwrapSeed(
  kek: KeyEncryption,
  { wrapped, id }: SigningKeyRecord,
): Promise<Secret<Buffer>> {
  return await kek.unwrap(wrapped, `signing-key ${id}`)
}
