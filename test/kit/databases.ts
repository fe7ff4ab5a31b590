import { Secret } from '../../src/base/index.ts'
import {
  applyPolicies,
  type Database,
  openDatabase,
  openPostgres,
  type Resource,
} from '../../src/data/index.ts'
import { freshPostgres } from './postgres.ts'

/** A database to run on. */
export type EngineKind = 'sqlite' | 'postgres'

/** Every database that an application must behave the same on. */
export const engineKinds: readonly EngineKind[] =
  process.env['HOLDFAST_TEST_ENGINES'] === 'sqlite' ? ['sqlite'] : ['sqlite', 'postgres']

/** An empty database of a test. */
export interface FreshDatabase {
  readonly database: Database
  /** What migrating does at its end: PostgreSQL gets the row policies of the resources. */
  secure(resources: readonly Resource[]): Promise<void>
  /** Closes it and takes it away. */
  drop(): Promise<void>
}

/** Makes an empty database: in memory on SQLite, one of its own on the PostgreSQL server. */
export async function freshDatabase(kind: EngineKind): Promise<FreshDatabase> {
  if (kind === 'sqlite') {
    const database = openDatabase(':memory:')
    return { database, secure: async () => undefined, drop: () => database.close() }
  }
  const postgres = await freshPostgres()
  const database = await openPostgres(new Secret(postgres.url), { connectionCount: 4 })
  return {
    database,
    async secure(resources) {
      if (database.appRole === undefined) return
      await applyPolicies(database.db, { resources, role: database.appRole, ownTables: [] })
    },
    async drop() {
      await database.close()
      await postgres.drop()
    },
  }
}
