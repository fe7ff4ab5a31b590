import { type Expression, expressionBuilder } from 'kysely'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { type EngineKind, engineKinds, freshDatabase } from '../../../test/kit/databases.ts'
import { resource, where } from '../resource.ts'
import { OwnedRows } from './database.ts'

interface Tables {
  tickets: { id: string; ownerId: string; n: number }
}

const Ticket = resource('ticket', 'tickets', {
  row: z.strictObject({ id: z.uuid(), ownerId: z.string().max(50), n: z.int() }),
  owner: 'ownerId',
  server: { id: 'uuid' },
  insert: where('n', '<', 10),
})

/** 9 or 10, another one each time it is evaluated. */
function eitherSide(engine: EngineKind): Expression<number> {
  const eb = expressionBuilder<Tables, 'tickets'>()
  const random = eb.fn<number>('random', [])
  const bit =
    engine === 'postgres'
      ? eb.cast<number>(eb.fn('round', [random]), 'integer')
      : eb(eb.fn<number>('abs', [random]), '%', eb.lit(2))
  return eb(eb.val<number>(9), '+', bit)
}

it.each(engineKinds)('V8.2.2 a new row is judged by what is stored of it (%s)', async (engine) => {
  const { database, secure, drop } = await freshDatabase(engine)
  await database.db.schema
    .createTable('tickets')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('ownerId', 'text')
    .addColumn('n', 'integer')
    .execute()
  await secure([Ticket])
  const db = new OwnedRows(database, [Ticket]).as<Tables>({
    userId: 'ann',
    tenantId: null,
    roles: [],
    lifted: new Map(),
  })
  const insert = async (n: number | Expression<number>): Promise<boolean> => {
    try {
      await db
        .insertInto('tickets')
        .values({ n } as never)
        .execute()
      return true
    } catch (error) {
      expect(error).toMatchObject({
        code: 'NOT_FOUND',
        reason: 'the row rules refuse what the query would have written',
      })
      return false
    }
  }
  // As texts, '10' would come before '9'.
  expect([await insert(9), await insert(10), await insert(-1), await insert(100)]).toEqual([
    true,
    false,
    true,
    false,
  ])
  const taken: boolean[] = []
  for (let round = 0; round < 60; round += 1) taken.push(await insert(eitherSide(engine)))
  expect(new Set(taken)).toEqual(new Set([true, false]))
  const stored = await database.db.selectFrom('tickets').select('n').execute()
  expect(stored.filter(({ n }) => Number(n) >= 10)).toEqual([])
  expect(stored).toHaveLength(2 + taken.filter(Boolean).length)
  await drop()
})
