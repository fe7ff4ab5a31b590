import { setImmediate as nextTurn } from 'node:timers/promises'
import type { MigrationDatabase } from '../data/index.ts'
import type { ChainHead, SignedCheckpoint } from './checkpoints.ts'
import type { TrailKey } from './keys.ts'
import { eventsTable } from './migration.ts'
import { eventRowOf, genesisOf, hashOf } from './row.ts'

/** What is wrong with a trail. */
export type TrailFaultKind =
  /** A row does not fit its place: it was changed, moved or put there. */
  | 'unfit'
  /** Rows are not there any more. */
  | 'removed'
  /** A whole chain is not there any more. */
  | 'chain-removed'
  /** A row has no place in a chain, long after it was written: it was put there. */
  | 'unsealed'
  /** A checkpoint has no signature of ours. */
  | 'checkpoint-forged'
  /** Checkpoints are not there any more. */
  | 'checkpoint-removed'
  /** Rows were removed, and no signed record says that they were pruned. */
  | 'pruned-unsigned'
  /** A chain was sealed with a root secret that is not known here. */
  | 'key-unknown'

/** Something that is wrong, and where. */
export interface TrailFinding {
  readonly kind: TrailFaultKind
  readonly chain: string
  /** The first and last place that it is about; `null` for a whole chain or a row without a place. */
  readonly fromSeq: number | null
  readonly toSeq: number | null
  /** The row, where there is one. */
  readonly id: string | null
}

/** What a chain is verified against. */
export interface ChainExpectation {
  readonly chain: string
  readonly key: TrailKey
  /** Where it begins: after what was pruned. */
  readonly start: ChainHead | null
  /** What was signed about it, here and in the checkpoints of others; signatures are good. */
  readonly known: readonly ChainHead[]
  /** How far to look; to the end unless given. */
  readonly toSeq?: number
}

/** How verifying goes on. */
export interface ChainProgress {
  readonly find: (finding: TrailFinding) => void
  readonly verified: (rowCount: number) => void
}

const pageCount = 1_000

/**
 * Verifies the rows of one chain, in order and in constant memory.
 *
 * @returns the last row; `null` when there is none
 */
export async function verifyChain(
  db: MigrationDatabase,
  expected: ChainExpectation,
  { find, verified }: ChainProgress,
): Promise<ChainHead | null> {
  const { chain, key, start, toSeq } = expected
  const known = new Map(expected.known.map(({ seq, hash }) => [seq, hash]))
  let seq = start?.seq ?? 0
  // The hashes that the next row may build on: what stands in the row before, and what should.
  let previous: readonly string[] | null = [start?.hash ?? genesisOf(key.chain, chain)]
  let last: ChainHead | null = null
  for (;;) {
    const rows = await readPage(db, chain, seq, toSeq)
    for (const raw of rows) {
      const row = eventRowOf(raw)
      const place = { chain, seq: Number(raw['seq']) }
      const hash = String(raw['hash'])
      const at = { chain, fromSeq: place.seq, toSeq: place.seq, id: row.id }
      if (place.seq !== seq + 1) {
        find({ kind: 'removed', chain, fromSeq: seq + 1, toSeq: place.seq - 1, id: null })
        // What it built on is gone, unless it was signed.
        const signed = known.get(place.seq - 1)
        previous = signed === undefined ? null : [signed]
      }
      const computed: readonly string[] | undefined = previous?.map((before) =>
        hashOf(key.chain, before, place, row),
      )
      const isFit: boolean = computed === undefined || computed.includes(hash)
      const signed = known.get(place.seq)
      if (!isFit || (signed !== undefined && signed !== hash)) find({ kind: 'unfit', ...at })
      previous = isFit ? [hash] : [hash, ...(computed ?? [])]
      seq = place.seq
      last = { chain, seq, hash }
    }
    verified(rows.length)
    if (rows.length < pageCount) break
    // SQLite answers at once: without this, requests would wait for the whole trail.
    await nextTurn()
  }
  const farthest = Math.max(0, ...expected.known.map((head) => head.seq))
  if (toSeq === undefined && farthest > seq)
    find({ kind: 'removed', chain, fromSeq: seq + 1, toSeq: farthest, id: null })
  return last
}

async function readPage(
  db: MigrationDatabase,
  chain: string,
  afterSeq: number,
  toSeq: number | undefined,
): Promise<readonly Readonly<Record<string, unknown>>[]> {
  let query = db
    .selectFrom(eventsTable)
    .selectAll()
    .where('chain', '=', chain)
    .where('seq', '>', afterSeq)
    .orderBy('seq')
    .limit(pageCount)
  if (toSeq !== undefined) query = query.where('seq', '<=', toSeq)
  return await query.execute()
}

/** How far apart checkpoints are at most, in rows: more, and some are not there any more. */
export const checkpointGapCount = 2_000

/** Where checkpoints should be and are not. */
export function missingCheckpoints(
  chain: string,
  from: number,
  to: number,
  checkpoints: readonly SignedCheckpoint[],
): readonly TrailFinding[] {
  const findings: TrailFinding[] = []
  let before = from
  for (const seq of [...checkpoints.map((one) => one.seq).filter((seq) => seq > from), to].sort(
    (a, b) => a - b,
  )) {
    if (seq - before > checkpointGapCount)
      findings.push({ kind: 'checkpoint-removed', chain, fromSeq: before + 1, toSeq: seq, id: null })
    before = seq
  }
  return findings
}
