import type { MigrationDatabase } from '../data/index.ts'
import { keysTable } from './migration.ts'

/** Since when the key that seals now is in use, ISO 8601; `null` when nothing is encrypted yet. */
export async function sealingSince(db: MigrationDatabase, nowMs: number): Promise<string | null> {
  const row = await db
    .selectFrom(keysTable)
    .select((eb) => eb.fn.max('activeFrom').as('since'))
    .where('state', '=', 'active')
    .where('activeFrom', '<=', new Date(nowMs).toISOString())
    .executeTakeFirst()
  const since = row?.['since']
  return typeof since === 'string' ? since : null
}
