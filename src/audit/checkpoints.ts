import type { MigrationDatabase } from '../data/index.ts'
import type { TrailKey, TrailKeys } from './keys.ts'
import { checkpointsTable } from './migration.ts'

/** How far a chain had come. */
export interface ChainHead {
  readonly chain: string
  readonly seq: number
  readonly hash: string
}

/** What a signed statement about a chain says. */
export type CheckpointKind =
  /** It began, at place 0. */
  | 'start'
  /** It has come to a place that is a multiple of {@link blockCount}. There is one for each. */
  | 'block'
  /** This far it has come. There is one, the newest. */
  | 'head'
  /** This is its end. */
  | 'closed'
  /** This far it has been verified and removed. */
  | 'pruned'

/** A signed statement about a chain. */
export interface Checkpoint extends ChainHead {
  readonly kind: CheckpointKind
  /** ISO 8601, UTC. */
  readonly at: string
  /** How far other chains had come by then. */
  readonly heads: readonly ChainHead[]
}

/** A checkpoint that is signed. */
export interface SignedCheckpoint extends Checkpoint {
  /** Ed25519, base64url. */
  readonly signature: string
}

/** Every so many rows of a chain a checkpoint stays. */
export const blockCount = 1_000

/** Signs a checkpoint and writes it; a newer head takes the place of the one before. */
export async function writeCheckpoint(
  db: MigrationDatabase,
  key: TrailKey,
  checkpoint: Checkpoint,
): Promise<SignedCheckpoint> {
  const { kind, chain, seq, hash, at } = checkpoint
  const heads = JSON.stringify(checkpoint.heads.map((head) => [head.chain, head.seq, head.hash]))
  const signature = key
    .sign(messageOf({ chain, kind, seq: String(seq), hash, at, heads }))
    .toString('base64url')
  if (kind === 'head')
    await db.deleteFrom(checkpointsTable).where('chain', '=', chain).where('kind', '=', 'head').execute()
  await db
    .insertInto(checkpointsTable)
    .values({ chain, kind, seq, hash, at, heads, signature })
    .onConflict((conflict) => conflict.columns(['chain', 'kind', 'seq']).doNothing())
    .execute()
  return { ...checkpoint, signature }
}

interface RawCheckpoint {
  readonly chain: string
  readonly kind: string
  readonly seq: string
  readonly hash: string
  readonly at: string
  /** JSON text. */
  readonly heads: string
}

function messageOf({ chain, kind, seq, hash, at, heads }: RawCheckpoint): Buffer {
  return Buffer.from(JSON.stringify(['checkpoint', chain, kind, seq, hash, at, heads]))
}

/**
 * Reads a row of the table.
 *
 * @param row With `seq` as text: a database may hold more than a number can.
 * @returns `null` for one that none of the keys has signed
 */
export function checkpointOf(
  row: Readonly<Record<string, unknown>>,
  keys: TrailKeys,
): SignedCheckpoint | null {
  const raw: RawCheckpoint = {
    chain: String(row['chain']),
    kind: String(row['kind']),
    seq: String(row['seq']),
    hash: String(row['hash']),
    at: String(row['at']),
    heads: String(row['heads']),
  }
  const message = messageOf(raw)
  const text = String(row['signature'])
  const signature = Buffer.from(text, 'base64url')
  // One spelling for each signature, so that a change of the text is a change.
  if (signature.toString('base64url') !== text || !keys.some(({ verify }) => verify(message, signature)))
    return null
  const kind = kinds.find((one) => one === raw.kind)
  if (kind === undefined) return null
  const { chain, hash, at } = raw
  return { chain, kind, seq: Number(raw.seq), hash, at, heads: headsIn(raw.heads), signature: text }
}

const kinds: readonly CheckpointKind[] = ['start', 'block', 'head', 'closed', 'pruned']

function headsIn(json: string): readonly ChainHead[] {
  const value: unknown = JSON.parse(json)
  return Array.isArray(value) ? value.map(headOf) : []
}

function headOf(value: unknown): ChainHead {
  const [chain, seq, hash]: unknown[] = Array.isArray(value) ? value : []
  return { chain: String(chain), seq: Number(seq), hash: String(hash) }
}

/** How far other chains have come that were written to since a time: what a checkpoint says of them. */
export async function otherHeads(
  db: MigrationDatabase,
  own: string,
  { since, limit }: { readonly since: string; readonly limit: number },
): Promise<readonly ChainHead[]> {
  const rows = await db
    .selectFrom(checkpointsTable)
    .select(['chain', 'seq', 'hash'])
    .where('kind', '=', 'head')
    .where('at', '>=', since)
    .where('chain', '<>', own)
    .orderBy('at', 'desc')
    .limit(limit)
    .execute()
  return rows.map((row) => ({
    chain: String(row['chain']),
    seq: Number(row['seq']),
    hash: String(row['hash']),
  }))
}
