import { setImmediate as nextTurn } from 'node:timers/promises'
import type { MigrationDatabase } from '../data/index.ts'
import { blockCount, type ChainHead } from './checkpoints.ts'
import type { TrailKey, TrailKeys } from './keys.ts'
import { eventsTable } from './migration.ts'
import { eventColumns, eventRowOf, genesisOf, hashOf, isOurs, macOf } from './row.ts'

/** What is wrong with a trail. */
export type TrailFaultKind =
  /** A row was written by us, and says something else now; or its hash does. */
  | 'changed'
  /** A row stands where another one stood, or rows have changed places. */
  | 'moved'
  /** A row was not written by us: it was put there, or written over. */
  | 'forged'
  /** Rows are not there any more. */
  | 'removed'
  /** What the table of chains says of a chain was changed. */
  | 'chain-changed'
  /** A whole chain, or what the table of chains says of it, is not there any more. */
  | 'chain-removed'
  /** A checkpoint was not signed by us: it was changed or put there. */
  | 'checkpoint-forged'
  /** A checkpoint that must be there is not, or an older one stands in its place. */
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
  /** All that a row may have been written with: one that was sealed late was written by another process. */
  readonly keys: TrailKeys
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

/** The last row of a chain. */
export interface LastRow extends ChainHead {
  /** ISO 8601, UTC. */
  readonly at: string
}

const pageCount = 500

/**
 * Verifies the rows of one chain, in order and in constant memory.
 *
 * @returns the last row; `null` when there is none
 */
export async function verifyChain(
  db: MigrationDatabase,
  expected: ChainExpectation,
  progress: ChainProgress,
): Promise<LastRow | null> {
  const { chain, toSeq } = expected
  const walk = new ChainWalk(expected, progress)
  for (;;) {
    const rows = await readPage(db, { chain, afterSeq: walk.seq, toSeq: toSeq ?? maxSeq })
    for (const row of rows) walk.take(row)
    progress.verified(rows.length)
    if (rows.length < pageCount) break
    // SQLite answers at once: without this, requests would wait for the whole trail.
    await nextTurn()
  }
  walk.end()
  return walk.last
}

/** The largest place there can be. */
export const maxSeq = 2_147_483_647

async function readPage(
  db: MigrationDatabase,
  { chain, afterSeq, toSeq }: { readonly chain: string; readonly afterSeq: number; readonly toSeq: number },
): Promise<readonly Readonly<Record<string, unknown>>[]> {
  return await db
    .selectFrom(eventsTable)
    .select([...eventColumns, 'mac', 'seq', 'hash'])
    .where('chain', '=', chain)
    .where('seq', '>', afterSeq)
    .where('seq', '<=', toSeq)
    .orderBy('seq')
    .limit(pageCount)
    .execute()
}

interface Suspect {
  readonly id: string
  readonly seq: number
  readonly mac: string
  readonly hash: string
  /** The hashes that it could have been built on. */
  readonly before: readonly string[]
  /** Whether the row before was found at fault: then this one may be as it was, on top of what is not. */
  readonly isAfterSuspect: boolean
  /** Whether no row stands on it: then its hash is what was changed, or it is what was moved, and nothing tells which. */
  readonly isLast: boolean
}

const suspectCount = 100

class ChainWalk {
  seq: number
  last: LastRow | null = null
  readonly #expected: ChainExpectation
  readonly #find: ChainProgress['find']
  /** Signed hashes, by place. They agree, or one of those who signed was deceived. */
  readonly #known: ReadonlyMap<number, readonly string[]>
  /** The hashes that the next row may build on: what stands in the row before, and what should. `null`: not known. */
  #before: readonly string[] | null
  /** Written by us, and does not fit: what it is shows when the next row is seen. */
  #open: (Omit<Suspect, 'isLast'> & { readonly computed: string }) | undefined
  #suspects: Suspect[] = []

  constructor(expected: ChainExpectation, { find }: ChainProgress) {
    const { chain, key, start, known } = expected
    this.#expected = expected
    this.#find = find
    this.seq = start?.seq ?? 0
    this.#before = [start?.hash ?? genesisOf(key.chain, chain)]
    const bySeq = Map.groupBy(known, ({ seq }) => seq)
    this.#known = new Map([...bySeq].map(([seq, heads]) => [seq, heads.map(({ hash }) => hash)]))
  }

  take(raw: Readonly<Record<string, unknown>>): void {
    const { chain, key, keys } = this.#expected
    const seq = Number(raw['seq'])
    const row = eventRowOf(raw)
    if (!Number.isInteger(seq)) {
      this.#find({ kind: 'forged', chain, fromSeq: null, toSeq: null, id: row.id })
      return
    }
    const mac = String(raw['mac'])
    const hash = String(raw['hash'])
    if (seq !== this.seq + 1) this.#gap(seq)
    const wasOpen = this.#settle({ seq, mac, hash })
    const before = this.#before
    const signed = this.#known.get(seq) ?? []
    const said = macOf(key.chain, row)
    const isLinked = (of: string): boolean =>
      before?.some((one) => hashOf(key.chain, one, seq, of) === hash) === true
    this.#before = [hash, ...signed.filter((one) => one !== hash)]
    if (said === mac || isOurs(raw, keys)) {
      if (before === null || isLinked(mac)) {
        if (signed.some((one) => one !== hash)) this.#name('changed', seq, row.id)
      } else {
        const computed = hashOf(key.chain, before[0] ?? '', seq, mac)
        this.#open = { id: row.id, seq, mac, hash, before, isAfterSuspect: wasOpen, computed }
        this.#before = [...this.#before, computed]
      }
    } else if (isLinked(mac) || isLinked(said)) this.#name('changed', seq, row.id)
    else {
      this.#name('forged', seq, row.id)
      // What stood here is gone, and with it what the next row was built on.
      this.#before = signed.length === 0 ? null : signed
    }
    this.seq = seq
    this.last = { chain, seq, hash, at: row.at }
  }

  end(): void {
    this.#settle(null)
    this.#nameSuspects()
    const { chain, toSeq, known } = this.#expected
    const farthest = known.reduce((most, { seq }) => Math.max(most, seq), 0)
    if (toSeq === undefined && farthest > this.seq)
      this.#find({ kind: 'removed', chain, fromSeq: this.seq + 1, toSeq: farthest, id: null })
  }

  #gap(seq: number): void {
    const { chain } = this.#expected
    this.#settle(null)
    this.#find({ kind: 'removed', chain, fromSeq: this.seq + 1, toSeq: seq - 1, id: null })
    // What the next row builds on is gone, unless it was signed.
    this.#before = this.#known.get(seq - 1) ?? null
  }

  /** Says what the row before was, now that it is known what stands on it. @returns whether there was anything to say */
  #settle(next: Pick<Suspect, 'seq' | 'mac' | 'hash'> | null): boolean {
    const open = this.#open
    if (open === undefined) return false
    this.#open = undefined
    const { key } = this.#expected
    const isOnComputed = next !== null && hashOf(key.chain, open.computed, next.seq, next.mac) === next.hash
    const isSigned = this.#known.get(open.seq)?.includes(open.computed) === true
    if (isOnComputed || isSigned) this.#name('changed', open.seq, open.id)
    else if (this.#suspects.length < suspectCount)
      this.#suspects.push({ ...open, isLast: next === null && !this.#known.has(open.seq) })
    else this.#name('moved', open.seq, open.id)
    return true
  }

  /** Rows that were written by us and do not stand where they were: those that only stand behind one are as they were. */
  #nameSuspects(): void {
    const { key } = this.#expected
    const hashes = new Set(this.#suspects.flatMap(({ hash, before }) => [hash, ...before]))
    for (const { id, seq, mac, hash, isAfterSuspect, isLast } of this.#suspects) {
      const isAsItWas = isAfterSuspect && [...hashes].some((one) => hashOf(key.chain, one, seq, mac) === hash)
      if (!isAsItWas) this.#name(isLast && !isAfterSuspect ? 'changed' : 'moved', seq, id)
    }
    this.#suspects = []
  }

  #name(kind: TrailFaultKind, seq: number, id: string): void {
    this.#find({ kind, chain: this.#expected.chain, fromSeq: seq, toSeq: seq, id })
  }
}

/** The places of the checkpoints that must be there and are not. */
export function missingBlocks(
  chain: string,
  { from, to }: { readonly from: number; readonly to: number },
  blocks: Pick<ReadonlyMap<number, string>, 'has'>,
): readonly TrailFinding[] {
  const findings: TrailFinding[] = []
  const first = (Math.floor(from / blockCount) + 1) * blockCount
  for (let seq = first; seq <= to && findings.length < suspectCount; seq += blockCount)
    if (!blocks.has(seq))
      findings.push({ kind: 'checkpoint-removed', chain, fromSeq: seq, toSeq: seq, id: null })
  return findings
}
