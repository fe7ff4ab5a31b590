import type { Migration } from '../data/index.ts'

/** The table that every node follows to know who is banned. */
export const bansTable = 'holdfast_bans'

/** Makes {@link bansTable}. */
export const bansMigration: Migration = {
  name: '0011-bans',
  async up(db) {
    await db.schema
      .createTable(bansTable)
      .addColumn('id', 'text', (column) => column.primaryKey())
      // What is unique among the bans in force: kind and target; null once it has ended.
      .addColumn('openKey', 'text', (column) => column.unique())
      .addColumn('kind', 'text', (column) => column.notNull())
      .addColumn('target', 'text', (column) => column.notNull())
      .addColumn('reason', 'text', (column) => column.notNull())
      .addColumn('origin', 'text', (column) => column.notNull())
      .addColumn('madeBy', 'text')
      .addColumn('madeAt', 'text', (column) => column.notNull())
      .addColumn('expiresAt', 'text')
      .addColumn('liftedAt', 'text')
      .addColumn('liftedBy', 'text')
      // Grows with every change of the row; what the other nodes read by.
      .addColumn('changedAt', 'text', (column) => column.notNull())
      .execute()
    await db.schema
      .createIndex('holdfast_bans_by_change')
      .on(bansTable)
      .columns(['changedAt', 'id'])
      .execute()
  },
  async down(db) {
    await db.schema.dropTable(bansTable).execute()
  },
}
