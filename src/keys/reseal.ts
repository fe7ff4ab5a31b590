import {
  blindIndex,
  blindIndexPrefix,
  type DataKey,
  type KeyRing,
  keyIdOf,
  openField,
  sealField,
} from '../crypto/index.ts'
import { Problem } from '../errors/index.ts'
import type { EncryptedColumn, EncryptedTable } from './columns.ts'
import type { StaleRow } from './stale.ts'

/** A row that was left as it is. It says where, and never what. */
export interface RowFailure {
  readonly table: string
  readonly key: string | number
  /** `null` when it is about the whole row. */
  readonly column: string | null
  readonly reason: string
}

/** What to write into a row, and what must still stand there. */
export interface RowChange {
  readonly key: string | number
  readonly set: Readonly<Record<string, string | null>>
  readonly expected: Readonly<Record<string, string | null>>
}

/** A row under the active key, as far as it opens. */
export interface ResealedRow {
  readonly change: RowChange | undefined
  readonly failures: readonly RowFailure[]
}

/** Opens what is not under the active key and seals it anew, with the blind index. */
export function resealedRow(
  table: EncryptedTable,
  row: StaleRow,
  ring: KeyRing,
  active: DataKey,
): ResealedRow {
  const set: Record<string, string | null> = {}
  const expected: Record<string, string | null> = {}
  const failures: RowFailure[] = []
  for (const column of table.columns) {
    try {
      const patch = resealedColumn(table, row, column, { ring, active })
      if (patch === undefined) continue
      Object.assign(set, patch)
      for (const name of [column.column, ...Object.keys(patch)]) expected[name] = textOf(row.stored[name])
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      failures.push({ table: table.table, key: row.key, column: column.column, reason: error.reason })
    }
  }
  return { change: Object.keys(set).length === 0 ? undefined : { key: row.key, set, expected }, failures }
}

function resealedColumn(
  { table }: EncryptedTable,
  { key, stored }: StaleRow,
  { column, index }: EncryptedColumn,
  { ring, active }: { readonly ring: KeyRing; readonly active: DataKey },
): Record<string, string | null> | undefined {
  const text = textOf(stored[column])
  const found = index === undefined ? null : textOf(stored[index])
  if (text === null) return index === undefined || found === null ? undefined : { [index]: null }
  const isIndexed = index === undefined || found?.startsWith(blindIndexPrefix(active.id)) === true
  const isSealed = keyIdOf(text) === active.id
  if (isSealed && isIndexed) return undefined
  const place = { table, column, row: String(key) }
  const value = openField(ring, place, text)
  const pinned = { active, keys: [active], byId: (id: string) => ring.byId(id) }
  return {
    ...(isSealed ? {} : { [column]: sealField(pinned, place, value) }),
    ...(index === undefined ? {} : { [index]: blindIndex(active, table, column, value) }),
  }
}

function textOf(value: unknown): string | null {
  if (value === null || value === undefined) return null
  return String(value)
}
