import { expect, it } from 'vitest'
import { engineKinds, freshDatabase } from '../../test/kit/databases.ts'
import { type Argon2Cost, argon2Floor } from '../crypto/index.ts'
import { migrateUp } from '../data/index.ts'
import { hashCostMigration, settledCost, storedCost } from './stored-cost.ts'

const measured: Argon2Cost = { memoryKib: 40_960, passCount: 3, laneCount: 1 }
const other: Argon2Cost = { memoryKib: 65_536, passCount: 4, laneCount: 1 }

it.each(engineKinds)('V11.4.2 the cost is measured once for all nodes and starts, on %s', async (engine) => {
  const { database, drop } = await freshDatabase(engine)
  await migrateUp(database, { migrations: [hashCostMigration], table: 'holdfast_own_migrations' })
  const { db } = database
  expect(await storedCost(db, 100)).toBeNull()
  const both = await Promise.all([
    settledCost(db, 100, async () => measured),
    settledCost(db, 100, async () => other),
  ])
  // Whichever came first, both hash alike.
  expect(both[1]).toMatchObject({ ...both[0] })
  const unwanted = async (): Promise<Argon2Cost> => expect.unreachable('measured twice')
  expect(await settledCost(db, 100, unwanted)).toMatchObject({ ...both[0] })
  // Another target is another promise, and is measured anew.
  expect(await settledCost(db, 250, async () => other)).toMatchObject(other)
  expect(await settledCost(db, 250, unwanted)).toMatchObject(other)
  await db.updateTable('holdfast_hash_cost').set({ memoryKib: 8, passCount: 1 }).execute()
  expect(await storedCost(db, 250)).toEqual(argon2Floor)
  await drop()
})
