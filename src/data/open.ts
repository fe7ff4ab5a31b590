import { chmodSync, existsSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { Kysely } from 'kysely'
import { SqliteConnection } from './sqlite/connection.ts'
import { EngineDialect } from './sqlite/dialect.ts'
import { SqliteEngine } from './sqlite/engine.ts'
import { openingFault } from './sqlite/failure.ts'

/** Tables whose columns only the statements at hand know: for migrations and jobs. */
export type AnyTables = Record<string, Record<string, string | number | null>>

/** An open database. */
export interface Database {
  /** Kysely without row rules: for migrations, jobs and tests. Requests get a scoped one. */
  readonly db: Kysely<AnyTables>
  readonly engine: SqliteEngine
  /** Answers when the database does. @throws `UNAVAILABLE` */
  check(): Promise<void>
  /** Closes every connection; what was committed is on the disk. */
  close(): void
}

/** A database that could not be opened. The message says what to do. */
export class DatabaseFault extends Error {
  /** The same as the message; every refusal to start has one. */
  readonly report: string

  constructor(message: string, cause: unknown) {
    super(message, { cause })
    this.name = 'DatabaseFault'
    this.report = `${message}\n`
  }
}

/**
 * Opens a SQLite database, making the file (mode 0600) and its folder (0700) when they are not there. A file that
 * is damaged, locked or no database is left untouched.
 *
 * @param path A file, or `:memory:`.
 * @throws DatabaseFault
 */
export function openDatabase(path: string): Database {
  try {
    const isNew = path !== ':memory:' && !existsSync(path)
    if (isNew) {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
      // Opened and closed once, so that the file is private before a row is in it; -wal and -shm take its mode.
      new SqliteConnection(path, 'writer').close()
      chmodSync(path, 0o600)
    }
    const engine = new SqliteEngine(path)
    return {
      db: new Kysely<AnyTables>({ dialect: new EngineDialect(engine) }),
      engine,
      check: async () => {
        await engine.runAlone('select count(*) as tables from sqlite_schema', [], true)
      },
      close: () => engine.close(),
    }
  } catch (error) {
    throw new DatabaseFault(openingFault(path, error), error)
  }
}
