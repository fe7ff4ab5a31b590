import { expect, it } from 'vitest'
import { insertPatients, Patient, patientId, patientsMigration } from '../../test/kit/patients.ts'
import { Secret } from '../base/index.ts'
import { unguessableBytes } from '../crypto/index.ts'
import { migrateUp, openDatabase } from '../data/index.ts'
import { encryptedTables } from './columns.ts'
import { writeBatch } from './write-batch.ts'

it('V2.3.3 writes only where what was read still stands', async () => {
  const database = openDatabase(':memory:')
  const { db } = database
  await migrateUp(database, [patientsMigration])
  const key = { id: 'aaaaaaaa', key: new Secret(unguessableBytes(32)) }
  await insertPatients(db, { active: key, keys: [key], byId: () => key }, [0, 1, 2])
  const [table] = encryptedTables([Patient])
  if (table === undefined) return expect.unreachable('there is a table')
  const rows = await db.selectFrom('patients').selectAll().orderBy('id').execute()
  const name = (number: number) => String(rows[number]?.['name'])
  await db.updateTable('patients').set({ name: 'by somebody else' }).where('id', '=', patientId(1)).execute()
  await db
    .updateTable('patients')
    .set({ emailIndex: 'set meanwhile' })
    .where('id', '=', patientId(2))
    .execute()
  const change = (number: number, expected: Record<string, string | null>) => ({
    key: patientId(number),
    set: { name: 'by us' },
    expected: { name: name(number), ...expected },
  })
  const written = await writeBatch(db, table, [change(0, {}), change(1, {}), change(2, { emailIndex: null })])
  expect(written).toEqual({ writtenCount: 1, refused: [] })
  const names = await db.selectFrom('patients').select('name').orderBy('id').execute()
  expect(names.map((row) => row['name'])).toEqual(['by us', 'by somebody else', name(2)])
  await database.close()
})
