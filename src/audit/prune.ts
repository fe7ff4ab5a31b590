import type { MigrationDatabase } from '../data/index.ts'
import { Problem } from '../errors/index.ts'
import { writeCheckpoint } from './checkpoints.ts'
import type { TrailKeys } from './keys.ts'
import { chainsTable, checkpointsTable, eventsTable } from './migration.ts'
import { type KnownChain, prunedHead, readChains } from './verify.ts'
import { type TrailFinding, verifyChain } from './verify-chain.ts'

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

const batchCount = 2_000

/**
 * Removes rows from before a time, once they have been verified. A signed record says how far each chain was pruned and
 * what its last row was, so that the rest goes on being verifiable. Killed midway it is run again.
 *
 * @throws PruneRefused for a trail that does not verify; VALIDATION_FAILED for a time that is none
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
  const find = (finding: TrailFinding): void => void findings.push(finding)
  const { chains } = await readChains(db, keys, find)
  let rowCount = 0
  let chainCount = 0
  for (const known of chains) {
    const toSeq = await lastBefore(db, known.chain, before.toISOString())
    if (toSeq > known.prunedSeq) await mark(db, keys, known, { toSeq, find, findings, at: nowMs() })
    const removed = await removePruned(db, known.chain)
    rowCount += removed
    if (removed > 0) chainCount += 1
  }
  if (findings.length > 0) throw new PruneRefused(findings)
  return { rowCount, chainCount }
}

async function mark(
  db: MigrationDatabase,
  keys: TrailKeys,
  known: KnownChain,
  {
    toSeq,
    find,
    findings,
    at,
  }: {
    readonly toSeq: number
    readonly find: (finding: TrailFinding) => void
    readonly findings: readonly TrailFinding[]
    readonly at: number
  },
): Promise<void> {
  const { chain, key } = known
  const countBefore = findings.length
  if (key === null) {
    find({ kind: 'key-unknown', chain, fromSeq: null, toSeq: null, id: null })
    return
  }
  const signed = [...known.reached, ...known.heads].filter(({ seq }) => seq <= toSeq)
  const start = prunedHead(known)
  if (known.prunedSeq > 0 && start === null)
    find({ kind: 'pruned-unsigned', chain, fromSeq: 1, toSeq: known.prunedSeq, id: null })
  const last = await verifyChain(
    db,
    { chain, key, start, known: signed, toSeq },
    { find, verified: () => undefined },
  )
  if (last === null || findings.length > countBefore) return
  await db.transaction().execute(async (trx) => {
    const time = new Date(at).toISOString()
    await writeCheckpoint(trx, keys[0], { ...last, kind: 'pruned', at: time, heads: [] })
    await trx
      .updateTable(chainsTable)
      .set({ prunedSeq: last.seq })
      .where('chain', '=', chain)
      .where('prunedSeq', '<', last.seq)
      .execute()
    await trx.deleteFrom(checkpointsTable).where('chain', '=', chain).where('seq', '<', last.seq).execute()
  })
}

/** The last place before which every row is older than a time; 0 when there is none. */
async function lastBefore(db: MigrationDatabase, chain: string, before: string): Promise<number> {
  const young = await db
    .selectFrom(eventsTable)
    .select((eb) => eb.fn.min('seq').as('seq'))
    .where('chain', '=', chain)
    .where('seq', 'is not', null)
    .where('at', '>=', before)
    .executeTakeFirst()
  const first = young?.['seq']
  if (first !== null && first !== undefined) return Number(first) - 1
  const all = await db
    .selectFrom(eventsTable)
    .select((eb) => eb.fn.max('seq').as('seq'))
    .where('chain', '=', chain)
    .executeTakeFirst()
  return Number(all?.['seq'] ?? 0)
}

async function removePruned(db: MigrationDatabase, chain: string): Promise<number> {
  const row = await db
    .selectFrom(chainsTable)
    .select('prunedSeq')
    .where('chain', '=', chain)
    .executeTakeFirst()
  const prunedSeq = Number(row?.['prunedSeq'] ?? 0)
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
  }
}
