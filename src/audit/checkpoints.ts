import type { MigrationDatabase } from '../data/index.ts'
import type { TrailKey } from './keys.ts'
import { checkpointsTable } from './migration.ts'

/** How far a chain had come. */
export interface ChainHead {
  readonly chain: string
  readonly seq: number
  readonly hash: string
}

/** A signed statement about a chain: this far it had come, or this far it has been pruned. */
export interface Checkpoint extends ChainHead {
  readonly kind: 'reached' | 'pruned'
  /** ISO 8601, UTC. */
  readonly at: string
  /** How far other chains had come by then. */
  readonly heads: readonly ChainHead[]
}

/** A checkpoint as the table holds it. */
export interface SignedCheckpoint extends Checkpoint {
  /** Ed25519, base64url. */
  readonly signature: string
}

/** What is signed. */
export function checkpointMessage({ kind, chain, seq, hash, at, heads }: Checkpoint): Buffer {
  const others = heads.map((head) => [head.chain, head.seq, head.hash])
  return Buffer.from(JSON.stringify(['checkpoint', kind, chain, seq, hash, at, others]))
}

/** Signs a checkpoint and writes it. */
export async function writeCheckpoint(
  db: MigrationDatabase,
  key: TrailKey,
  checkpoint: Checkpoint,
): Promise<SignedCheckpoint> {
  const signature = key.sign(checkpointMessage(checkpoint)).toString('base64url')
  const heads = JSON.stringify(checkpoint.heads)
  await db
    .insertInto(checkpointsTable)
    .values({ ...checkpoint, heads, signature })
    .onConflict((conflict) => conflict.columns(['chain', 'seq', 'kind']).doNothing())
    .execute()
  return { ...checkpoint, signature }
}

const headCount = 1_000

/** The newest checkpoint of each other chain, of those made since a time: what a checkpoint says of others. */
export async function otherHeads(
  db: MigrationDatabase,
  own: string,
  since: string,
): Promise<readonly ChainHead[]> {
  const rows = await db
    .selectFrom(checkpointsTable)
    .select(['chain', 'seq', 'hash'])
    .where('chain', '<>', own)
    .where('kind', '=', 'reached')
    .where('at', '>=', since)
    .orderBy('at', 'desc')
    .limit(headCount)
    .execute()
  const newest = new Map<string, ChainHead>()
  for (const row of rows) {
    const head = { chain: String(row['chain']), seq: Number(row['seq']), hash: String(row['hash']) }
    if ((newest.get(head.chain)?.seq ?? 0) < head.seq) newest.set(head.chain, head)
  }
  return [...newest.values()]
}

/** Reads a row of the table; a field that is not what we write is kept as it is, for the signature to refuse. */
export function checkpointOf(row: Readonly<Record<string, unknown>>): SignedCheckpoint {
  return {
    chain: String(row['chain']),
    seq: Number(row['seq']),
    hash: String(row['hash']),
    kind: row['kind'] === 'pruned' ? 'pruned' : 'reached',
    at: String(row['at']),
    heads: headsIn(String(row['heads'])),
    signature: String(row['signature']),
  }
}

function headsIn(json: string): readonly ChainHead[] {
  try {
    const value: unknown = JSON.parse(json)
    return Array.isArray(value) ? value.map(headOf) : []
  } catch {
    return []
  }
}

function headOf(value: unknown): ChainHead {
  const fields: { chain?: unknown; seq?: unknown; hash?: unknown } =
    typeof value === 'object' && value !== null ? value : {}
  return { chain: String(fields.chain), seq: Number(fields.seq), hash: String(fields.hash) }
}
