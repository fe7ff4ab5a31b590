import type { Migration } from '../data/index.ts'

/** The table of stored replies. */
export const repliesTable = 'holdfast_replies'

/** Makes {@link repliesTable}. */
export const repliesMigration: Migration = {
  name: '0001-replies',
  async up(db) {
    await db.schema
      .createTable(repliesTable)
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('fingerprint', 'text', (column) => column.notNull())
      .addColumn('reply', 'text', (column) => column.notNull())
      .addColumn('createdAt', 'text', (column) => column.notNull())
      .execute()
    await db.schema.createIndex('holdfast_replies_by_age').on(repliesTable).column('createdAt').execute()
  },
  async down(db) {
    await db.schema.dropTable(repliesTable).execute()
  },
}
