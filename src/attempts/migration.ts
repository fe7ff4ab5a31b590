import type { Migration } from '../data/index.ts'

/** The table of failed attempts. */
export const attemptsTable = 'holdfast_login_attempts'

/** Makes {@link attemptsTable}. */
export const attemptsMigration: Migration = {
  name: '0008-login-attempts',
  async up(db) {
    await db.schema
      .createTable(attemptsTable)
      // A MAC of the account, or of the account and a device: the table tells nobody who has tried to log in.
      .addColumn('key', 'text', (column) => column.primaryKey())
      .addColumn('failedCount', 'integer', (column) => column.notNull())
      .addColumn('nextAt', 'text', (column) => column.notNull())
      .addColumn('lastAt', 'text', (column) => column.notNull())
      .execute()
    // The order in which rows go when there are too many.
    await db.schema
      .createIndex('holdfast_login_attempts_by_count')
      .on(attemptsTable)
      .columns(['failedCount', 'lastAt'])
      .execute()
  },
  async down(db) {
    await db.schema.dropTable(attemptsTable).execute()
  },
}
