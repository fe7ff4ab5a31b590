import { setImmediate as nextTurn } from 'node:timers/promises'
import type { MigrationDatabase } from '../data/index.ts'
import { blockCount, type ChainHead, type SignedCheckpoint } from './checkpoints.ts'
import type { TrailKeys } from './keys.ts'
import { chainNames, headsSaid, type KnownChain, readChain } from './known-chains.ts'
import { eventsTable } from './migration.ts'
import { isOurs } from './row.ts'
import { type LastRow, maxSeq, missingBlocks, type TrailFinding, verifyChain } from './verify-chain.ts'

/** How a trail is verified. */
export interface VerifyOptions {
  /** Told now and then how many rows have been looked at, and how many there are. */
  readonly onProgress?: ((doneCount: number, allCount: number) => void) | undefined
  /** How far chains had come, from copies outside of the database, such as the log. */
  readonly heads?: readonly ChainHead[] | undefined
}

/** What came of verifying. */
export interface TrailReport {
  readonly rowCount: number
  readonly chainCount: number
  readonly checkpointCount: number
  /** Rows of ours that have no place yet: on their way, or of a process that has died. */
  readonly unsealedCount: number
  /** The first hundred, and how many there are. */
  readonly findings: readonly TrailFinding[]
  readonly findingCount: number
}

const shownCount = 100
const pageCount = 500

/**
 * Verifies the whole trail: every row, every checkpoint, and what each chain says of the others. It finds and names
 * what was changed, removed, moved or put there. It reads page by page, while the trail is written.
 *
 * @see OWASP ASVS 5.0 §16.4.2
 * @example const { findings } = await verifyTrail(db, trailKeys(secret, null))
 */
export async function verifyTrail(
  db: MigrationDatabase,
  keys: TrailKeys,
  options: VerifyOptions = {},
): Promise<TrailReport> {
  const findings: TrailFinding[] = []
  let findingCount = 0
  const find = (finding: TrailFinding): void => {
    findingCount += 1
    if (findings.length < shownCount) findings.push(finding)
  }
  const allCount = await rowsIn(db)
  let rowCount = 0
  const verified = (count: number): void => {
    rowCount += count
    options.onProgress?.(rowCount, allCount)
  }
  const names = await chainNames(db)
  const heads = await headsSaid(db, keys, names)
  let checkpointCount = 0
  const all = new Set([...names, ...heads.keys(), ...(options.heads ?? []).map(({ chain }) => chain)])
  for (const chain of [...all].sort()) {
    const said = [
      ...(heads.get(chain) ?? []),
      ...(options.heads ?? []).filter((head) => head.chain === chain),
    ]
    const verdict = await verifyUndisturbed(db, keys, chain, { said, verified })
    checkpointCount += verdict.checkpointCount
    for (const finding of verdict.findings) find(finding)
    // Of a trail that somebody has worked on, the first findings say enough.
    findingCount += verdict.moreCount
    // SQLite answers at once: of thousands of small chains, requests would wait for all.
    await nextTurn()
  }
  const unsealedCount = await findUnsealed(db, keys, find)
  return { rowCount, chainCount: all.size, checkpointCount, unsealedCount, findings, findingCount }
}

interface ChainVerdict {
  readonly findings: readonly TrailFinding[]
  /** How many more there are. */
  readonly moreCount: number
  readonly checkpointCount: number
  readonly prunedSeq: number
}

interface ChainVerifying {
  /** What is said of it elsewhere. */
  readonly said: readonly ChainHead[]
  readonly verified: (rowCount: number) => void
}

/** Verifies a chain, and again when it was pruned or closed in the middle of it. */
async function verifyUndisturbed(
  db: MigrationDatabase,
  keys: TrailKeys,
  chain: string,
  verifying: ChainVerifying,
): Promise<ChainVerdict> {
  let known = await readChain(db, keys, chain)
  let verdict = await verifyKnown(db, keys, known, verifying)
  // What is read one after the other may be of different moments. It is disturbed once or twice in its life.
  for (let round = 0; round < 3 && verdict.findings.length > 0; round += 1) {
    const now = await readChain(db, keys, chain)
    if (standingText(now) === standingText(known)) return verdict
    known = now
    verdict = await verifyKnown(db, keys, known, { ...verifying, verified: () => undefined })
  }
  return verdict
}

function standingText({ row, prunedSeq, pruned, closed }: KnownChain): string {
  return JSON.stringify([row, prunedSeq, pruned?.signature, closed?.signature])
}

async function verifyKnown(
  db: MigrationDatabase,
  keys: TrailKeys,
  known: KnownChain,
  { said, verified }: ChainVerifying,
): Promise<ChainVerdict> {
  const { chain, key, pruned, prunedSeq, newest, blocks, forged } = known
  const findings: TrailFinding[] = [...forged]
  let moreCount = 0
  const find = (finding: TrailFinding): void => {
    if (findings.length < shownCount) findings.push(finding)
    else moreCount += 1
  }
  const checkpointCount =
    blocks.size + [known.start, known.head, known.closed, pruned].filter((one) => one !== null).length
  const verdict = () => ({ findings, moreCount, checkpointCount, prunedSeq })
  if (key === null) {
    find({ kind: 'key-unknown', ...whole(chain) })
    return verdict()
  }
  if (prunedSeq > 0 && pruned?.seq !== prunedSeq)
    find({ kind: 'pruned-unsigned', chain, fromSeq: 1, toSeq: prunedSeq, id: null })
  const from = pruned?.seq ?? 0
  const signed = [...signedOf(known, from), ...said.filter(({ seq }) => seq > from)]
  const last = await verifyChain(db, { chain, key, keys, start: pruned, known: signed }, { find, verified })
  for (const id of await idsAtStrangePlaces(db, chain))
    find({ kind: 'forged', chain, fromSeq: null, toSeq: null, id })
  if (isRemoved(known, last, signed.length > 0)) find({ kind: 'chain-removed', ...whole(chain) })
  else for (const finding of standingFindings(known, last)) find(finding)
  for (const finding of missingBlocks(chain, { from, to: newest?.seq ?? from }, blocks)) find(finding)
  return verdict()
}

/** Whether a chain is not there any more, or the table of chains does not know it. */
function isRemoved({ row, start, pruned }: KnownChain, last: LastRow | null, isSigned: boolean): boolean {
  if (row === null) return last !== null || start !== null || isSigned
  return last === null && pruned === null
}

/** What a chain's own checkpoints say of the rows that must be there. */
export function signedOf({ chain, blocks, head, closed }: KnownChain, from: number): readonly ChainHead[] {
  const own = [...blocks].map(([seq, hash]): ChainHead => ({ chain, seq, hash }))
  return [...own, head, closed].filter((one) => one !== null).filter(({ seq }) => seq > from)
}

// Signed a minute apart, by one clock that may be set.
const headLagMs = 600_000

/** What is wrong with what the tables say of a chain, beside its rows. */
function standingFindings(known: KnownChain, last: LastRow | null): readonly TrailFinding[] {
  const { chain, row, start, head, closed, pruned, prunedSeq, newest } = known
  const findings: TrailFinding[] = []
  const changed = (): void => void findings.push({ kind: 'chain-changed', ...whole(chain) })
  const missing = (seq: number): void =>
    void findings.push({ kind: 'checkpoint-removed', chain, fromSeq: seq, toSeq: seq, id: null })
  if (start === null) missing(0)
  else if (start.at !== row?.startedAt) changed()
  if ((row?.closedAt ?? null) !== (closed?.at ?? null)) {
    if (closed === null) missing(newest?.seq ?? 0)
    else changed()
  }
  if ((pruned?.seq ?? 0) !== prunedSeq) changed()
  if (head === null || isLagging(head, newest)) missing(newest?.seq ?? 0)
  if (closed !== null && last !== null && last.seq > closed.seq)
    findings.push({ kind: 'forged', chain, fromSeq: closed.seq + 1, toSeq: last.seq, id: null })
  return findings
}

/** A head is signed with the rows when they are that many, or that old: one that is further behind was put back. */
function isLagging(head: SignedCheckpoint, newest: KnownChain['newest']): boolean {
  if (newest === null || newest.seq <= head.seq) return false
  if (newest.seq - head.seq >= blockCount) return true
  return Date.parse(newest.at) - Date.parse(head.at) > headLagMs
}

function whole(chain: string) {
  return { chain, fromSeq: null, toSeq: null, id: null }
}

/** Rows with a place that we never give, which reading in order would pass by. */
async function idsAtStrangePlaces(db: MigrationDatabase, chain: string): Promise<readonly string[]> {
  const found: string[] = []
  for (const [operator, seq] of [
    ['<', 1],
    ['>', maxSeq],
  ] as const) {
    const rows = await db
      .selectFrom(eventsTable)
      .select('id')
      .where('chain', '=', chain)
      .where('seq', operator, seq)
      .limit(shownCount)
      .execute()
    found.push(...rows.map(({ id }) => String(id)))
  }
  return found
}

// Rows of a process that died before it could seal them say by their MAC that they are ours.
async function findUnsealed(
  db: MigrationDatabase,
  keys: TrailKeys,
  find: (finding: TrailFinding) => void,
): Promise<number> {
  let unsealedCount = 0
  let after = ''
  for (;;) {
    const rows = await db
      .selectFrom(eventsTable)
      .selectAll()
      .where('seq', 'is', null)
      .where('id', '>', after)
      .orderBy('id')
      .limit(pageCount)
      .execute()
    for (const row of rows) {
      const { chain, id } = row
      if (isOurs(row, keys) && row['hash'] === null) unsealedCount += 1
      else find({ kind: 'forged', chain: String(chain), fromSeq: null, toSeq: null, id: String(id) })
    }
    if (rows.length < pageCount) return unsealedCount
    after = String(rows.at(-1)?.['id'])
  }
}

async function rowsIn(db: MigrationDatabase): Promise<number> {
  const row = await db
    .selectFrom(eventsTable)
    .select((eb) => eb.fn.countAll().as('count'))
    .executeTakeFirst()
  return Number(row?.['count'] ?? 0)
}
