import { Secret } from '../base/index.ts'
import { unguessableBytes } from '../crypto/index.ts'
import type { MigrationDatabase } from '../data/index.ts'
import { KeyFault } from './fault.ts'
import { keysTable } from './migration.ts'

/** How a key stands in the table: the newest one is `active`, also while it waits for its time. */
export type StoredState = 'active' | 'decrypting' | 'destroyed'

/** One row of the table of keys. Times are ISO 8601 in UTC with milliseconds. */
export interface KeyRecord {
  readonly id: string
  readonly state: StoredState
  /** `null` once it is destroyed. */
  readonly wrapped: string | null
  readonly createdAt: string
  /** From when on it seals. Every node knows the key before that. */
  readonly activeFrom: string
  /** From when on the next one seals. */
  readonly retiredAt: string | null
  readonly destroyedAt: string | null
}

/** Every key there has ever been, newest first. @throws KeyFault when the table holds something else. */
export async function readRecords(db: MigrationDatabase): Promise<readonly KeyRecord[]> {
  const rows = await db.selectFrom(keysTable).selectAll().execute()
  return rows.map(recordOf).sort((a, b) => compare(b.activeFrom, a.activeFrom) || compare(b.id, a.id))
}

/** Makes a data key with an id. */
export function makeDataKey(): { readonly id: string; readonly key: Secret<Buffer> } {
  return { id: unguessableBytes(16).toString('hex', 0, 4), key: new Secret(unguessableBytes(32)) }
}

/** A time as the table holds it. @param time Milliseconds since 1970. */
export function isoTime(time: number): string {
  return new Date(time).toISOString()
}

function recordOf(row: Readonly<Record<string, unknown>>): KeyRecord {
  const state = states.find((word) => word === row['state'])
  const id = row['id']
  if (state === undefined || typeof id !== 'string' || !/^[a-z0-9]{8}$/.test(id))
    throw new KeyFault(`The table ${keysTable} holds a row that is no key. Restore it from a backup.`)
  return {
    id,
    state,
    wrapped: textOf(row['wrapped']),
    createdAt: timeOf(id, row['createdAt']),
    activeFrom: timeOf(id, row['activeFrom']),
    retiredAt: row['retiredAt'] === null ? null : timeOf(id, row['retiredAt']),
    destroyedAt: row['destroyedAt'] === null ? null : timeOf(id, row['destroyedAt']),
  }
}

const states: readonly StoredState[] = ['active', 'decrypting', 'destroyed']

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}

function timeOf(id: string, value: unknown): string {
  if (typeof value === 'string' && !Number.isNaN(Date.parse(value))) return value
  throw new KeyFault(`The key ${id} in ${keysTable} has no valid times. Restore the table from a backup.`)
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b)
}
