import type { Kysely } from 'kysely'
import type { AnyTables } from '../open.ts'

/** The database as a migration sees it: no row rules, any table. */
export type MigrationDatabase = Kysely<AnyTables>

/** One step of a schema's history. Once it has been released it never changes; a correction is a new step. */
export interface Migration {
  /** Unique and sortable: `0001-notes`. */
  readonly name: string
  /** Goes forward; runs in a transaction together with its bookkeeping. */
  up(db: MigrationDatabase): Promise<void>
  /** Goes back, where that can be done without losing what users wrote. */
  down?(db: MigrationDatabase): Promise<void>
}

/** What has been applied and what has not. */
export interface MigrationReport {
  /** Applied by this call. */
  readonly done: readonly string[]
  /** Applied in all, oldest first. */
  readonly applied: readonly string[]
  /** Not applied yet, next first. */
  readonly pending: readonly string[]
}
