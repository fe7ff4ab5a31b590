import { sql } from 'kysely'
import type { Migration, MigrationDatabase } from '../data/index.ts'
import { eventColumns } from './row.ts'

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
      .addColumn('kind', 'text', (column) => column.notNull())
      .addColumn('seq', 'integer', (column) => column.notNull())
      .addColumn('hash', 'text', (column) => column.notNull())
      .addColumn('at', 'text', (column) => column.notNull())
      // How far the other chains had come then: a chain that is removed whole is missed there.
      .addColumn('heads', 'text', (column) => column.notNull())
      .addColumn('signature', 'text', (column) => column.notNull())
      .addPrimaryKeyConstraint('holdfast_event_checkpoints_pk', ['chain', 'kind', 'seq'])
      .execute()
    await db.schema
      .createIndex('holdfast_event_checkpoints_by_time')
      .on(checkpointsTable)
      .columns(['kind', 'at'])
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
    .addColumn('mac', 'text', (column) => column.notNull())
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

// What a row says stays from its insertion on; its place is given once.
const saidColumns = [...eventColumns, 'mac'].map((column) => `"${column}"`)

const stays = 'a row of the audit trail stays as it is'

/**
 * What is written stays: no change but the place that a row gets once, and no removal but of what has been pruned.
 * Whoever owns the table can take this away; the chain is for them.
 */
async function refuseChanges(db: MigrationDatabase): Promise<void> {
  for (const statement of isPostgres(db) ? postgresTriggers : sqliteTriggers)
    await sql.raw(statement).execute(db)
}

const sqliteTriggers: readonly string[] = [
  // "insert or replace" removes what is in its way without asking a trigger of removals.
  `create trigger holdfast_events_no_replacement before insert on ${eventsTable}
    when exists (select 1 from ${eventsTable} e where e.id = new.id)
      or exists (select 1 from ${eventsTable} e where e.chain = new.chain and e.seq = new.seq)
    begin select raise(abort, '${stays}'); end`,
  `create trigger holdfast_events_no_place_taken before update of chain, seq on ${eventsTable}
    when exists (select 1 from ${eventsTable} e where e.chain = new.chain and e.seq = new.seq and e.id <> old.id)
    begin select raise(abort, '${stays}'); end`,
  `create trigger holdfast_event_chains_no_replacement before insert on ${chainsTable}
    when exists (select 1 from ${chainsTable} c where c.chain = new.chain)
    begin select raise(abort, '${stays}'); end`,
  `create trigger holdfast_event_checkpoints_no_replacement before insert on ${checkpointsTable}
    when exists (select 1 from ${checkpointsTable} c
      where c.chain = new.chain and c.kind = new.kind and c.seq = new.seq)
    begin select raise(abort, '${stays}'); end`,
  `create trigger holdfast_events_no_change before update on ${eventsTable}
    when old.seq is not null or ${saidColumns.map((column) => `old.${column} is not new.${column}`).join(' or ')}
    begin select raise(abort, '${stays}'); end`,
  `create trigger holdfast_events_no_removal before delete on ${eventsTable}
    when old.seq is null or old.seq > coalesce(
      (select "prunedSeq" from ${chainsTable} c where c.chain = old.chain), 0)
    begin select raise(abort, '${stays}'); end`,
  `create trigger holdfast_event_chains_no_removal before delete on ${chainsTable}
    begin select raise(abort, '${stays}'); end`,
  `create trigger holdfast_event_chains_no_change before update on ${chainsTable}
    when old.chain is not new.chain or old."keyId" is not new."keyId" or old."startedAt" is not new."startedAt"
      or new."prunedSeq" < old."prunedSeq"
    begin select raise(abort, '${stays}'); end`,
  `create trigger holdfast_event_checkpoints_no_change before update on ${checkpointsTable}
    begin select raise(abort, '${stays}'); end`,
  // The newest one gives way to the next; the others to what has been pruned.
  `create trigger holdfast_event_checkpoints_no_removal before delete on ${checkpointsTable}
    when old.kind not in ('head') and (old.kind not in ('block', 'pruned') or old.seq > coalesce(
      (select "prunedSeq" from ${chainsTable} c where c.chain = old.chain), 0))
    begin select raise(abort, '${stays}'); end`,
]

const postgresTriggers: readonly string[] = [
  `create function holdfast_events_stay() returns trigger language plpgsql set search_path from current as $$
    begin
      if tg_op = 'TRUNCATE' then null;
      elsif tg_table_name = '${eventsTable}' then
        if tg_op = 'DELETE' and old.seq <= (select "prunedSeq" from ${chainsTable} c where c.chain = old.chain)
          then return old; end if;
        if tg_op = 'UPDATE' and old.seq is null
          and (${saidColumns.map((column) => `old.${column}`).join(', ')})
            is not distinct from (${saidColumns.map((column) => `new.${column}`).join(', ')})
          then return new; end if;
      elsif tg_table_name = '${chainsTable}' then
        if tg_op = 'UPDATE' and old.chain = new.chain and old."keyId" = new."keyId"
          and old."startedAt" = new."startedAt" and new."prunedSeq" >= old."prunedSeq" then return new; end if;
      elsif tg_op = 'DELETE' and (old.kind = 'head' or (old.kind in ('block', 'pruned')
        and old.seq <= (select "prunedSeq" from ${chainsTable} c where c.chain = old.chain))) then return old;
      end if;
      raise exception using errcode = 'check_violation', message = '${stays}';
    end $$`,
  ...[eventsTable, chainsTable, checkpointsTable].flatMap((table) => [
    `create trigger ${table}_stay before update or delete on ${table}
      for each row execute function holdfast_events_stay()`,
    `create trigger ${table}_stay_all before truncate on ${table}
      for each statement execute function holdfast_events_stay()`,
  ]),
]

/** Whether a database is PostgreSQL: of the two adapters, its is the one that can undo changes of the schema. */
export function isPostgres(db: MigrationDatabase): boolean {
  return db.getExecutor().adapter.supportsTransactionalDdl === true
}
