import type { Migration } from '../data/index.ts'

/** The table of alerts. */
export const alertsTable = 'holdfast_alerts'

/** By what a finding is known to belong to an alert that takes findings. A key belongs to one alert at a time. */
export const keysTable = 'holdfast_alert_keys'

/** What is to be told of alerts, by which channel. */
export const deliveriesTable = 'holdfast_alert_deliveries'

/** Makes the tables of alerts. */
export const alertsMigration: Migration = {
  name: '0013-alerts',
  async up(db) {
    await db.schema
      .createTable(alertsTable)
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('state', 'text', (column) => column.notNull())
      .addColumn('severity', 'text', (column) => column.notNull())
      .addColumn('title', 'text', (column) => column.notNull())
      .addColumn('summary', 'text', (column) => column.notNull())
      // JSON: a list of names.
      .addColumn('detectors', 'text', (column) => column.notNull())
      // The detector that has opened it: too many of one are one alert.
      .addColumn('openedBy', 'text', (column) => column.notNull())
      .addColumn('count', 'integer', (column) => column.notNull())
      .addColumn('openedAt', 'text', (column) => column.notNull())
      .addColumn('firstAt', 'text', (column) => column.notNull())
      .addColumn('lastAt', 'text', (column) => column.notNull())
      // JSON: addresses, accounts, sessions, routes.
      .addColumn('samples', 'text', (column) => column.notNull())
      .addColumn('acknowledgedAt', 'text')
      .addColumn('acknowledgedBy', 'text')
      .addColumn('closedAt', 'text')
      .addColumn('closedBy', 'text')
      .addColumn('reason', 'text')
      .addColumn('mergedInto', 'text')
      .addColumn('changedAt', 'text', (column) => column.notNull())
      .execute()
    await db.schema
      .createIndex('holdfast_alerts_by_state')
      .on(alertsTable)
      .columns(['state', 'lastAt'])
      .execute()
    await db.schema
      .createTable(keysTable)
      // Unique: of two nodes that open an alert for the same at once, one has to give way.
      .addColumn('key', 'text', (column) => column.primaryKey())
      .addColumn('alertId', 'text', (column) => column.notNull())
      .execute()
    await db.schema.createIndex('holdfast_alert_keys_by_alert').on(keysTable).column('alertId').execute()
    await db.schema
      .createTable(deliveriesTable)
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('alertId', 'text', (column) => column.notNull())
      .addColumn('channel', 'text', (column) => column.notNull())
      .addColumn('kind', 'text', (column) => column.notNull())
      .addColumn('state', 'text', (column) => column.notNull())
      .addColumn('attemptCount', 'integer', (column) => column.notNull())
      // When it is due; while it is being delivered, until when nobody else tries.
      .addColumn('nextAt', 'text', (column) => column.notNull())
      // Until when it is tried at all.
      .addColumn('untilAt', 'text', (column) => column.notNull())
      .addColumn('lastError', 'text')
      .addColumn('createdAt', 'text', (column) => column.notNull())
      .execute()
    await db.schema
      .createIndex('holdfast_alert_deliveries_by_due')
      .on(deliveriesTable)
      .columns(['channel', 'state', 'nextAt'])
      .execute()
    await db.schema
      .createIndex('holdfast_alert_deliveries_by_alert')
      .on(deliveriesTable)
      .column('alertId')
      .execute()
  },
  async down(db) {
    for (const table of [deliveriesTable, keysTable, alertsTable]) await db.schema.dropTable(table).execute()
  },
}
