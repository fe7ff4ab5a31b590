import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { openDatabase } from '../open.ts'

it('V15.4.2 two who have one file open in one process take turns, and do not hold up one another', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-queue-'))
  const [here, there] = [openDatabase(join(folder, 'a.sqlite')), openDatabase(join(folder, '.', 'a.sqlite'))]
  await here.db.schema.createTable('n').addColumn('at', 'integer').execute()
  const order: string[] = []
  const write = (name: string, { db }: typeof here) =>
    db.transaction().execute(async (trx) => {
      order.push(`${name} begins`)
      // Turns of the event loop pass inside of the transaction.
      for (let count = 0; count < 3; count += 1) {
        await trx.insertInto('n').values({ at: count }).execute()
        await new Promise((resolve) => setImmediate(resolve))
      }
      order.push(`${name} ends`)
    })
  await Promise.all([
    write('one', here),
    write('two', there),
    there.db.insertInto('n').values({ at: 9 }).execute(),
  ])
  expect(order).toEqual(['one begins', 'one ends', 'two begins', 'two ends'])
  expect(await here.db.selectFrom('n').selectAll().execute()).toHaveLength(7)
  await here.close()
  // Who is left is not kept waiting by who has gone.
  await there.db.insertInto('n').values({ at: 10 }).execute()
  await there.close()
  await rm(folder, { recursive: true })
})
