import { describe, expect, it } from 'vitest'
import { engineKinds, freshDatabase } from '../../../test/kit/databases.ts'
import type { Database } from '../open.ts'
import { migrateDown, migrateUp, migrationStatus, requireMigrated } from './migrate.ts'
import type { Migration } from './migration.ts'

function step(name: string, table: string): Migration {
  return {
    name,
    up: async (db) => await db.schema.createTable(table).addColumn('id', 'text').execute(),
    down: async (db) => await db.schema.dropTable(table).execute(),
  }
}

const first = step('0001-a', 'a')
const second = step('0002-b', 'b')

async function tablesOf(database: Database): Promise<string[]> {
  const rows = await database.db.introspection.getTables()
  return rows.map(({ name }) => name).filter((name) => name.length === 1)
}

describe.each(engineKinds)('migrations on %s', (engine) => {
  it('go up in order, once, and back one at a time', async () => {
    const { database, drop } = await freshDatabase(engine)
    const done: string[] = []
    const up = await migrateUp(database, [first], (name) => done.push(name))
    expect(up).toEqual({ done: ['0001-a'], applied: ['0001-a'], pending: [] })
    expect((await migrateUp(database, [first, second], (name) => done.push(name))).done).toEqual(['0002-b'])
    expect((await migrateUp(database, [first, second])).done).toEqual([])
    expect(done).toEqual(['0001-a', '0002-b'])
    expect(await migrateDown(database, [first, second])).toEqual({
      done: ['0002-b'],
      applied: ['0001-a'],
      pending: ['0002-b'],
    })
    expect(await tablesOf(database)).toEqual(['a'])
    await drop()
  })

  it('leave nothing of a step that fails midway', async () => {
    const { database, drop } = await freshDatabase(engine)
    const broken: Migration = {
      name: '0002-b',
      up: async (db) => {
        await db.schema.createTable('b').addColumn('id', 'text').execute()
        throw new TypeError('midway')
      },
    }
    await expect(migrateUp(database, [first, broken])).rejects.toThrow('midway')
    expect(await tablesOf(database)).toEqual(['a'])
    expect(await migrationStatus(database, [first, second])).toEqual({
      done: [],
      applied: ['0001-a'],
      pending: ['0002-b'],
    })
    await drop()
  })

  it('apply each step once when two start at the same time', async () => {
    const { database, drop } = await freshDatabase(engine)
    const both = await Promise.all([
      migrateUp(database, [first, second]),
      migrateUp(database, [first, second]),
    ])
    expect(both.flatMap(({ done }) => done).sort()).toEqual(['0001-a', '0002-b'])
    await drop()
  })

  const histories: [string, Migration[], string][] = [
    ['a step that was removed', [second], '0001-a as its migration 1'],
    ['a step that was put before', [step('0000-z', 'z'), first], '0001-a as its migration 1'],
    ['two steps of one name', [first, first], 'Two migrations are called 0001-a'],
  ]
  for (const [name, list, message] of histories) {
    it(`refuse ${name}`, async () => {
      const { database, drop } = await freshDatabase(engine)
      await migrateUp(database, [first])
      await expect(migrateUp(database, list)).rejects.toThrow(message)
      await expect(requireMigrated(database, list)).rejects.toThrow(message)
      await drop()
    })
  }

  it('are demanded in production, with the command to run', async () => {
    const { database, drop } = await freshDatabase(engine)
    await expect(requireMigrated(database, [first])).rejects.toThrow('holdfast migrate up')
    await migrateUp(database, [first])
    await expect(requireMigrated(database, [first])).resolves.toBeUndefined()
    await drop()
  })

  it('say so when a step has no way back', async () => {
    const { database, drop } = await freshDatabase(engine)
    const oneWay: Migration = { name: '0001-a', up: first.up }
    await migrateUp(database, [oneWay])
    await expect(migrateDown(database, [oneWay])).rejects.toThrow('no way back')
    await drop()
  })
})
