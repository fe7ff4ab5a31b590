import { setImmediate as nextTurn } from 'node:timers/promises'
import type { MigrationDatabase } from '../data/index.ts'
import { Problem } from '../errors/index.ts'
import { writeCheckpoint } from './checkpoints.ts'
import type { TrailKeys } from './keys.ts'
import { chainNames, type KnownChain, readChain } from './known-chains.ts'
import { chainsTable, checkpointsTable, eventsTable } from './migration.ts'
import { signedOf } from './verify.ts'
import { type LastRow, type TrailFinding, verifyChain } from './verify-chain.ts'

/** What is to be pruned. */
export interface PruneOrder {
  /** Rows from before this time. */
  readonly before: Date
  readonly nowMs?: () => number
}

/** What came of pruning. */
export interface Pruning {
  /** How many rows were removed. */
  readonly rowCount: number
  readonly chainCount: number
}

/** Rows that are to be pruned do not verify: they are evidence, and stay. */
export class PruneRefused extends Error {
  readonly findings: readonly TrailFinding[]

  constructor(findings: readonly TrailFinding[]) {
    super('Rows that are to be pruned do not verify, so nothing was removed. See: holdfast events verify')
    this.name = 'PruneRefused'
    this.findings = findings
  }
}

const batchCount = 500

/**
 * Removes rows from before a time, once they have been verified. A signed record says how far each chain was pruned and
 * what its last row was, so that the rest goes on being verifiable. Killed midway it is run again.
 *
 * @throws PruneRefused for rows that do not verify, and then nothing is removed; VALIDATION_FAILED for a time that is none
 * @see OWASP ASVS 5.0 §16.4.2, §14.2.7
 */
export async function pruneTrail(
  db: MigrationDatabase,
  keys: TrailKeys,
  { before, nowMs = Date.now }: PruneOrder,
): Promise<Pruning> {
  if (Number.isNaN(before.getTime()) || before.getTime() > nowMs())
    throw new Problem('VALIDATION_FAILED', 'no time in the past', {
      errors: [{ path: '/before', message: 'expected a time in the past' }],
    })
  const findings: TrailFinding[] = []
  const due: { readonly known: KnownChain; readonly last: LastRow }[] = []
  const names = await chainNames(db)
  for (const chain of names) {
    // SQLite answers at once: of thousands of small chains, requests would wait for all.
    await nextTurn()
    const toSeq = await lastBefore(db, chain, before.toISOString())
    if (toSeq === null) continue
    const known = await readChain(db, keys, chain)
    const found: TrailFinding[] = []
    // Raised by hand, it would have us remove rows that nobody has verified.
    if (known.prunedSeq !== (known.pruned?.seq ?? 0))
      found.push({ kind: 'pruned-unsigned', chain, fromSeq: 1, toSeq: known.prunedSeq, id: null })
    const isDue = toSeq > known.prunedSeq
    const last = isDue
      ? await verifyDue(db, keys, known, { toSeq, find: (finding) => void found.push(finding) })
      : null
    if (found.length === 0) {
      if (last !== null) due.push({ known, last })
      continue
    }
    // Another process prunes at the same time, and has removed what was looked at here: that is no finding.
    const now = await readChain(db, keys, chain)
    if (now.prunedSeq === known.prunedSeq && now.pruned?.seq === known.pruned?.seq) findings.push(...found)
  }
  if (findings.length > 0) throw new PruneRefused(findings)
  for (const { known, last } of due)
    await mark(db, keys, { known, last, at: new Date(nowMs()).toISOString() })
  let rowCount = 0
  let chainCount = 0
  // Of every chain: one that was marked before may not have been cleared.
  for (const chain of names) {
    const removed = await removePruned(db, keys, chain)
    rowCount += removed
    if (removed > 0) chainCount += 1
    await nextTurn()
  }
  return { rowCount, chainCount }
}

async function verifyDue(
  db: MigrationDatabase,
  keys: TrailKeys,
  known: KnownChain,
  { toSeq, find }: { readonly toSeq: number; readonly find: (finding: TrailFinding) => void },
): Promise<LastRow | null> {
  const { chain, key, pruned, row, forged } = known
  const whole = { chain, fromSeq: null, toSeq: null, id: null }
  for (const finding of forged) find(finding)
  if (row === null) find({ kind: 'chain-removed', ...whole })
  else if (key === null) find({ kind: 'key-unknown', ...whole })
  if (row === null || key === null) return null
  const start = pruned
  const signed = signedOf(known, start?.seq ?? 0).filter(({ seq }) => seq <= toSeq)
  const expected = { chain, key, keys, start, known: signed, toSeq }
  return await verifyChain(db, expected, { find, verified: () => undefined })
}

async function mark(
  db: MigrationDatabase,
  keys: TrailKeys,
  { known, last, at }: { readonly known: KnownChain; readonly last: LastRow; readonly at: string },
): Promise<void> {
  const { chain, seq, hash } = last
  await db.transaction().execute(async (trx) => {
    const { numUpdatedRows } = await trx
      .updateTable(chainsTable)
      .set({ prunedSeq: seq })
      .where('chain', '=', chain)
      .where('prunedSeq', '=', known.prunedSeq)
      .executeTakeFirst()
    // Another process prunes at the same time.
    if (numUpdatedRows === 0n) return
    await writeCheckpoint(trx, keys[0], { chain, seq, hash, kind: 'pruned', at, heads: [] })
    // What the record says is all that is needed of what was before. Start and end stay: they speak of other chains.
    await trx
      .deleteFrom(checkpointsTable)
      .where('chain', '=', chain)
      .where((eb) =>
        eb.or([
          eb.and([eb('kind', '=', 'block'), eb('seq', '<=', seq)]),
          eb.and([eb('kind', '=', 'pruned'), eb('seq', '<', seq)]),
        ]),
      )
      .execute()
  })
}

/** The last place up to which every row is older than a time; `null` when the chain has no row. */
async function lastBefore(db: MigrationDatabase, chain: string, before: string): Promise<number | null> {
  const rowsOf = () =>
    db.selectFrom(eventsTable).select('seq').where('chain', '=', chain).where('seq', 'is not', null)
  // By the index of places: it passes what is old, and stops at the first that is not.
  const young = await rowsOf().where('at', '>=', before).orderBy('seq').limit(1).executeTakeFirst()
  if (young !== undefined) return Number(young['seq']) - 1
  const last = await rowsOf().orderBy('seq', 'desc').limit(1).executeTakeFirst()
  return last === undefined ? null : Number(last['seq'])
}

async function removePruned(db: MigrationDatabase, keys: TrailKeys, chain: string): Promise<number> {
  const { prunedSeq, pruned } = await readChain(db, keys, chain)
  if (prunedSeq === 0 || pruned?.seq !== prunedSeq) return 0
  let removedCount = 0
  for (;;) {
    const { numDeletedRows } = await db
      .deleteFrom(eventsTable)
      .where('id', 'in', (eb) =>
        eb
          .selectFrom(eventsTable)
          .select('id')
          .where('chain', '=', chain)
          .where('seq', '<=', prunedSeq)
          .orderBy('seq')
          .limit(batchCount),
      )
      .executeTakeFirst()
    removedCount += Number(numDeletedRows)
    if (Number(numDeletedRows) < batchCount) return removedCount
    await nextTurn()
  }
}
