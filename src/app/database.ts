import { alertsMigration } from '../alerts/index.ts'
import { attemptsMigration } from '../attempts/index.ts'
import { eventsMigration } from '../audit/index.ts'
import { bansMigration } from '../bans/index.ts'
import {
  applyPolicies,
  type Database,
  type FieldVault,
  type History,
  type Migration,
  type MigrationReport,
  migrateDown,
  migrateUp,
  migrationStatus,
  openDatabase,
  openPostgres,
  type Resource,
  requireMigrated,
  requirePolicies,
} from '../data/index.ts'
import { repliesMigration, repliesTable } from '../idempotency/index.ts'
import {
  fieldVault,
  type KeyEncryption,
  keysMigration,
  type LiveKeyRing,
  loadKeyRing,
} from '../keys/index.ts'
import { outboxMigration } from '../mail/index.ts'
import { hashCostMigration } from '../passwords/index.ts'
import { responsesMigration } from '../responses/index.ts'
import { revocationsMigration, sessionsMigration } from '../sessions/index.ts'
import type { Settings } from '../settings/index.ts'
import { singleUseMigration } from '../single-use/index.ts'
import { signingKeysMigration } from '../tokens/index.ts'
import { accountsMigration } from '../users/index.ts'

/** Holdfast's own tables; they have a history of their own, so that neither list gets in the way of the other. */
const ownHistory: History = {
  migrations: [
    repliesMigration,
    keysMigration,
    singleUseMigration,
    outboxMigration,
    signingKeysMigration,
    sessionsMigration,
    revocationsMigration,
    attemptsMigration,
    accountsMigration,
    hashCostMigration,
    bansMigration,
    eventsMigration,
    alertsMigration,
    responsesMigration,
  ],
  table: 'holdfast_own_migrations',
}

/** The own tables that the transaction of a request writes to. */
const tablesOfRequests: readonly string[] = [repliesTable]

/** What an application's database is made of. */
export interface Schema {
  readonly migrations: readonly Migration[]
  readonly resources: readonly Resource[]
}

/** Opens the database of the settings. @throws DatabaseFault */
export async function openFor({ database }: Settings): Promise<Database> {
  return database.kind === 'sqlite' ? openDatabase(database.path) : await openPostgres(database.url)
}

// An index over a large table takes its time, and another node that migrates is waited for.
const patience = { statementMs: 3_600_000, lockMs: 600_000 }

/** Runs a job that may take long: the limits that protect requests would end it. @throws DatabaseFault */
export async function withPatience<T>(
  { database: target }: Settings,
  database: Database,
  run: (patient: Database) => Promise<T>,
): Promise<T> {
  if (target.kind === 'sqlite') return await run(database)
  const patient = await openPostgres(target.url, patience)
  try {
    return await run(patient)
  } finally {
    await patient.close()
  }
}

/**
 * Applies what is pending outside production, and demands it there: production never migrates by itself.
 *
 * @param onDone Told after each migration.
 * @throws DatabaseFault
 */
export async function bringUpToDate(
  database: Database,
  schema: Schema,
  mode: Settings['mode'],
  onDone: (name: string) => void,
): Promise<void> {
  if (mode !== 'production') {
    await migrateAll(database, schema, onDone)
    return
  }
  await requireMigrated(database, ownHistory)
  await requireMigrated(database, schema.migrations)
  const policies = policiesOf(database, schema)
  if (policies !== undefined) await requirePolicies(database.db, policies)
}

/** The keys of encrypted columns, and what uses them. */
export interface OpenVault {
  readonly vault: FieldVault
  readonly ring: LiveKeyRing
}

/** Opens the keys where a resource has encrypted columns. @throws KeyFault when they do not open */
export async function openVault(
  database: Database,
  resources: readonly Resource[],
  kek: KeyEncryption,
  onFailure: (error: unknown) => void,
): Promise<OpenVault | undefined> {
  if (resources.every(({ columns }) => columns.encrypted.length === 0)) return undefined
  const ring = await loadKeyRing(database.db, kek, { onFailure })
  return { vault: fieldVault(ring), ring }
}

/** What `holdfast migrate` does. @throws DatabaseFault */
export async function migrateTo(
  database: Database,
  schema: Schema,
  direction: 'up' | 'down' | 'status',
): Promise<MigrationReport> {
  if (direction === 'status') return await migrationStatus(database, schema.migrations)
  if (direction === 'down') return await migrateDown(database, schema.migrations)
  return await migrateAll(database, schema, () => undefined)
}

async function migrateAll(
  database: Database,
  schema: Schema,
  onDone: (name: string) => void,
): Promise<MigrationReport> {
  await migrateUp(database, ownHistory)
  const report = await migrateUp(database, schema.migrations, onDone)
  const policies = policiesOf(database, schema)
  if (policies !== undefined) await applyPolicies(database.db, policies)
  return report
}

function policiesOf(
  { appRole }: Database,
  { resources }: Schema,
): Parameters<typeof applyPolicies>[1] | undefined {
  return appRole === undefined ? undefined : { resources, role: appRole, ownTables: tablesOfRequests }
}
