import type { Migration } from '../data/index.ts'

/** The table of signing keys. */
export const signingKeysTable = 'holdfast_signing_keys'

/** Makes {@link signingKeysTable}. */
export const signingKeysMigration: Migration = {
  name: '0005-signing-keys',
  async up(db) {
    await db.schema
      .createTable(signingKeysTable)
      .addColumn('id', 'text', (column) => column.primaryKey())
      // Counts up: of rotations that run at once, exactly one gets the next number.
      .addColumn('number', 'integer', (column) => column.notNull().unique())
      .addColumn('publicKey', 'text', (column) => column.notNull())
      .addColumn('wrapped', 'text', (column) => column.notNull())
      .addColumn('createdAt', 'text', (column) => column.notNull())
      .addColumn('activeFrom', 'text', (column) => column.notNull())
      .addColumn('verifiesUntil', 'text')
      .execute()
  },
  // There is no way back: without its keys every token that is out there would be refused.
}
