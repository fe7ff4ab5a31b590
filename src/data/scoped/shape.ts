import { type OperationNode, PrimitiveValueListNode, ValueNode } from 'kysely'
import { refusal } from './refuse.ts'
import { Slot } from './slot.ts'

/** A query without its values, and its values. */
export interface Shape {
  /** The same text for two queries exactly when only their values differ. */
  readonly key: string
  /** The values, in the order of the tree. */
  readonly values: readonly unknown[]
}

/** Reads the shape of a query: one walk, much cheaper than rewriting and compiling it. */
export function shapeOf(node: OperationNode): Shape {
  const values: unknown[] = []
  return { key: describe(node, values), values }
}

function describe(part: unknown, values: unknown[]): string {
  switch (typeof part) {
    // The length in front keeps neighbours apart: no text can pretend to be the end of another.
    case 'string':
      return `${part.length}"${part}`
    case 'number':
    case 'boolean':
      return `${String(part)};`
    case 'undefined':
      return '-'
    case 'object':
      break
    default:
      throw refusal(`a ${typeof part} inside of a query`)
  }
  if (part === null) return '0'
  if (Array.isArray(part)) {
    let key = '['
    for (const item of part) key += describe(item, values)
    return `${key}]`
  }
  if (isValue(part)) {
    if (part.immediate === true) return `!${literal(part.value)}`
    values.push(part.value)
    return '?'
  }
  if (isValueList(part)) {
    values.push(...part.values)
    return `?${part.values.length};`
  }
  let key = '{'
  for (const name of Object.keys(part)) {
    const member: unknown = Reflect.get(part, name)
    if (member !== undefined) key += name + describe(member, values)
  }
  return `${key}}`
}

// Kysely writes these into the text of the query as they are.
function literal(value: unknown): string {
  if (value === null || typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value)))
    return `${String(value)};`
  throw refusal('a literal that is no number, boolean or null')
}

function isValue(part: object): part is ValueNode {
  return 'kind' in part && part.kind === 'ValueNode'
}

function isValueList(part: object): part is PrimitiveValueListNode {
  return 'kind' in part && part.kind === 'PrimitiveValueListNode'
}

/** The same tree with a slot in the place of each value, numbered as {@link shapeOf} found them. */
export function withSlots<T>(node: T): T {
  let count = 0
  const slot = (): Slot => {
    const index = count++
    return new Slot(({ values }) => values[index])
  }
  const copy = (part: unknown): unknown => {
    if (typeof part !== 'object' || part === null) return part
    if (Array.isArray(part)) return part.map(copy)
    if (isValue(part)) return part.immediate === true ? part : ValueNode.create(slot())
    if (isValueList(part)) return PrimitiveValueListNode.create(part.values.map(slot))
    return Object.fromEntries(Object.entries(part).map(([name, member]) => [name, copy(member)]))
  }
  // A copy of a tree is a tree of the same type; only the values inside of its value nodes differ.
  return copy(node) as T
}
