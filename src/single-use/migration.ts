import type { Migration } from '../data/index.ts'

/** The table of tokens that work once. */
export const singleUseTable = 'holdfast_single_use'

/** Makes {@link singleUseTable}. */
export const singleUseMigration: Migration = {
  name: '0003-single-use',
  async up(db) {
    await db.schema
      .createTable(singleUseTable)
      .addColumn('hash', 'text', (column) => column.primaryKey())
      .addColumn('purpose', 'text', (column) => column.notNull())
      .addColumn('subject', 'text', (column) => column.notNull())
      .addColumn('sealed', 'text')
      .addColumn('createdAt', 'text', (column) => column.notNull())
      .addColumn('expiresAt', 'text', (column) => column.notNull())
      .execute()
    await db.schema
      .createIndex('holdfast_single_use_by_subject')
      .on(singleUseTable)
      .columns(['subject', 'purpose'])
      .execute()
    await db.schema.createIndex('holdfast_single_use_by_end').on(singleUseTable).column('expiresAt').execute()
  },
  async down(db) {
    await db.schema.dropTable(singleUseTable).execute()
  },
}
