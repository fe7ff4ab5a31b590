import { chmodSync, existsSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { Kysely } from 'kysely'
import type { Secret } from '../base/index.ts'
import type { Engine } from './engine.ts'
import { DatabaseFault } from './fault.ts'
import type { PostgresOptions } from './postgres/index.ts'
import { SqliteConnection } from './sqlite/connection.ts'
import { SqliteEngine } from './sqlite/engine.ts'
import { openingFault } from './sqlite/failure.ts'

/** Tables whose columns only the statements at hand know: for migrations and jobs. */
export type AnyTables = Record<string, Record<string, string | number | null>>

/** An open database. */
export interface Database {
  /** Kysely without row rules: for migrations, jobs and tests. Requests get a scoped one. */
  readonly db: Kysely<AnyTables>
  readonly engine: Engine
  /** The role that requests run as in PostgreSQL; none in SQLite, which knows no roles. */
  readonly appRole: string | undefined
  /** Answers when the database does. @throws `UNAVAILABLE` */
  check(): Promise<void>
  /** Closes every connection; what was committed is on the disk. */
  close(): Promise<void>
}

// As long as SQLite's own shell and most drivers wait; shorter than any request's time limit.
const writeWaitMs = 5_000

/**
 * Opens a SQLite database, making the file (mode 0600) and its folder (0700) when they are not there. A file that
 * is damaged, locked or no database is left untouched.
 *
 * @param path A file, or `:memory:`.
 * @param waitMs How long a write waits for the one before it, here or in another process, in milliseconds.
 * @throws DatabaseFault
 * @see OWASP ASVS 5.0 §13.2.2, §2.3.3
 */
export function openDatabase(path: string, waitMs: number = writeWaitMs): Database {
  try {
    const isNew = path !== ':memory:' && !existsSync(path)
    if (isNew) {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
      // Opened and closed once, so that the file is private before a row is in it; -wal and -shm take its mode.
      new SqliteConnection(path, 'writer', waitMs).close()
      chmodSync(path, 0o600)
    }
    return databaseOn(new SqliteEngine(path, waitMs))
  } catch (error) {
    throw new DatabaseFault(openingFault(path, error), error)
  }
}

/**
 * Opens a PostgreSQL database. Nothing is connected yet: a server that is not there shows at the first statement.
 *
 * @throws DatabaseFault for a URL that cannot be understood.
 */
export async function openPostgres(url: Secret, options: PostgresOptions = {}): Promise<Database> {
  // Only where it is wanted: on SQLite its driver costs start-up time and memory for nothing.
  const { PostgresEngine, appRoleOf } = await import('./postgres/index.ts')
  const appRole = appRoleOf(url)
  return databaseOn(new PostgresEngine(url, { appRole, ...options }), appRole)
}

/** The database of an engine. */
export function databaseOn(engine: Engine, appRole?: string): Database {
  return {
    db: new Kysely<AnyTables>({ dialect: engine.dialect() }),
    engine,
    appRole,
    check: () => engine.check(),
    close: () => engine.close(),
  }
}
