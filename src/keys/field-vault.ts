import {
  blindIndexes,
  type FieldValue,
  isFieldValue,
  keyIdOf,
  openField,
  sealField,
} from '../crypto/index.ts'
import type { FieldVault } from '../data/index.ts'
import { Problem } from '../errors/index.ts'
import type { LiveKeyRing } from './ring.ts'

/**
 * What the scoped database seals and opens encrypted columns with.
 *
 * @example new OwnedRows(database, resources, { vault: fieldVault(ring) })
 */
export function fieldVault(ring: LiveKeyRing): FieldVault {
  return {
    keyCount: () => ring.ids.length,
    seal: (place, value) => sealField(ring, place, fieldValue(place.table, place.column, value)),
    open(place, stored) {
      const id = keyIdOf(stored)
      if (id === null || ring.byId(id) !== undefined) return openField(ring, place, stored)
      // Another node may have rotated the keys since the last reading.
      return ring.find(id).then(() => openField(ring, place, stored))
    },
    blindIndexes: (table, column, value) =>
      blindIndexes(ring, table, column, fieldValue(table, column, value)),
  }
}

function fieldValue(table: string, column: string, value: unknown): FieldValue {
  if (isFieldValue(value)) return value
  throw new Problem('INTERNAL', `"${table}.${column}" is encrypted and holds text, numbers and booleans`)
}
