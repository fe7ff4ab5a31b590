import { z } from 'zod'
import type { KeyRing } from '../../src/crypto/index.ts'
import { blindIndex, openField, sealField } from '../../src/crypto/index.ts'
import { type Migration, type MigrationDatabase, resource } from '../../src/data/index.ts'

/** A resource with encrypted columns, one of which can be looked up. */
export const Patient = resource('patient', 'patients', {
  row: z.object({
    id: z.string(),
    ownerId: z.string(),
    name: z.string().max(200),
    email: z.string().max(200).nullable(),
    revision: z.number(),
    updatedAt: z.string(),
  }),
  owner: 'ownerId',
  server: { id: 'uuid', revision: 'revision', updatedAt: 'changed' },
  encrypted: ['name', 'email'],
  lookup: { email: 'emailIndex' },
})

/** Makes its table. */
export const patientsMigration: Migration = {
  name: '0001-patients',
  async up(db) {
    await db.schema
      .createTable('patients')
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('ownerId', 'text', (column) => column.notNull())
      .addColumn('name', 'text')
      .addColumn('email', 'text')
      .addColumn('emailIndex', 'text', (column) => column.unique())
      .addColumn('revision', 'integer', (column) => column.notNull())
      .addColumn('updatedAt', 'text', (column) => column.notNull())
      .execute()
  },
}

/** The id of the patient of a number; in the order of the numbers. */
export function patientId(number: number): string {
  return `p${String(number).padStart(6, '0')}`
}

/** Puts patients there, sealed under the active key. */
export async function insertPatients(
  db: MigrationDatabase,
  ring: KeyRing,
  numbers: readonly number[],
): Promise<void> {
  const rows = numbers.map((number) => {
    const row = patientId(number)
    const email = `${number}@example.com`
    return {
      id: row,
      ownerId: 'u1',
      name: sealField(ring, { table: 'patients', column: 'name', row }, `Patient ${number}`),
      email: sealField(ring, { table: 'patients', column: 'email', row }, email),
      emailIndex: blindIndex(ring.active, 'patients', 'email', email),
      revision: 7,
      updatedAt: '2026-01-01T00:00:00.000Z',
    }
  })
  for (let at = 0; at < rows.length; at += 500) {
    await db
      .insertInto('patients')
      .values(rows.slice(at, at + 500))
      .execute()
  }
}

/** What is wrong with the patients: values that do not open, that are others, or that another key has sealed. */
export async function patientFaults(
  db: MigrationDatabase,
  ring: KeyRing,
  count: number,
): Promise<readonly string[]> {
  const faults: string[] = []
  const rows = await db.selectFrom('patients').selectAll().orderBy('id').execute()
  if (rows.length !== count) faults.push(`${rows.length} rows`)
  rows.forEach((row, number) => {
    const id = String(row['id'])
    const opened = (column: string): unknown => {
      const text = String(row[column])
      if (!text.startsWith(`hf1.${ring.active.id}.`)) faults.push(`${id} ${column} is under another key`)
      return openField(ring, { table: 'patients', column, row: id }, text)
    }
    if (opened('name') !== `Patient ${number}`) faults.push(`${id} has another name`)
    if (opened('email') !== `${number}@example.com`) faults.push(`${id} has another address`)
    if (row['emailIndex'] !== blindIndex(ring.active, 'patients', 'email', `${number}@example.com`))
      faults.push(`${id} has another index`)
    if (row['revision'] !== 7 || row['updatedAt'] !== '2026-01-01T00:00:00.000Z')
      faults.push(`${id} was touched`)
  })
  return faults
}
