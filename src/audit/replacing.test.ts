import { sql } from 'kysely'
import { expect, it } from 'vitest'
import { emitMany, type Row, trailWorld } from '../../test/kit/audit.ts'
import type { MigrationDatabase } from '../data/index.ts'
import { chainsTable, checkpointsTable, eventsTable } from './index.ts'

const replace = (db: MigrationDatabase, table: string, row: Row) =>
  sql`insert or replace into ${sql.table(table)} (${sql.join(Object.keys(row).map((name) => sql.ref(name)))})
    values (${sql.join(Object.values(row))})`.execute(db)

it('V16.4.2 SQLite replaces no row of the trail: that removes one without asking for it', async () => {
  const world = await trailWorld('sqlite')
  const trail = world.open()
  await emitMany(trail, 3)
  await trail.transact(async (_, note) => note({ event: 'user_created' }))
  const before = [await world.rows(), await world.chains(), await world.checkpoints()]
  const [unsealed, first] = await world.rows().then((rows) => [rows[0], rows[1]])
  expect([unsealed?.['seq'], first?.['seq']]).toEqual([null, 1])
  const [chain] = await world.chains()
  const attempts: readonly (readonly [string, Row])[] = [
    [eventsTable, { ...first, userId: 'mallory' }],
    [eventsTable, { ...first, id: 'other' }],
    [eventsTable, { ...unsealed, userId: 'mallory' }],
    [chainsTable, { ...chain, prunedSeq: 3 }],
    ...(await world.checkpoints()).map((row) => [checkpointsTable, { ...row, hash: 'other' }] as const),
  ]
  for (const [table, row] of attempts)
    await expect(replace(world.db, table, row), table).rejects.toMatchObject({ code: 'CONFLICT' })
  // The same by an update of what has no place yet.
  const taking = sql`update or replace ${sql.table(eventsTable)} set seq = 1, hash = 'x' where seq is null`
  await expect(taking.execute(world.db)).rejects.toMatchObject({ code: 'CONFLICT' })
  expect([await world.rows(), await world.chains(), await world.checkpoints()]).toEqual(before)
  await trail.close()
  expect(await world.findings()).toEqual([])
  await world.drop()
})
