import { sql } from 'kysely'
import { DatabaseFault } from '../fault.ts'
import type { Database } from '../open.ts'
import { dropPolicies } from '../policies/apply.ts'
import type { Migration, MigrationDatabase, MigrationReport } from './migration.ts'

const defaultTable = 'holdfast_migrations'

/** A list of migrations and where it is noted what has been applied of it. */
export interface History {
  readonly migrations: readonly Migration[]
  readonly table: string
}

function historyOf(given: readonly Migration[] | History): History {
  return 'migrations' in given ? given : { migrations: given, table: defaultTable }
}

/**
 * Applies what is pending, oldest first, each step in a transaction of its own together with its bookkeeping: a
 * process that dies midway leaves a whole number of steps, and two that start at once apply each step once.
 *
 * @param onDone Told after each step, for progress.
 * @throws DatabaseFault when the history does not fit the list.
 */
export async function migrateUp(
  database: Database,
  given: readonly Migration[] | History,
  onDone: (name: string) => void = () => undefined,
): Promise<MigrationReport> {
  const { migrations, table } = historyOf(given)
  const done: string[] = []
  for (const migration of migrations) {
    const isDone = await inSteps(database, async (db) => {
      // Asked again inside the transaction, which holds the write lock: another process may have been faster.
      const applied = await appliedNames(db, table, database.engine.kind)
      requireFit(applied, migrations)
      if (applied.includes(migration.name)) return false
      await migration.up(db)
      await db
        .insertInto(table)
        .values({ name: migration.name, appliedAt: new Date().toISOString() })
        .execute()
      return true
    })
    if (!isDone) continue
    done.push(migration.name)
    onDone(migration.name)
  }
  return { ...(await migrationStatus(database, given)), done }
}

/** Takes back the last applied step. @throws DatabaseFault when it has no way back */
export async function migrateDown(
  database: Database,
  given: readonly Migration[] | History,
): Promise<MigrationReport> {
  const { migrations, table } = historyOf(given)
  const undone = await inSteps(database, async (db) => {
    const applied = await appliedNames(db, table, database.engine.kind)
    requireFit(applied, migrations)
    const migration = migrations[applied.length - 1]
    if (migration === undefined) return []
    if (migration.down === undefined) {
      throw new DatabaseFault(
        `The migration ${migration.name} has no way back. Write a new migration that corrects it.`,
        undefined,
      )
    }
    await migration.down(db)
    await db.deleteFrom(table).where('name', '=', migration.name).execute()
    return [migration.name]
  })
  return { ...(await migrationStatus(database, given)), done: undone }
}

/** What has been applied and what is pending; changes nothing but the bookkeeping table. */
export async function migrationStatus(
  database: Database,
  given: readonly Migration[] | History,
): Promise<MigrationReport> {
  const { migrations, table } = historyOf(given)
  const applied = await inTransaction(database, (db) => appliedNames(db, table, database.engine.kind))
  requireFit(applied, migrations)
  return { done: [], applied, pending: migrations.slice(applied.length).map(({ name }) => name) }
}

/** @throws DatabaseFault naming `holdfast migrate` when something is pending: production never migrates by itself. */
export async function requireMigrated(
  database: Database,
  given: readonly Migration[] | History,
): Promise<void> {
  const { pending } = await migrationStatus(database, given)
  if (pending.length === 0) return
  throw new DatabaseFault(
    `${pending.length} migrations are pending (next: ${pending[0]}). Run: holdfast migrate up`,
    undefined,
  )
}

// A policy names a column that the step drops or changes the type of.
const inTheWay: ReadonlySet<unknown> = new Set(['2BP01', '0A000'])

/** Runs a step; once more without row policies where one of them stands in its way. */
async function inSteps<T>(database: Database, run: (db: MigrationDatabase) => Promise<T>): Promise<T> {
  try {
    return await inTransaction(database, run)
  } catch (error) {
    const cause: unknown = error instanceof Error ? error.cause : undefined
    const code: unknown = cause instanceof Error && 'code' in cause ? cause.code : undefined
    if (database.engine.kind !== 'postgres' || !inTheWay.has(code)) throw error
    return await inTransaction(database, async (db) => {
      await dropPolicies(db)
      return await run(db)
    })
  }
}

// The name of the lock that migrating nodes of one PostgreSQL database take in turn.
const migrationLock = 4_862_117_308

async function inTransaction<T>(database: Database, run: (db: MigrationDatabase) => Promise<T>): Promise<T> {
  return await database.db.transaction().execute(async (trx) => {
    // On SQLite the transaction itself holds the one write lock.
    if (database.engine.kind === 'postgres')
      await sql`select pg_advisory_xact_lock(${sql.lit(migrationLock)})`.execute(trx)
    return await run(trx)
  })
}

async function appliedNames(
  db: MigrationDatabase,
  table: string,
  kind: 'sqlite' | 'postgres',
): Promise<string[]> {
  await db.schema
    .createTable(table)
    .ifNotExists()
    .addColumn('position', 'integer', (column) =>
      kind === 'sqlite'
        ? column.primaryKey().autoIncrement()
        : column.primaryKey().generatedByDefaultAsIdentity(),
    )
    .addColumn('name', 'text', (column) => column.notNull().unique())
    .addColumn('appliedAt', 'text', (column) => column.notNull())
    .execute()
  const rows = await db.selectFrom(table).select('name').orderBy('position').execute()
  return rows.map(({ name }) => String(name))
}

/** The applied steps must be the first ones of the list, in its order: anything else is another history. */
function requireFit(applied: readonly string[], migrations: readonly Migration[]): void {
  const names = migrations.map(({ name }) => name)
  const twin = names.find((name, index) => names.indexOf(name) !== index)
  if (twin !== undefined)
    throw new DatabaseFault(`Two migrations are called ${twin}. Give each its own name.`, undefined)
  const wrong = applied.findIndex((name, index) => name !== names[index])
  if (wrong === -1) return
  throw new DatabaseFault(
    `The database has ${applied[wrong]} as its migration ${wrong + 1}; the application has ${names[wrong] ?? 'none'} there. A released migration is never removed, renamed or moved: restore the list, and add what is new at its end.`,
    undefined,
  )
}
