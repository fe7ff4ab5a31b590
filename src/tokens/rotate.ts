import type { MigrationDatabase } from '../data/index.ts'
import { type KeyEncryption, KeyFault } from '../keys/index.ts'
import { signingKeysTable } from './migration.ts'
import { insertSigningKey, readSigningKeys, type SigningKeyRecord, unwrapSeed, wrapSeed } from './records.ts'

/** How long an access token lives, in seconds. */
export const accessSeconds = 600

/** How far the clocks of two nodes may be apart, in seconds. */
export const skewSeconds = 5

/** How a rotation of the signing keys ended. */
export interface SigningKeyRotation {
  /** The newest key's `kid`. */
  readonly id: string
  /** From when on it signs: ISO 8601 in UTC. */
  readonly activeFrom: string
  /** How many keys were wrapped anew under the current key-encryption key. */
  readonly rewrappedCount: number
}

/** How a rotation runs. */
export interface SigningKeyRotationOptions {
  /**
   * How long the new key is published before it signs, in milliseconds; ten minutes unless given: services that keep
   * the key set for a while must have fetched it again.
   */
  readonly leadMs?: number
  /** True when the key of before has leaked: the new one signs at once, and no older one verifies any more. */
  readonly isCompromised?: boolean
  /** The wall clock, in milliseconds since 1970. */
  readonly nowMs?: () => number
}

const defaultLeadMs = 600_000

/** Whether the newest key is old enough for the next one. */
export function isRotationDue(
  { activeFromMs, createdAtMs }: SigningKeyRecord,
  nowMs: number,
  afterMs: number,
): boolean {
  return nowMs - Math.max(activeFromMs, createdAtMs) >= afterMs
}

/**
 * Makes the next signing key. The one of before verifies until the last token that it has signed is past its time.
 * Every key is wrapped anew, too, after which HOLDFAST_SECRET_PREVIOUS is not needed for them. Of rotations that run
 * at once, one makes the key and the others find it; one that is killed midway leaves keys that all work.
 *
 * @throws KeyFault when a key does not open
 * @see OWASP ASVS 5.0 §11.2.2, §13.3.4
 */
export async function rotateSigningKeys(
  db: MigrationDatabase,
  kek: KeyEncryption,
  options: SigningKeyRotationOptions = {},
): Promise<SigningKeyRotation> {
  const nowMs = (options.nowMs ?? Date.now)()
  const isCompromised = options.isCompromised === true
  const records = await readSigningKeys(db)
  const [newestBefore] = records
  const number = (newestBefore?.number ?? 0) + 1
  // One that waits for its time is the next one already: whoever comes a moment later makes no other.
  const isWaiting = newestBefore !== undefined && newestBefore.activeFromMs > nowMs
  const leadMs = isCompromised || records.length === 0 ? 0 : (options.leadMs ?? defaultLeadMs)
  const makeNext = async (trx: MigrationDatabase): Promise<void> => {
    const activeFromMs = nowMs + leadMs
    if (!(await insertSigningKey(trx, kek, { number, createdAtMs: nowMs, activeFromMs }))) return
    const until = isCompromised ? nowMs : activeFromMs + (accessSeconds + skewSeconds) * 1000
    await trx
      .updateTable(signingKeysTable)
      .set({ verifiesUntil: new Date(until).toISOString() })
      .where('number', '<', number)
      .$if(!isCompromised, (query) => query.where('verifiesUntil', 'is', null))
      .execute()
    await trx
      .deleteFrom(signingKeysTable)
      .where('verifiesUntil', '<', new Date(nowMs - 86_400_000).toISOString())
      .execute()
  }
  if (!isWaiting || isCompromised) await db.transaction().execute(makeNext)
  const [newest] = await readSigningKeys(db)
  if (newest === undefined) throw new KeyFault(`The table ${signingKeysTable} is empty. Try again.`)
  const rewrappedCount = await rewrapAll(db, kek, records)
  return { id: newest.id, activeFrom: new Date(newest.activeFromMs).toISOString(), rewrappedCount }
}

async function rewrapAll(
  db: MigrationDatabase,
  kek: KeyEncryption,
  records: readonly SigningKeyRecord[],
): Promise<number> {
  let count = 0
  for (const record of records) {
    const wrapped = await wrapSeed(kek, await unwrapSeed(kek, record), record.id)
    const changed = await db
      .updateTable(signingKeysTable)
      .set({ wrapped })
      .where('id', '=', record.id)
      .where('wrapped', '=', record.wrapped)
      .returning('id')
      .execute()
    count += changed.length
  }
  return count
}
