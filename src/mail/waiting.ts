import type { MigrationDatabase } from '../data/index.ts'
import { mailTable } from './migration.ts'

/** How many mails wait to be sent. */
export async function waitingMails(db: MigrationDatabase): Promise<number> {
  const row = await db
    .selectFrom(mailTable)
    .select((eb) => eb.fn.countAll().as('count'))
    .executeTakeFirst()
  return Number(row?.['count'] ?? 0)
}
