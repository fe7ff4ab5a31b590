import type { MigrationDatabase } from '../data/index.ts'
import { signingKeysTable } from './migration.ts'

/** Since when the key that signs now is in use, ISO 8601; `null` when there is none yet. */
export async function signingSince(db: MigrationDatabase, nowMs: number): Promise<string | null> {
  const row = await db
    .selectFrom(signingKeysTable)
    .select((eb) => eb.fn.max('activeFrom').as('since'))
    .where('activeFrom', '<=', new Date(nowMs).toISOString())
    .executeTakeFirst()
  const since = row?.['since']
  return typeof since === 'string' ? since : null
}
