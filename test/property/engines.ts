import { type Kysely, sql } from 'kysely'
import { Secret } from '../../src/base/index.ts'
import { applyPolicies, type Database, OwnedRows, openDatabase, openPostgres } from '../../src/data/index.ts'
import { type FreshPostgres, freshPostgres } from '../kit/postgres.ts'
import { createTables, dropTables } from './rows-in.ts'
import { nowMs, type Table, type Tables } from './world.ts'

/** Two databases with the same tables: the one under test, and the one that the reference runs on. */
export interface Stage {
  /** Holds every row; queries go through the row rules. */
  readonly owned: OwnedRows
  /** The same database without rules, to fill it and to look at all of it. */
  readonly full: Kysely<Tables>
  /** Holds what one caller may read; queries run as they are. */
  readonly readable: Kysely<Tables>
  /** Where the row policies of the database can be met without the rewriting in front of them. */
  readonly behind: { readonly url: string; readonly role: string } | undefined
  readonly close: () => Promise<void>
}

/** Where stages are set up, one after the other. */
export interface Ground {
  readonly dialect: 'sqlite' | 'postgres'
  /** Whether row policies of the database stand behind the rewriting. */
  readonly hasPolicies: boolean
  readonly stage: (tables: readonly Table[]) => Promise<Stage>
  readonly clear: () => Promise<void>
}

/** A kind of database that the property is held against. */
export interface TestEngine {
  readonly name: string
  /** How many queries are tried, unless said otherwise. */
  readonly caseCount: number
  /** About how many queries are run on one stage: setting it up costs as much as many of them. */
  readonly batchCount: number
  readonly open: () => Promise<Ground>
}

const sqlite: TestEngine = {
  name: 'SQLite',
  caseCount: 10_000,
  batchCount: 12,
  open: async () => ({
    dialect: 'sqlite',
    hasPolicies: false,
    stage: (tables) => stageOn(tables, openDatabase(':memory:'), openDatabase(':memory:')),
    clear: async () => {},
  }),
}

/**
 * PostgreSQL, as it runs in production or with the second wall taken away: behind row policies nobody could see that
 * the rewriting of a query has forgotten a rule.
 */
function postgres(name: string, hasPolicies: boolean): TestEngine {
  return {
    name,
    caseCount: hasPolicies ? 3_000 : 1_500,
    batchCount: 40,
    open: async () => {
      const [full, readable] = [await freshPostgres(), await freshPostgres()]
      for (const fresh of [full, readable]) await hurry(fresh)
      return {
        dialect: 'postgres',
        hasPolicies,
        stage: (tables) => postgresStage(tables, full, readable, hasPolicies),
        clear: async () => {
          await full.drop()
          await readable.drop()
        },
      }
    },
  }
}

/** Nothing here has to survive a crash, or is worth being compiled to machine code. */
async function hurry({ url }: FreshPostgres): Promise<void> {
  const { db, close } = await openPostgres(new Secret(url), { connectionCount: 1 })
  const name = new URL(url).pathname.slice(1)
  await sql`alter database ${sql.id(name)} set synchronous_commit = off`.execute(db)
  await sql`alter database ${sql.id(name)} set jit = off`.execute(db)
  await close()
}

async function postgresStage(
  tables: readonly Table[],
  full: FreshPostgres,
  readable: FreshPostgres,
  hasPolicies: boolean,
): Promise<Stage> {
  // Connections of their own for each stage: what one has prepared does not fit the tables of the next.
  const open = ({ url }: FreshPostgres): Promise<Database> =>
    openPostgres(new Secret(url), { connectionCount: 1, ...(hasPolicies ? {} : { appRole: undefined }) })
  const database = await open(full)
  const other = await open(readable)
  for (const { db } of [database, other]) await dropTables(db)
  const stage = await stageOn(tables, database, other)
  const { appRole } = database
  if (!hasPolicies || appRole === undefined) return stage
  const resources = tables.map(({ resource }) => resource)
  await applyPolicies(database.db, { resources, role: appRole, ownTables: [] })
  return { ...stage, behind: { url: full.url, role: appRole } }
}

async function stageOn(tables: readonly Table[], full: Database, readable: Database): Promise<Stage> {
  const resources = tables.map(({ resource }) => resource)
  await createTables(full.db, tables)
  await createTables(readable.db, tables)
  return {
    owned: new OwnedRows(full, resources, { nowMs: () => nowMs }),
    full: full.db,
    readable: readable.db,
    behind: undefined,
    close: async () => {
      await full.close()
      await readable.close()
    },
  }
}

/** PostgreSQL with both walls. */
export const bothWalls: TestEngine = postgres('PostgreSQL', true)

/** The databases that the property is held against. */
export const engines: readonly TestEngine[] = [
  sqlite,
  bothWalls,
  postgres('PostgreSQL without policies', false),
]
