import { sql } from 'kysely'
import type { MigrationDatabase } from '../data/index.ts'
import { type ChainHead, checkpointOf, type SignedCheckpoint } from './checkpoints.ts'
import type { TrailKey, TrailKeys } from './keys.ts'
import { chainsTable, checkpointsTable, eventsTable } from './migration.ts'
import type { LastRow, TrailFinding } from './verify-chain.ts'

/** A chain, and all that is said of it. */
export interface KnownChain {
  readonly chain: string
  /** `null` for a chain that was sealed with a secret which is not known here. */
  readonly key: TrailKey | null
  /** What the table of chains says; `null` when it does not know it. */
  readonly row: { readonly startedAt: string; readonly closedAt: string | null } | null
  /** How many of its rows were pruned, as the table says. */
  readonly prunedSeq: number
  /** Its last row, as it was before the rest was read: the rest must speak of it. */
  readonly newest: Pick<LastRow, 'seq' | 'at'> | null
  /** The signed record of the farthest pruning. */
  readonly pruned: SignedCheckpoint | null
  readonly start: SignedCheckpoint | null
  readonly head: SignedCheckpoint | null
  readonly closed: SignedCheckpoint | null
  /** The hash of each block, by its place. */
  readonly blocks: ReadonlyMap<number, string>
  /** Checkpoints that none of the keys has signed. */
  readonly forged: readonly TrailFinding[]
}

/** Every chain that any of the tables knows, by its name. */
export async function chainNames(db: MigrationDatabase): Promise<readonly string[]> {
  const registered = await db.selectFrom(chainsTable).select('chain').execute()
  const names = new Set(registered.map(({ chain }) => String(chain)))
  for (const table of [checkpointsTable, eventsTable])
    for (const chain of await chainsIn(db, table)) names.add(chain)
  return [...names].sort()
}

/** The chains in a table, by one look at its index for each. */
async function chainsIn(db: MigrationDatabase, table: string): Promise<readonly string[]> {
  const found: string[] = []
  for (;;) {
    const row = await db
      .selectFrom(table)
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

/** How far each chain had come, as the checkpoints of the others say: the farthest place of each. */
export async function headsSaid(
  db: MigrationDatabase,
  keys: TrailKeys,
  names: readonly string[],
): Promise<ReadonlyMap<string, readonly ChainHead[]>> {
  const heads = new Map<string, readonly ChainHead[]>()
  for (const name of names) {
    const rows = await checkpointsOf(db, name, ['start', 'head', 'closed'])
    for (const row of rows) {
      const checkpoint = checkpointOf(row, keys)
      for (const head of checkpoint?.heads ?? [])
        heads.set(head.chain, farther(heads.get(head.chain) ?? [], head))
    }
  }
  return heads
}

/** The farthest; a second one for the same place too, when it says something else. */
function farther(known: readonly ChainHead[], head: ChainHead): readonly ChainHead[] {
  const seq = known[0]?.seq ?? 0
  if (head.seq > seq) return [head]
  return head.seq === seq && known.every(({ hash }) => hash !== head.hash) ? [...known, head] : known
}

/** Reads what the tables say of a chain. What is signed by nobody that we know is told, and not believed. */
export async function readChain(db: MigrationDatabase, keys: TrailKeys, chain: string): Promise<KnownChain> {
  const newest = await newestOf(db, chain)
  const row = await db
    .selectFrom(chainsTable)
    .select(['keyId', 'startedAt', 'closedAt', textOf('prunedSeq').as('prunedText')])
    .where('chain', '=', chain)
    .executeTakeFirst()
  const blocks = new Map<number, string>()
  const statements = new Map<SignedCheckpoint['kind'], SignedCheckpoint>()
  const forged: TrailFinding[] = []
  for (const raw of await checkpointsOf(db, chain, undefined)) {
    const checkpoint = checkpointOf(raw, keys)
    const seq = Number(raw['seq'])
    if (checkpoint === null)
      forged.push({ kind: 'checkpoint-forged', chain, fromSeq: seq, toSeq: seq, id: null })
    else if (checkpoint.kind === 'block') blocks.set(seq, checkpoint.hash)
    else if ((statements.get(checkpoint.kind)?.seq ?? -1) < seq) statements.set(checkpoint.kind, checkpoint)
  }
  const said = (kind: SignedCheckpoint['kind']): SignedCheckpoint | null => statements.get(kind) ?? null
  return {
    chain,
    // A chain that the table does not know any more was sealed with one of the keys all the same.
    key: row === undefined ? keys[0] : (keys.find(({ id }) => id === row.keyId) ?? null),
    row: row === undefined ? null : { startedAt: String(row.startedAt), closedAt: textOrNull(row.closedAt) },
    prunedSeq: Number(row?.prunedText ?? 0),
    newest,
    pruned: said('pruned'),
    start: said('start'),
    head: said('head'),
    closed: said('closed'),
    blocks,
    forged,
  }
}

async function checkpointsOf(
  db: MigrationDatabase,
  chain: string,
  kinds: readonly string[] | undefined,
): Promise<readonly Readonly<Record<string, unknown>>[]> {
  let query = db
    .selectFrom(checkpointsTable)
    .select(['chain', 'kind', textOf('seq').as('seqText'), 'hash', 'at', 'heads', 'signature'])
    .where('chain', '=', chain)
  if (kinds !== undefined) query = query.where('kind', 'in', kinds)
  return (await query.execute()).map(({ seqText, ...row }) => ({ ...row, seq: seqText }))
}

async function newestOf(db: MigrationDatabase, chain: string): Promise<KnownChain['newest']> {
  const row = await db
    .selectFrom(eventsTable)
    .select([textOf('seq').as('seqText'), 'at'])
    .where('chain', '=', chain)
    .where('seq', 'is not', null)
    .orderBy('seq', 'desc')
    .limit(1)
    .executeTakeFirst()
  return row === undefined ? null : { seq: Number(row.seqText), at: String(row.at) }
}

// SQLite takes any number in any column; one that JavaScript cannot hold is read as text, and does not fit.
function textOf(column: string) {
  return sql<string>`cast(${sql.ref(column)} as text)`
}

function textOrNull(value: unknown): string | null {
  return value === null || value === undefined ? null : String(value)
}
