import type { Migration } from '../data/index.ts'

/** The table of mails to send. */
export const mailTable = 'holdfast_mail'

/** Makes {@link mailTable}. */
export const outboxMigration: Migration = {
  name: '0004-mail',
  async up(db) {
    await db.schema
      .createTable(mailTable)
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('sealed', 'text', (column) => column.notNull())
      .addColumn('attemptCount', 'integer', (column) => column.notNull())
      // When it is due; while it is being sent, until when nobody else tries.
      .addColumn('dueAt', 'text', (column) => column.notNull())
      .addColumn('expiresAt', 'text', (column) => column.notNull())
      .execute()
    await db.schema.createIndex('holdfast_mail_by_due').on(mailTable).column('dueAt').execute()
  },
  async down(db) {
    await db.schema.dropTable(mailTable).execute()
  },
}
