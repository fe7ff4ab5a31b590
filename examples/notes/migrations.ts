import type { Migration } from 'holdfast'

const notes: Migration = {
  name: '0001-notes',
  async up(db) {
    await db.schema
      .createTable('notes')
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('ownerId', 'text', (column) => column.notNull())
      .addColumn('title', 'text', (column) => column.notNull())
      .addColumn('body', 'text', (column) => column.notNull())
      .addColumn('createdAt', 'text', (column) => column.notNull())
      .addColumn('updatedAt', 'text', (column) => column.notNull())
      .addColumn('revision', 'integer', (column) => column.notNull())
      .execute()
    await db.schema
      .createIndex('notes_by_owner')
      .on('notes')
      .columns(['ownerId', 'createdAt', 'id'])
      .execute()
  },
  async down(db) {
    await db.schema.dropTable('notes').execute()
  },
}

const shares: Migration = {
  name: '0002-note-shares',
  async up(db) {
    await db.schema
      .createTable('note_shares')
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('noteId', 'text', (column) => column.notNull().references('notes.id').onDelete('cascade'))
      .addColumn('userId', 'text', (column) => column.notNull())
      .addColumn('permission', 'text', (column) => column.notNull())
      .addUniqueConstraint('note_shares_once', ['noteId', 'userId'])
      .execute()
    await db.schema
      .createIndex('note_shares_by_user')
      .on('note_shares')
      .columns(['userId', 'noteId'])
      .execute()
  },
  async down(db) {
    await db.schema.dropTable('note_shares').execute()
  },
}

export const migrations: readonly Migration[] = [notes, shares]
