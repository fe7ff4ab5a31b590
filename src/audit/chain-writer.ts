import { newId } from '../base/index.ts'
import type { MigrationDatabase } from '../data/index.ts'
import { type ChainHead, otherHeads, type SignedCheckpoint, writeCheckpoint } from './checkpoints.ts'
import type { TrailKey, TrailKeys } from './keys.ts'
import { chainsTable, eventsTable } from './migration.ts'
import {
  type EventRow,
  eventRowOf,
  genesisOf,
  hashOf,
  isOursUnsealed,
  provisionalHashOf,
  type SealedRow,
} from './row.ts'

/** Rows that wait for their place in the chain. */
export interface WaitingRows {
  /** Of no transaction: they are inserted with their place. */
  readonly fresh: readonly EventRow[]
  /** Committed with what they tell of: they get their place now. */
  readonly committed: readonly EventRow[]
}

/** What came of sealing. */
export interface Sealed {
  /** Committed rows that are no longer there: somebody has removed them before they were sealed. */
  readonly missing: readonly EventRow[]
  /** False when the row before is not there any more as it was written. */
  readonly isPredecessorThere: boolean
}

/**
 * The chain of one process. Only this object gives places in it, one batch after the other, so there is no gap and no
 * two rows share a place. What it hashes is what the process remembers, never what it reads back: a row that somebody
 * changes between its commit and its seal does not fit.
 */
export class ChainWriter {
  readonly #db: MigrationDatabase
  readonly #key: TrailKey
  readonly #nowMs: () => number
  #head: ChainHead
  #isThere = false
  #checkpointSeq = 0
  #checkpointAt = ''
  /** What was being written when the database did not answer: it may have been committed all the same. */
  #unsure: ChainHead | undefined

  constructor(db: MigrationDatabase, key: TrailKey, nowMs: () => number) {
    this.#db = db
    this.#key = key
    this.#nowMs = nowMs
    const chain = newId(nowMs())
    this.#head = { chain, seq: 0, hash: genesisOf(key.chain, chain) }
  }

  /** How far the chain has come. */
  get head(): ChainHead {
    return this.#head
  }

  /** How many rows have been sealed since the last checkpoint. */
  get uncheckedCount(): number {
    return this.#head.seq - this.#checkpointSeq
  }

  /** A row as it is inserted with what it tells of: its place comes after the commit. */
  readonly unsealed = (row: EventRow) => {
    const { chain } = this.#head
    return { ...row, chain, seq: null, hash: provisionalHashOf(this.#key.chain, chain, row) }
  }

  /** Gives each row its place, in one transaction. */
  async seal(rows: WaitingRows): Promise<Sealed> {
    if (await this.#wasCommitted()) return { missing: [], isPredecessorThere: true }
    const before = this.#head
    const { head, ...sealed } = await this.#db.transaction().execute(async (trx) => {
      await this.#beThere(trx)
      const isPredecessorThere = await this.#isHeadThere(trx, before)
      const { head, missing } = await this.#placeCommitted(trx, before, rows.committed)
      const placed = this.#placed(head, rows.fresh)
      const last = placed.at(-1) ?? head
      this.#unsure = { chain: before.chain, seq: last.seq, hash: last.hash }
      if (placed.length > 0)
        await trx
          .insertInto(eventsTable)
          .values(placed.map((row) => ({ ...row })))
          .execute()
      return { head: this.#unsure, missing, isPredecessorThere }
    })
    this.#unsure = undefined
    this.#isThere = true
    this.#head = head
    return sealed
  }

  /** Takes up rows that a process has left behind without a place; not those that nobody of us has written. */
  async adopt(before: string, keys: TrailKeys, isOurs: (id: string) => boolean): Promise<number> {
    const found = await this.#db
      .selectFrom(eventsTable)
      .selectAll()
      .where('seq', 'is', null)
      .where('at', '<', before)
      .orderBy('id')
      .limit(100)
      .execute()
    const left = found
      .filter((row) => isOursUnsealed(row, keys))
      .map(eventRowOf)
      .filter(({ id }) => !isOurs(id))
    if (left.length === 0) return 0
    const { head } = this
    const reached = await this.#db.transaction().execute(async (trx) => {
      await this.#beThere(trx)
      return (await this.#placeCommitted(trx, head, left)).head
    })
    this.#isThere = true
    this.#head = reached
    return reached.seq - head.seq
  }

  /** Signs how far the chain has come. @returns `null` when there is nothing new */
  async checkpoint(): Promise<SignedCheckpoint | null> {
    if (this.uncheckedCount === 0) return null
    const at = new Date(this.#nowMs()).toISOString()
    const { head } = this
    // A little of the time before as well: another node's clock may be behind.
    const since =
      this.#checkpointAt === '' ? '' : new Date(Date.parse(this.#checkpointAt) - 60_000).toISOString()
    const heads = await otherHeads(this.#db, head.chain, since)
    const written = await writeCheckpoint(this.#db, this.#key, { ...head, kind: 'reached', at, heads })
    this.#checkpointSeq = head.seq
    this.#checkpointAt = at
    return written
  }

  /** Says that nothing more will come. */
  async close(): Promise<void> {
    if (!this.#isThere) return
    const closedAt = new Date(this.#nowMs()).toISOString()
    await this.#db.updateTable(chainsTable).set({ closedAt }).where('chain', '=', this.#head.chain).execute()
  }

  async #beThere(trx: MigrationDatabase): Promise<void> {
    if (this.#isThere) return
    const startedAt = new Date(this.#nowMs()).toISOString()
    await trx
      .insertInto(chainsTable)
      .values({ chain: this.#head.chain, keyId: this.#key.id, startedAt, closedAt: null, prunedSeq: 0 })
      .onConflict((conflict) => conflict.column('chain').doNothing())
      .execute()
  }

  async #isHeadThere(trx: MigrationDatabase, { chain, seq, hash }: ChainHead): Promise<boolean> {
    if (seq === 0) return true
    const row = await trx
      .selectFrom(eventsTable)
      .select('hash')
      .where('chain', '=', chain)
      .where('seq', '=', seq)
      .executeTakeFirst()
    if (row !== undefined) return row['hash'] === hash
    const kept = await trx
      .selectFrom(chainsTable)
      .select('prunedSeq')
      .where('chain', '=', chain)
      .executeTakeFirst()
    return kept !== undefined && Number(kept['prunedSeq']) >= seq
  }

  async #placeCommitted(
    trx: MigrationDatabase,
    from: ChainHead,
    rows: readonly EventRow[],
  ): Promise<{ readonly head: ChainHead; readonly missing: readonly EventRow[] }> {
    let head = from
    const missing: EventRow[] = []
    for (const row of rows) {
      const next = this.#next(head, row)
      const { chain, seq, hash } = next
      const { numUpdatedRows } = await trx
        .updateTable(eventsTable)
        .set({ chain, seq, hash })
        .where('id', '=', row.id)
        .where('seq', 'is', null)
        .executeTakeFirst()
      if (numUpdatedRows === 0n) {
        // Another process has taken it up, because this one was silent for long; or it was removed, and then its place
        // stays empty for whoever verifies.
        if (await isThere(trx, row.id)) continue
        missing.push(row)
      }
      head = next
    }
    return { head, missing }
  }

  #placed(from: ChainHead, rows: readonly EventRow[]): readonly SealedRow[] {
    let head = from
    return rows.map((row) => {
      head = this.#next(head, row)
      return { ...row, chain: head.chain, seq: head.seq, hash: head.hash }
    })
  }

  #next({ chain, seq, hash }: ChainHead, row: EventRow): ChainHead {
    const place = { chain, seq: seq + 1 }
    return { ...place, hash: hashOf(this.#key.chain, hash, place, row) }
  }

  async #wasCommitted(): Promise<boolean> {
    const unsure = this.#unsure
    if (unsure === undefined) return false
    const row = await this.#db
      .selectFrom(eventsTable)
      .select('hash')
      .where('chain', '=', unsure.chain)
      .where('seq', '=', unsure.seq)
      .executeTakeFirst()
    this.#unsure = undefined
    if (row?.['hash'] !== unsure.hash || unsure.seq === this.#head.seq) return false
    this.#isThere = true
    this.#head = unsure
    return true
  }
}

async function isThere(db: MigrationDatabase, id: string): Promise<boolean> {
  return (await db.selectFrom(eventsTable).select('id').where('id', '=', id).executeTakeFirst()) !== undefined
}
