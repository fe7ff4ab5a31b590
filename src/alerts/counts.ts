import type { MigrationDatabase } from '../data/index.ts'
import { alertsTable, deliveriesTable } from './migration.ts'

/** How many alerts want to be looked at, and how many deliveries wait or were given up. */
export interface AlertCounts {
  readonly openCount: number
  readonly deliveriesWaitingCount: number
  readonly deliveriesDeadCount: number
}

/** Counts alerts and deliveries, for metrics. */
export async function alertCounts(db: MigrationDatabase): Promise<AlertCounts> {
  const count = async (table: string, state: string): Promise<number> => {
    const row = await db
      .selectFrom(table)
      .select((eb) => eb.fn.countAll().as('count'))
      .where('state', '=', state)
      .executeTakeFirst()
    return Number(row?.['count'] ?? 0)
  }
  return {
    openCount: await count(alertsTable, 'open'),
    deliveriesWaitingCount: await count(deliveriesTable, 'waiting'),
    deliveriesDeadCount: await count(deliveriesTable, 'dead'),
  }
}
