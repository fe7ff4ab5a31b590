import { type MigrationDatabase, withRetries } from '../data/index.ts'
import { KeyFault } from './fault.ts'
import type { KeyEncryption } from './key-encryption.ts'
import { keysTable } from './migration.ts'
import { isoTime, type KeyRecord, makeDataKey, readRecords } from './records.ts'
import { ensureKey } from './ring.ts'

/** How a rotation ended. */
export interface Rotation {
  /** The newest key. */
  readonly id: string
  /** From when on it seals: ISO 8601 in UTC. */
  readonly activeFrom: string
  /** The one before; `null` when there was none. */
  readonly previous: string | null
  /** How many keys were wrapped anew under the current key-encryption key. */
  readonly rewrappedCount: number
}

/** How a rotation runs. */
export interface RotationOptions {
  /** How long the new key is known before it seals, in milliseconds: longer than a node's readings are apart. */
  readonly graceMs?: number
  /** The wall clock, in milliseconds since 1970. */
  readonly now?: () => number
}

// Twice the time between two readings of a node, so that one may fail.
const defaultGraceMs = 120_000

/**
 * Makes a new key for sealing; the one before goes on opening. It seals only after some time: by then every node
 * has read the table, so none of them meets a value, or misses one in a lookup, whose key it does not know.
 *
 * Wraps every key anew, too, after which HOLDFAST_SECRET_PREVIOUS is not needed any more. Of rotations that run at
 * once, one makes the new key and the others find it.
 *
 * @throws KeyFault when a key does not open; nothing has been changed then that would not open.
 * @see NIST SP 800-57 Part 1 §5.3.5; OWASP ASVS 5.0 §11.2.2, §13.3.4
 */
export async function rotateKeys(
  db: MigrationDatabase,
  kek: KeyEncryption,
  options: RotationOptions = {},
): Promise<Rotation> {
  const now = options.now ?? Date.now
  const before = await readRecords(db)
  const rewrappedCount = await rewrap(db, kek, before)
  const previous = before.find(({ state }) => state === 'active')
  if (previous === undefined) await ensureKey(db, kek, now)
  else await replace(db, kek, previous, now() + (options.graceMs ?? defaultGraceMs), now)
  const active = (await readRecords(db)).find(({ state }) => state === 'active')
  if (active === undefined) throw new KeyFault(`The table ${keysTable} has no active key. Try again.`)
  return { id: active.id, activeFrom: active.activeFrom, previous: previous?.id ?? null, rewrappedCount }
}

async function rewrap(
  db: MigrationDatabase,
  kek: KeyEncryption,
  records: readonly KeyRecord[],
): Promise<number> {
  let count = 0
  for (const { id, wrapped } of records) {
    if (wrapped === null) continue
    const anew = await kek.wrap(await kek.unwrap(wrapped, id), id)
    const { numUpdatedRows } = await db
      .updateTable(keysTable)
      .set({ wrapped: anew })
      .where('id', '=', id)
      // Another rotation may have wrapped it meanwhile, or the key may be gone.
      .where('wrapped', '=', wrapped)
      .executeTakeFirstOrThrow()
    count += Number(numUpdatedRows)
  }
  return count
}

/** Puts a new key in the place of the active one, unless another rotation has done so. */
async function replace(
  db: MigrationDatabase,
  kek: KeyEncryption,
  previous: KeyRecord,
  from: number,
  now: () => number,
): Promise<void> {
  const { id, key } = makeDataKey()
  const wrapped = await kek.wrap(key, id)
  // The order of the keys must not depend on whose clock is right.
  const activeFrom = isoTime(Math.max(from, Date.parse(previous.activeFrom) + 1))
  await withRetries(() =>
    db.transaction().execute(async (trx) => {
      const { numUpdatedRows } = await trx
        .updateTable(keysTable)
        .set({ state: 'decrypting', retiredAt: activeFrom })
        .where('id', '=', previous.id)
        .where('state', '=', 'active')
        .executeTakeFirstOrThrow()
      if (numUpdatedRows === 0n) return
      await trx
        .insertInto(keysTable)
        .values({ id, state: 'active', wrapped, createdAt: isoTime(now()), activeFrom })
        .execute()
    }),
  )
}
