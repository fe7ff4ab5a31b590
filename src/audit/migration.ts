import { sql } from 'kysely'
import type { Migration, MigrationDatabase } from '../data/index.ts'

/** The rows of the trail. */
export const eventsTable = 'holdfast_events'

/** The chains: one for each run of a process that has written. */
export const chainsTable = 'holdfast_event_chains'

/** Signed statements about how far a chain had come. */
export const checkpointsTable = 'holdfast_event_checkpoints'

const searched = ['event', 'userId', 'actorId', 'address', 'sessionId', 'route', 'level'] as const

/** Makes the tables of the audit trail, which refuse to be changed. */
export const eventsMigration: Migration = {
  name: '0012-events',
  async up(db) {
    await makeEvents(db)
    await db.schema
      .createTable(chainsTable)
      .addColumn('chain', 'text', (column) => column.primaryKey())
      .addColumn('keyId', 'text', (column) => column.notNull())
      .addColumn('startedAt', 'text', (column) => column.notNull())
      .addColumn('closedAt', 'text')
      // How many of its rows, from the first on, have been pruned.
      .addColumn('prunedSeq', 'integer', (column) => column.notNull().defaultTo(0))
      .execute()
    await db.schema
      .createTable(checkpointsTable)
      .addColumn('chain', 'text', (column) => column.notNull())
      .addColumn('seq', 'integer', (column) => column.notNull())
      .addColumn('kind', 'text', (column) => column.notNull())
      .addColumn('hash', 'text', (column) => column.notNull())
      .addColumn('at', 'text', (column) => column.notNull())
      // How far the other chains had come then: a chain that is removed whole is missed there.
      .addColumn('heads', 'text', (column) => column.notNull())
      .addColumn('signature', 'text', (column) => column.notNull())
      .addPrimaryKeyConstraint('holdfast_event_checkpoints_pk', ['chain', 'seq', 'kind'])
      .execute()
    await refuseChanges(db)
  },
  async down(db) {
    for (const table of [checkpointsTable, eventsTable, chainsTable])
      await db.schema.dropTable(table).execute()
    if (isPostgres(db)) await sql`drop function if exists holdfast_events_stay()`.execute(db)
  },
}

async function makeEvents(db: MigrationDatabase): Promise<void> {
  await db.schema
    .createTable(eventsTable)
    // A UUIDv7: the order of the ids is the order of time.
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('at', 'text', (column) => column.notNull())
    .addColumn('event', 'text', (column) => column.notNull())
    .addColumn('level', 'text', (column) => column.notNull())
    .addColumn('outcome', 'text', (column) => column.notNull())
    .addColumn('userId', 'text')
    .addColumn('actorId', 'text')
    .addColumn('sessionId', 'text')
    .addColumn('address', 'text')
    .addColumn('route', 'text')
    .addColumn('requestId', 'text')
    .addColumn('reason', 'text')
    .addColumn('details', 'text')
    .addColumn('chain', 'text', (column) => column.notNull())
    // Both are null until the row is sealed, a moment after its transaction.
    .addColumn('seq', 'integer')
    .addColumn('hash', 'text')
    .execute()
  for (const column of searched)
    await db.schema
      .createIndex(`holdfast_events_by_${column.toLowerCase()}`)
      .on(eventsTable)
      .columns([column, 'id'])
      .execute()
  await db.schema
    .createIndex('holdfast_events_by_chain')
    .on(eventsTable)
    .columns(['chain', 'seq'])
    .unique()
    .execute()
  await db.schema
    .createIndex('holdfast_events_unsealed')
    .on(eventsTable)
    .columns(['id', 'seq'])
    .where('seq', 'is', null)
    .execute()
}

/**
 * What is sealed stays: no change, and no removal but of what has been pruned. Whoever owns the table can take this
 * away; the chain is for them.
 */
async function refuseChanges(db: MigrationDatabase): Promise<void> {
  if (isPostgres(db)) {
    await sql`create function holdfast_events_stay() returns trigger language plpgsql as $$
      begin
        if TG_OP = 'DELETE' and OLD.seq <= (select "prunedSeq" from holdfast_event_chains c where c.chain = OLD.chain)
          then return OLD; end if;
        if TG_OP = 'UPDATE' and OLD.seq is null then return NEW; end if;
        raise exception 'a row of the audit trail stays as it is';
      end $$`.execute(db)
    await sql`create trigger holdfast_events_stay before update or delete on holdfast_events
      for each row execute function holdfast_events_stay()`.execute(db)
    return
  }
  await sql`create trigger holdfast_events_no_change before update on holdfast_events when old.seq is not null
    begin select raise(abort, 'a row of the audit trail stays as it is'); end`.execute(db)
  await sql`create trigger holdfast_events_no_removal before delete on holdfast_events
    when old.seq is null or old.seq > coalesce(
      (select "prunedSeq" from holdfast_event_chains c where c.chain = old.chain), 0)
    begin select raise(abort, 'a row of the audit trail stays as it is'); end`.execute(db)
}

// The adapter of PostgreSQL is the one of the two that can undo changes of the schema.
function isPostgres(db: MigrationDatabase): boolean {
  return db.getExecutor().adapter.supportsTransactionalDdl === true
}
