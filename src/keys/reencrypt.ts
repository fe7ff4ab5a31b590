import { setTimeout as delay } from 'node:timers/promises'
import type { DataKey } from '../crypto/index.ts'
import type { MigrationDatabase, Resource } from '../data/index.ts'
import { type EncryptedTable, encryptedTables, requireEveryRow } from './columns.ts'
import { type RowFailure, resealedRow } from './reseal.ts'
import type { LiveKeyRing } from './ring.ts'
import { countStale, type StaleRow, staleRows } from './stale.ts'
import { writeBatch } from './write-batch.ts'

/** How far a re-encryption has come. */
export interface ReencryptionProgress {
  /** Rows that now are under the active key, by this call. */
  readonly doneCount: number
  /** Rows that were not when it began. */
  readonly totalCount: number
  /** Places that were left as they are. */
  readonly failedCount: number
  /** Since the beginning. */
  readonly rowsPerSecond: number
}

/** How a re-encryption runs. */
export interface ReencryptionOptions {
  /** Rows read and written at a time; 200 unless given. */
  readonly batchRowCount?: number
  /** Told after each batch. */
  readonly onProgress?: (progress: ReencryptionProgress) => void
  /** Told when the newest key does not seal yet: until then, in milliseconds since 1970, it waits. */
  readonly onWait?: (until: number) => void
  /** Stops it after the batch at hand; started again, it goes on from there. */
  readonly signal?: AbortSignal
}

/** How a re-encryption ended. */
export interface Reencryption extends ReencryptionProgress {
  /** The key that everything is under, except for what failed. */
  readonly keyId: string
  /** False when the signal stopped it, or when rows changed faster than it could follow. */
  readonly isComplete: boolean
  /** The first 1,000 of the rows that were left as they are. */
  readonly failures: readonly RowFailure[]
}

const defaultBatchRowCount = 200
const failureMaxCount = 1_000
// Rows that change while they are walked over are looked at again; a table that never rests must not hold it forever.
const passMaxCount = 10

/**
 * Opens every value that is not under the active key and seals it anew, its blind index as well. Everything else
 * about the row stays as it is, its revision and times too: nothing of it has changed.
 *
 * What is done is seen by the key id in each value, so it can be killed at any moment, started again, and run on two
 * nodes at once; no lock is held between batches, and a row that somebody changes meanwhile is left to them. A row
 * that does not open is reported and left alone.
 *
 * @param db Without row rules.
 * @throws KeyFault when this user of the database does not see every row.
 * @see OWASP ASVS 5.0 §11.2.2
 */
export async function reencrypt(
  db: MigrationDatabase,
  ring: LiveKeyRing,
  resources: readonly Resource[],
  options: ReencryptionOptions = {},
): Promise<Reencryption> {
  const tables = encryptedTables(resources)
  await requireEveryRow(db, tables)
  await ring.refresh()
  await waitForNext(ring, options)
  const run = new Run(db, ring, options)
  return await run.all(tables)
}

async function waitForNext(ring: LiveKeyRing, { onWait, signal }: ReencryptionOptions): Promise<void> {
  let told: number | undefined
  for (let { next } = ring; next !== undefined && signal?.aborted !== true; { next } = ring) {
    if (told !== next.from) onWait?.(next.from)
    told = next.from
    // In parts: a timer counts other seconds than a clock that is set.
    const waitMs = Math.min(10_000, Math.max(1, next.from - Date.now()))
    await delay(waitMs, undefined, signal === undefined ? {} : { signal }).catch((error: unknown) => {
      if (signal?.aborted !== true) throw error
    })
    await ring.refresh()
  }
}

class Run {
  readonly #db: MigrationDatabase
  readonly #ring: LiveKeyRing
  readonly #options: ReencryptionOptions
  readonly #startedAt = performance.now()
  #failures: RowFailure[] = []
  #failedCount = 0
  #totalCount = 0
  #doneCount = 0

  constructor(db: MigrationDatabase, ring: LiveKeyRing, options: ReencryptionOptions) {
    this.#db = db
    this.#ring = ring
    this.#options = options
  }

  async all(tables: readonly EncryptedTable[]): Promise<Reencryption> {
    let { active } = this.#ring
    for (const table of tables) this.#totalCount += await countStale(this.#db, table, active.id)
    let isSettled = false
    for (let pass = 0; pass < passMaxCount && !isSettled && !this.#isStopped; pass++) {
      active = this.#ring.active
      // Each pass comes to everything that is left, so what the one before could not open is counted once.
      this.#failures = []
      this.#failedCount = 0
      isSettled = true
      for (const table of tables) isSettled = (await this.#walk(table, active)) && isSettled
      await this.#ring.refresh()
      if (this.#ring.active.id !== active.id) isSettled = false
    }
    return {
      ...this.#progress(),
      keyId: active.id,
      isComplete: isSettled && !this.#isStopped,
      failures: this.#failures,
    }
  }

  get #isStopped(): boolean {
    return this.#options.signal?.aborted === true
  }

  /** @returns whether nobody else changed a row meanwhile. */
  async #walk(table: EncryptedTable, active: DataKey): Promise<boolean> {
    const batchRowCount = this.#options.batchRowCount ?? defaultBatchRowCount
    let isSettled = true
    let after: StaleRow['key'] | undefined
    while (!this.#isStopped) {
      const rows = await staleRows(this.#db, table, { keyId: active.id, after, count: batchRowCount })
      const last = rows.at(-1)
      if (last === undefined) break
      after = last.key
      isSettled = (await this.#reseal(table, active, rows)) && isSettled
      this.#options.onProgress?.(this.#progress())
    }
    return isSettled
  }

  async #reseal(table: EncryptedTable, active: DataKey, rows: readonly StaleRow[]): Promise<boolean> {
    const outcomes = rows.map((row) => resealedRow(table, row, this.#ring, active))
    const changes = outcomes.flatMap(({ change }) => (change === undefined ? [] : [change]))
    const { writtenCount, refused } = await writeBatch(this.#db, table, changes)
    for (const failure of [...outcomes.flatMap(({ failures }) => failures), ...refused]) this.#fail(failure)
    this.#doneCount += writtenCount
    return writtenCount + refused.length === changes.length
  }

  #fail(failure: RowFailure): void {
    this.#failedCount += 1
    if (this.#failures.length < failureMaxCount) this.#failures.push(failure)
  }

  #progress(): ReencryptionProgress {
    const seconds = (performance.now() - this.#startedAt) / 1000
    return {
      doneCount: this.#doneCount,
      totalCount: this.#totalCount,
      failedCount: this.#failedCount,
      rowsPerSecond: Math.round(this.#doneCount / Math.max(seconds, 0.001)),
    }
  }
}
