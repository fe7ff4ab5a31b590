import type { Migration } from '../data/index.ts'

/** The table of accounts. */
export const accountsTable = 'holdfast_accounts'

/** Makes {@link accountsTable}. */
export const accountsMigration: Migration = {
  name: '0009-accounts',
  async up(db) {
    await db.schema
      .createTable(accountsTable)
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('email', 'text', (column) => column.notNull().unique())
      .addColumn('name', 'text', (column) => column.notNull())
      .addColumn('passwordHash', 'text')
      // Grows with every change that ends the access tokens of before.
      .addColumn('version', 'integer', (column) => column.notNull())
      // A JSON array of names, sorted.
      .addColumn('roles', 'text', (column) => column.notNull())
      // Beside `roles`, so that the last administrator can be guarded in one statement.
      .addColumn('isAdministrator', 'integer', (column) => column.notNull())
      .addColumn('createdAt', 'text', (column) => column.notNull())
      .addColumn('updatedAt', 'text', (column) => column.notNull())
      .addColumn('passwordChangedAt', 'text')
      .addColumn('lastLoginAt', 'text')
      .addColumn('disabledAt', 'text')
      .execute()
    await db.schema
      .createIndex('holdfast_accounts_by_age')
      .on(accountsTable)
      .columns(['createdAt', 'id'])
      .execute()
    await db.schema
      .createIndex('holdfast_accounts_administrators')
      .on(accountsTable)
      .column('isAdministrator')
      .where('isAdministrator', '=', 1)
      .execute()
  },
  // There is no way back: dropping the accounts would lose them.
}
