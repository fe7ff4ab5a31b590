import { followTable, type MigrationDatabase, type TableFollower } from '../data/index.ts'
import type { BanIndex } from './ban-index.ts'
import { type BanRecord, readActive, readChanges } from './records.ts'

/** How the table is followed. */
export interface FollowOptions {
  readonly db: MigrationDatabase
  readonly index: BanIndex
  /** How often the table is read, in milliseconds; 250 unless given. */
  readonly everyMs?: number | undefined
  /** Told once when readings begin to fail, for the log. */
  readonly onFailure?: ((error: unknown) => void) | undefined
  /** The wall clock, in milliseconds since 1970. */
  readonly nowMs: () => number
  /** A clock that does not step back, in milliseconds: how old a reading is. */
  readonly monotonicMs?: (() => number) | undefined
}

/** A table of bans that is being followed. */
export type BanFollower = TableFollower<BanRecord>

/**
 * Reads who is banned, and follows the table from there on. What has been read stays in force when readings fail.
 *
 * @see docs/decisions/0015-bans-are-read-from-a-table.md; OWASP ASVS 5.0 §16.5.3
 */
export async function followBans({ db, ...options }: FollowOptions): Promise<BanFollower> {
  return await followTable<BanRecord>({
    ...options,
    table: {
      readChanges: (from, rowCount) => readChanges(db, from, rowCount),
      readActive: (from, page) => readActive(db, from, page),
    },
  })
}
