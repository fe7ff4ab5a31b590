import type { Resource } from '../data/index.ts'
import { refusal, requireColumns } from '../orm/index.ts'

// Operators that compare a column with values. `Raw` is SQL; those of relations reach rows with rules of their own.
const knownOperators: ReadonlySet<string> = new Set([
  ...['equal', 'not', 'lessThan', 'lessThanOrEqual', 'moreThan', 'moreThanOrEqual'],
  ...['in', 'between', 'isNull', 'like', 'ilike', 'any', 'and', 'or'],
])

/** @throws `INTERNAL` for criteria that are not about the columns of the row itself, or that hold SQL */
export function requireCriteria(resource: Resource, criteria: unknown): void {
  for (const part of [criteria].flat()) {
    if (part === undefined) continue
    if (typeof part !== 'object' || part === null) throw refusal('criteria are objects: { id }')
    requireColumns(resource, Object.keys(part), 'a criterion')
    for (const value of Object.values(part)) requireValue(value)
  }
}

function requireValue(value: unknown): void {
  if (value === null || typeof value !== 'object') {
    if (typeof value === 'function' || typeof value === 'symbol') throw refusal('a criterion is a function')
    return
  }
  if (Array.isArray(value)) {
    for (const part of value) requireValue(part)
    return
  }
  if (value instanceof Date || value instanceof Uint8Array) return
  const type: unknown = Reflect.get(value, '_type')
  if (Reflect.get(value, '@instanceof') !== Symbol.for('FindOperator') || typeof type !== 'string')
    throw refusal('a criterion reaches into a relation')
  if (!knownOperators.has(type)) throw refusal(`the operator "${type}" is not known here`)
  requireValue(Reflect.get(value, '_value'))
}

/** Values of columns. @throws `INTERNAL` for a function: TypeORM writes what it gives as SQL */
export function requireValues(values: object): void {
  for (const value of Object.values(values)) {
    if (typeof value === 'function') throw refusal('a value is a function, which would be written as SQL')
    if (
      typeof value === 'object' &&
      value !== null &&
      !(value instanceof Date || value instanceof Uint8Array)
    )
      throw refusal('a value is an object: a relation, or a document that only Holdfast’s own db handles')
  }
}
