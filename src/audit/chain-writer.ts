import { newId } from '../base/index.ts'
import type { MigrationDatabase } from '../data/index.ts'
import {
  blockCount,
  type ChainHead,
  type CheckpointKind,
  otherHeads,
  type SignedCheckpoint,
  writeCheckpoint,
} from './checkpoints.ts'
import type { TrailKey, TrailKeys } from './keys.ts'
import { chainsTable, eventsTable } from './migration.ts'
import { type EventRow, eventRowOf, genesisOf, hashOf, isOurs, macOf } from './row.ts'
import { insertRows, placeRows, standingOf, type WrittenRow } from './write-rows.ts'

/** Rows that wait for their place in the chain. */
export interface WaitingRows {
  /** Of no transaction: they are inserted with their place. */
  readonly fresh: readonly EventRow[]
  /** Committed with what they tell of: they get their place now. */
  readonly committed: readonly EventRow[]
}

/** What came of sealing. */
export interface Sealed {
  /** How many rows got a place. */
  readonly rowCount: number
  /** Committed rows that somebody removed before they were sealed; they have been written again. */
  readonly missingIds: readonly string[]
  /** The chain that was given up, because it was not there any more as this process wrote it; `null` when all is well. */
  readonly brokenChain: string | null
  /** A head that was signed on the way. */
  readonly checkpoint: SignedCheckpoint | null
}

interface ChainState extends ChainHead {
  readonly startedAt: string
  /** Whether the chain has been written. */
  readonly isThere: boolean
  /** The place that the newest head says. */
  readonly headSeq: number
  readonly headAtMs: number
  /** Chains of this process that were given up, as it remembers them. */
  readonly given: readonly ChainHead[]
}

const headEveryMs = 60_000
// A silent chain says now and then that it is there: by this, readers know which chains are alive.
const silentEveryMs = 600_000
const startHeadsMs = 30 * 86_400_000
const headCount = 200

/**
 * The chain of one process. Only this object gives places in it, one batch after the other, so there is no gap and no
 * two rows share a place. What it hashes is what the process remembers, never what it reads back: a row that somebody
 * changes between its commit and its seal does not fit.
 *
 * When the last row is not there any more, or a place is taken that only this object gives, the chain is left as it is,
 * as evidence, and a new one begins, whose first checkpoint says how far the old one had come.
 */
export class ChainWriter {
  readonly #db: MigrationDatabase
  readonly #key: TrailKey
  readonly #nowMs: () => number
  #state: ChainState
  /** A batch whose commit was not heard of: it may be in the table all the same, now or in a moment. */
  #unsure: { readonly state: ChainState; readonly rows: WaitingRows | null } | undefined

  constructor(db: MigrationDatabase, key: TrailKey, nowMs: () => number) {
    this.#db = db
    this.#key = key
    this.#nowMs = nowMs
    this.#state = this.#newChain([])
  }

  /** How far the chain has come. */
  get head(): ChainHead {
    const { chain, seq, hash } = this.#state
    return { chain, seq, hash }
  }

  /** Whether anything has been written. */
  get isThere(): boolean {
    return this.#state.isThere
  }

  /** A row as it is inserted with what it tells of: its place comes after the commit. */
  readonly unsealed = (row: EventRow): WrittenRow => {
    return { ...row, mac: macOf(this.#key.chain, row), chain: this.#state.chain, seq: null, hash: null }
  }

  /**
   * Gives each row its place, in one transaction.
   *
   * @param rows The same object again after a failure: by it, a batch is known whose commit was not heard of.
   * @throws CONFLICT, UNAVAILABLE and what else the database says
   */
  async seal(rows: WaitingRows): Promise<Sealed> {
    const unsure = this.#unsure
    const isIntact = (await this.#isIntact()) || (await this.#wasCommitted())
    if (unsure?.rows === rows && this.#state === unsure.state)
      return { rowCount: 0, missingIds: [], brokenChain: null, checkpoint: null }
    const brokenChain = isIntact ? null : this.#giveUp()
    const withMac = (row: EventRow): MacRow => ({ ...row, mac: macOf(this.#key.chain, row) })
    const batch = { fresh: rows.fresh.map(withMac), committed: rows.committed.map(withMac), retried: rows }
    return { ...(await this.#sealBatch(batch)), brokenChain }
  }

  /** Takes up rows that a process has left behind without a place; not those that nobody of us has written. */
  async adopt(
    between: { readonly after: string; readonly before: string },
    keys: TrailKeys,
    isWaiting: (id: string) => boolean,
  ): Promise<number> {
    const found = await this.#db
      .selectFrom(eventsTable)
      .selectAll()
      .where('seq', 'is', null)
      .where('at', '>', between.after)
      .where('at', '<', between.before)
      .orderBy('id')
      .limit(100)
      .execute()
    const left = found
      .filter((row) => isOurs(row, keys) && !isWaiting(String(row['id'])))
      .map((row): MacRow => ({ ...eventRowOf(row), mac: String(row['mac']) }))
    // A batch that may have been committed comes first.
    if (left.length === 0 || !(await this.#isSure()) || !(await this.#isIntact())) return 0
    return (await this.#sealBatch({ fresh: [], committed: left, retried: null })).rowCount
  }

  /** Signs how far the chain has come, where that is due. @returns `null` when it is not */
  async checkpoint(): Promise<SignedCheckpoint | null> {
    const isSure = await this.#isSure()
    const state = this.#state
    const sinceMs = this.#nowMs() - state.headAtMs
    const isDue = state.seq === state.headSeq ? sinceMs >= silentEveryMs : sinceMs >= headEveryMs
    if (!state.isThere || !isDue || !isSure) return null
    const signed = await this.#db.transaction().execute((trx) => this.#sign(trx, 'head', state))
    this.#state = { ...state, headSeq: signed.seq, headAtMs: Date.parse(signed.at) }
    return signed
  }

  /** Signs that nothing more will come. @returns `null` when nothing has come at all */
  async close(): Promise<SignedCheckpoint | null> {
    const isSure = await this.#isSure()
    const state = this.#state
    if (!state.isThere || !isSure) return null
    return await this.#db.transaction().execute(async (trx) => {
      await this.#sign(trx, 'head', state)
      const closed = await this.#sign(trx, 'closed', state)
      await trx
        .updateTable(chainsTable)
        .set({ closedAt: closed.at })
        .where('chain', '=', state.chain)
        .execute()
      return closed
    })
  }

  #giveUp(): string {
    const { chain } = this.#state
    this.#state = this.#newChain([...this.#state.given, this.head])
    this.#unsure = undefined
    return chain
  }

  #newChain(given: readonly ChainHead[]): ChainState {
    const nowMs = this.#nowMs()
    const chain = newId(nowMs)
    return {
      chain,
      seq: 0,
      hash: genesisOf(this.#key.chain, chain),
      startedAt: new Date(nowMs).toISOString(),
      isThere: false,
      headSeq: 0,
      headAtMs: Number.NEGATIVE_INFINITY,
      given,
    }
  }

  async #sealBatch({ fresh, committed, retried }: Batch): Promise<Sealed> {
    const before = this.#state
    const outcome = await this.#db.transaction().execute(async (trx) => {
      const standing = await standingOf(
        trx,
        committed.map(({ id }) => id),
      )
      const missing = retried !== null ? committed.filter(({ id }) => !standing.has(id)) : []
      // One that has a place already was taken up by another process, because this one was silent for long.
      const waiting = committed.filter(({ id }) => standing.get(id) === 'waits')
      const placed = this.#placed(before, [...waiting, ...missing, ...fresh])
      if (placed.length === 0) return { reached: before, checkpoint: null, missing, rowCount: 0 }
      await this.#beThere(trx, before)
      await placeRows(trx, placed.slice(0, waiting.length))
      await insertRows(trx, placed.slice(waiting.length))
      for (const { seq, hash } of placed.filter((row) => row.seq % blockCount === 0))
        await this.#sign(trx, 'block', { ...before, seq, hash })
      const last = placed.at(-1) ?? before
      const after = { ...before, isThere: true, seq: last.seq, hash: last.hash }
      const checkpoint = this.#isHeadDue(after) ? await this.#sign(trx, 'head', after) : null
      const reached =
        checkpoint === null ? after : { ...after, headSeq: after.seq, headAtMs: Date.parse(checkpoint.at) }
      // From here on the batch may be in the table, whether its commit is answered or not.
      this.#unsure = { state: reached, rows: retried }
      return { reached, checkpoint, missing, rowCount: placed.length }
    })
    this.#unsure = undefined
    this.#state = outcome.reached
    const { checkpoint, rowCount } = outcome
    return { rowCount, checkpoint, missingIds: outcome.missing.map(({ id }) => id), brokenChain: null }
  }

  #isHeadDue({ seq, headSeq, headAtMs }: ChainState): boolean {
    // With the rows, so that there is never a row that is further from a head than this says.
    return seq - headSeq >= blockCount || this.#nowMs() - headAtMs >= headEveryMs
  }

  async #sign(trx: MigrationDatabase, kind: CheckpointKind, state: ChainState): Promise<SignedCheckpoint> {
    const { chain, seq, hash, given } = state
    const nowMs = this.#nowMs()
    const at = kind === 'start' ? state.startedAt : new Date(nowMs).toISOString()
    // The first one says how all others stand; the later ones how those do that are written at the same time.
    const sinceMs = kind === 'start' ? nowMs - startHeadsMs : Date.parse(state.startedAt) - headEveryMs
    const heads =
      kind === 'block'
        ? []
        : await otherHeads(trx, chain, { since: new Date(sinceMs).toISOString(), limit: headCount })
    const checkpoint = { kind, chain, seq, hash, at, heads: [...heads, ...given] }
    return await writeCheckpoint(trx, this.#key, checkpoint)
  }

  async #beThere(trx: MigrationDatabase, state: ChainState): Promise<void> {
    if (state.isThere) return
    const { chain, startedAt } = state
    await trx
      .insertInto(chainsTable)
      .values({ chain, keyId: this.#key.id, startedAt, closedAt: null, prunedSeq: 0 })
      .onConflict((conflict) => conflict.column('chain').doNothing())
      .execute()
    await this.#sign(trx, 'start', state)
  }

  #placed(from: ChainHead, rows: readonly MacRow[]): readonly PlacedRow[] {
    let { seq, hash } = from
    return rows.map((row) => {
      seq += 1
      hash = hashOf(this.#key.chain, hash, seq, row.mac)
      return { ...row, chain: from.chain, seq, hash }
    })
  }

  /** Whether the chain ends as this process has left it. */
  async #isIntact(): Promise<boolean> {
    const { chain, seq, hash } = this.#state
    const rows = await this.#db
      .selectFrom(eventsTable)
      .select('hash')
      .where('chain', '=', chain)
      .where('seq', '>=', seq)
      .orderBy('seq')
      .limit(2)
      .execute()
    if (rows.length > 0) return rows.length === 1 && rows[0]?.['hash'] === hash
    if (seq === 0) return true
    const kept = await this.#db
      .selectFrom(chainsTable)
      .select('prunedSeq')
      .where('chain', '=', chain)
      .executeTakeFirst()
    return kept !== undefined && Number(kept['prunedSeq']) >= seq
  }

  /** Whether the chain ends where the batch would have led that was not heard of; then it goes on from there. */
  async #wasCommitted(): Promise<boolean> {
    const unsure = this.#unsure
    if (unsure === undefined || unsure.state.seq === this.#state.seq) return false
    const { chain, seq, hash } = unsure.state
    const row = await this.#db
      .selectFrom(eventsTable)
      .select('hash')
      .where('chain', '=', chain)
      .where('seq', '=', seq)
      .executeTakeFirst()
    if (row?.['hash'] !== hash) return false
    this.#state = unsure.state
    this.#unsure = undefined
    return true
  }

  /** Whether no batch is open that may have been committed. One of late rows is not tried again: they are looked for anew. */
  async #isSure(): Promise<boolean> {
    if (this.#unsure?.rows === null) {
      await this.#wasCommitted()
      this.#unsure = undefined
    }
    return this.#unsure === undefined
  }
}

type MacRow = EventRow & Pick<WrittenRow, 'mac'>
type PlacedRow = WrittenRow & { readonly seq: number; readonly hash: string }

interface Batch {
  readonly fresh: readonly MacRow[]
  readonly committed: readonly MacRow[]
  /** What will be tried again when it fails; committed rows of it that are gone are written again. `null`: late rows. */
  readonly retried: WaitingRows | null
}
