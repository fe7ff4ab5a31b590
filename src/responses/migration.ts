import type { Migration } from '../data/index.ts'

/** The table of responses, which every node follows. */
export const responsesTable = 'holdfast_responses'

/** Makes {@link responsesTable}. */
export const responsesMigration: Migration = {
  name: '0014-responses',
  async up(db) {
    await db.schema
      .createTable(responsesTable)
      .addColumn('id', 'text', (column) => column.primaryKey())
      // What is unique among the responses in force: mode, response and target; null once it has ended.
      .addColumn('openKey', 'text', (column) => column.unique())
      .addColumn('response', 'text', (column) => column.notNull())
      .addColumn('detector', 'text', (column) => column.notNull())
      .addColumn('mode', 'text', (column) => column.notNull())
      .addColumn('targetKind', 'text', (column) => column.notNull())
      .addColumn('target', 'text', (column) => column.notNull())
      .addColumn('reason', 'text', (column) => column.notNull())
      .addColumn('alertId', 'text')
      .addColumn('findingKey', 'text')
      .addColumn('madeAt', 'text', (column) => column.notNull())
      .addColumn('lastAt', 'text', (column) => column.notNull())
      .addColumn('expiresAt', 'text', (column) => column.notNull())
      .addColumn('undoneAt', 'text')
      .addColumn('undoneBy', 'text')
      .addColumn('undoneReason', 'text')
      // The ban that it has made.
      .addColumn('effectId', 'text')
      .addColumn('outcome', 'text', (column) => column.notNull())
      .addColumn('why', 'text')
      .addColumn('levelCount', 'integer', (column) => column.notNull())
      .addColumn('findingCount', 'integer', (column) => column.notNull())
      // Grows with every change of the row; what the other nodes read by.
      .addColumn('changedAt', 'text', (column) => column.notNull())
      .execute()
    await db.schema
      .createIndex('holdfast_responses_by_change')
      .on(responsesTable)
      .columns(['changedAt', 'id'])
      .execute()
    await db.schema
      .createIndex('holdfast_responses_by_target')
      .on(responsesTable)
      .columns(['target', 'madeAt'])
      .execute()
    await db.schema.createIndex('holdfast_responses_by_end').on(responsesTable).column('expiresAt').execute()
  },
  async down(db) {
    await db.schema.dropTable(responsesTable).execute()
  },
}
