import type { MigrationDatabase } from '../data/index.ts'
import { type ChainHead, checkpointMessage, checkpointOf, type SignedCheckpoint } from './checkpoints.ts'
import type { TrailKey, TrailKeys } from './keys.ts'
import { chainsTable, checkpointsTable, eventsTable } from './migration.ts'
import { isOursUnsealed } from './row.ts'
import { missingCheckpoints, type TrailFinding, verifyChain } from './verify-chain.ts'

/** How a trail is verified. */
export interface VerifyOptions {
  /** Told now and then how many rows have been looked at, and how many there are. */
  readonly onProgress?: ((doneCount: number, allCount: number) => void) | undefined
  /** Rows without a place that are younger than this, in milliseconds, are on their way; five minutes unless given. */
  readonly graceMs?: number
  readonly nowMs?: () => number
}

/** What came of verifying. */
export interface TrailReport {
  readonly rowCount: number
  readonly chainCount: number
  readonly checkpointCount: number
  /** The first hundred, and how many there are. */
  readonly findings: readonly TrailFinding[]
  readonly findingCount: number
}

/** A chain, and all that is said of it. */
export interface KnownChain {
  readonly chain: string
  readonly key: TrailKey | null
  /** False when the table of chains does not know it any more. */
  readonly isRegistered: boolean
  /** How many of its rows were pruned, as the table says. */
  readonly prunedSeq: number
  readonly pruned: readonly SignedCheckpoint[]
  readonly reached: readonly SignedCheckpoint[]
  /** What checkpoints of other chains say of it. */
  readonly heads: readonly ChainHead[]
}

const defaultGraceMs = 300_000
const shownCount = 100
const unsealedCount = 1_000

/**
 * Verifies the whole trail: every row, every checkpoint, and what each chain says of the others. It finds and names
 * what was changed, removed, moved or put there.
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
  const { chains, checkpointCount } = await readChains(db, keys, find)
  for (const known of chains) await verifyKnown(db, known, { find, verified })
  await findUnsealed(db, keys, find, options)
  return { rowCount, chainCount: chains.length, checkpointCount, findings, findingCount }
}

/** The signed record that says how far a chain was pruned; `null` for one that was not. */
export function prunedHead({ prunedSeq, pruned }: KnownChain): SignedCheckpoint | null {
  return pruned.find(({ seq }) => seq === prunedSeq) ?? null
}

async function verifyKnown(
  db: MigrationDatabase,
  known: KnownChain,
  progress: { readonly find: (finding: TrailFinding) => void; readonly verified: (count: number) => void },
): Promise<void> {
  const { chain, key, prunedSeq } = known
  const whole = { chain, fromSeq: null, toSeq: null, id: null }
  if (key === null) {
    progress.find({ kind: 'key-unknown', ...whole })
    return
  }
  const start = prunedHead(known)
  if (prunedSeq > 0 && start === null)
    progress.find({ kind: 'pruned-unsigned', chain, fromSeq: 1, toSeq: prunedSeq, id: null })
  const from = start?.seq ?? 0
  const signed = [...known.reached, ...known.heads].filter(({ seq }) => seq > from)
  const last = await verifyChain(db, { chain, key, start, known: signed }, progress)
  if (last === null && signed.length > 0) progress.find({ kind: 'chain-removed', ...whole })
  for (const finding of missingCheckpoints(chain, from, last?.seq ?? from, known.reached))
    progress.find(finding)
}

/** Everything that the tables say of chains; a signature that is not ours is told, and what it signs not believed. */
export async function readChains(
  db: MigrationDatabase,
  keys: TrailKeys,
  find: (finding: TrailFinding) => void,
): Promise<{ readonly chains: readonly KnownChain[]; readonly checkpointCount: number }> {
  const registered = new Map(
    (await db.selectFrom(chainsTable).selectAll().execute()).map((row) => [String(row['chain']), row]),
  )
  const rows = await db.selectFrom(checkpointsTable).selectAll().orderBy('chain').orderBy('seq').execute()
  const good = rows.map(checkpointOf).filter((checkpoint) => {
    const { chain, seq } = checkpoint
    if (isSigned(checkpoint, keys)) return true
    find({ kind: 'checkpoint-forged', chain, fromSeq: seq, toSeq: seq, id: null })
    return false
  })
  const heads = farthestHeads(good)
  const names = new Set([
    ...registered.keys(),
    ...good.map(({ chain }) => chain),
    ...heads.keys(),
    ...(await chainsOfRows(db)),
  ])
  const byChain = Map.groupBy(good, ({ chain }) => chain)
  const chains = [...names].sort().map((chain): KnownChain => {
    const row = registered.get(chain)
    const said = byChain.get(chain) ?? []
    const head = heads.get(chain)
    // A chain that the table does not know any more was sealed with one of the keys all the same.
    const key = row === undefined ? keys[0] : (keys.find(({ id }) => id === row['keyId']) ?? null)
    return {
      chain,
      key,
      isRegistered: row !== undefined,
      prunedSeq: Number(row?.['prunedSeq'] ?? 0),
      pruned: said.filter(({ kind }) => kind === 'pruned'),
      reached: said.filter(({ kind }) => kind === 'reached'),
      heads: head === undefined ? [] : [head],
    }
  })
  return { chains, checkpointCount: rows.length }
}

function isSigned(checkpoint: SignedCheckpoint, keys: TrailKeys): boolean {
  const message = checkpointMessage(checkpoint)
  const signature = Buffer.from(checkpoint.signature, 'base64url')
  return keys.some(({ verify }) => verify(message, signature))
}

function farthestHeads(checkpoints: readonly SignedCheckpoint[]): ReadonlyMap<string, ChainHead> {
  const heads = new Map<string, ChainHead>()
  for (const head of checkpoints.flatMap((checkpoint) => checkpoint.heads))
    if ((heads.get(head.chain)?.seq ?? 0) < head.seq) heads.set(head.chain, head)
  return heads
}

/** The chains that there are rows of, by one look at the index for each. */
async function chainsOfRows(db: MigrationDatabase): Promise<readonly string[]> {
  const found: string[] = []
  for (;;) {
    const row = await db
      .selectFrom(eventsTable)
      .select('chain')
      .where('chain', '>', found.at(-1) ?? '')
      .where('seq', 'is not', null)
      .orderBy('chain')
      .limit(1)
      .executeTakeFirst()
    if (row === undefined) return found
    found.push(String(row['chain']))
  }
}

// Rows of a process that died before it could seal them say by their hash that they are ours.
async function findUnsealed(
  db: MigrationDatabase,
  keys: TrailKeys,
  find: (finding: TrailFinding) => void,
  { graceMs = defaultGraceMs, nowMs = Date.now }: VerifyOptions,
): Promise<void> {
  const rows = await db
    .selectFrom(eventsTable)
    .selectAll()
    .where('seq', 'is', null)
    .where('at', '<', new Date(nowMs() - graceMs).toISOString())
    .limit(unsealedCount)
    .execute()
  for (const row of rows.filter((one) => !isOursUnsealed(one, keys)))
    find({ kind: 'unsealed', chain: String(row['chain']), fromSeq: null, toSeq: null, id: String(row['id']) })
}

async function rowsIn(db: MigrationDatabase): Promise<number> {
  const row = await db
    .selectFrom(eventsTable)
    .select((eb) => eb.fn.countAll().as('count'))
    .executeTakeFirst()
  return Number(row?.['count'] ?? 0)
}
