import type { Migration } from '../data/index.ts'

/** The table of wrapped data keys. */
export const keysTable = 'holdfast_keys'

/** Makes {@link keysTable}. */
export const keysMigration: Migration = {
  name: '0002-keys',
  async up(db) {
    await db.schema
      .createTable(keysTable)
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('state', 'text', (column) => column.notNull())
      .addColumn('wrapped', 'text')
      .addColumn('createdAt', 'text', (column) => column.notNull())
      .addColumn('activeFrom', 'text', (column) => column.notNull())
      .addColumn('retiredAt', 'text')
      .addColumn('destroyedAt', 'text')
      .execute()
    // Of nodes that start at once, and of rotations that run at once, exactly one puts its key here.
    await db.schema
      .createIndex('holdfast_keys_one_active')
      .unique()
      .on(keysTable)
      .column('state')
      .where('state', '=', 'active')
      .execute()
  },
  // There is no way back: dropping the keys would lose every encrypted value.
}
