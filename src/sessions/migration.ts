import type { Migration } from '../data/index.ts'

/** The table of sessions. */
export const sessionsTable = 'holdfast_sessions'

/** The table that every node follows to know which credentials have ended. */
export const revocationsTable = 'holdfast_revocations'

/** Makes {@link sessionsTable}. */
export const sessionsMigration: Migration = {
  name: '0006-sessions',
  async up(db) {
    await db.schema
      .createTable(sessionsTable)
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('userId', 'text', (column) => column.notNull())
      .addColumn('transport', 'text', (column) => column.notNull())
      .addColumn('methods', 'text', (column) => column.notNull())
      .addColumn('authTimeSeconds', 'integer', (column) => column.notNull())
      .addColumn('deviceId', 'text')
      .addColumn('userAgent', 'text', (column) => column.notNull())
      .addColumn('address', 'text', (column) => column.notNull())
      .addColumn('createdAt', 'text', (column) => column.notNull())
      .addColumn('lastSeenAt', 'text', (column) => column.notNull())
      .addColumn('idleUntil', 'text', (column) => column.notNull())
      .addColumn('expiresAt', 'text', (column) => column.notNull())
      // The family of refresh tokens: the number of the one that is good, its hash, and what they are made from.
      .addColumn('generation', 'integer', (column) => column.notNull())
      .addColumn('tokenHash', 'text', (column) => column.notNull())
      .addColumn('salt', 'text', (column) => column.notNull())
      .addColumn('rotatedAt', 'text', (column) => column.notNull())
      .addColumn('endedAt', 'text')
      .addColumn('endCause', 'text')
      .execute()
    await db.schema
      .createIndex('holdfast_sessions_by_user')
      .on(sessionsTable)
      .columns(['userId', 'lastSeenAt'])
      .execute()
    await db.schema.createIndex('holdfast_sessions_by_end').on(sessionsTable).column('expiresAt').execute()
  },
  async down(db) {
    await db.schema.dropTable(sessionsTable).execute()
  },
}

/** Makes {@link revocationsTable}. */
export const revocationsMigration: Migration = {
  name: '0007-revocations',
  async up(db) {
    await db.schema
      .createTable(revocationsTable)
      .addColumn('id', 'text', (column) => column.primaryKey())
      // One of the two: a session that has ended, or a user whose tokens below a version have.
      .addColumn('sessionId', 'text')
      .addColumn('userId', 'text')
      .addColumn('minimumVersion', 'integer')
      .addColumn('cause', 'text', (column) => column.notNull())
      .addColumn('at', 'text', (column) => column.notNull())
      .execute()
    await db.schema.createIndex('holdfast_revocations_by_time').on(revocationsTable).column('at').execute()
  },
  async down(db) {
    await db.schema.dropTable(revocationsTable).execute()
  },
}
