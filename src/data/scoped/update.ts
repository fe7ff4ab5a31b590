import type { OperationNode, UpdateQueryNode } from 'kysely'
import {
  AndNode,
  BinaryOperationNode,
  type ColumnUpdateNode,
  OperatorNode,
  ParensNode,
  ReferenceNode,
} from 'kysely'
import type { Resource } from '../resource.ts'
import { boundBy, indexed, sealed, set, setColumn } from './columns.ts'
import { columnName } from './references.ts'
import { refusal } from './refuse.ts'
import type { Rewriting } from './rewriting.ts'
import type { Run } from './slot.ts'

/**
 * The columns that an update sets, encrypted ones sealed.
 *
 * @throws `INTERNAL` when an encrypted column is set without naming its row: a ciphertext belongs to one row.
 */
export function sealedUpdates(
  { updates = [], where }: UpdateQueryNode,
  { resource, at }: { readonly resource: Resource; readonly at: string },
  rewriting: Rewriting,
): ColumnUpdateNode[] {
  const { encrypted, lookup } = resource.columns
  return updates.flatMap((update) => {
    const column = setColumn(update.column)
    if (!encrypted.includes(column)) return [update]
    const plain = boundBy(update.value)
    const key = where === undefined ? undefined : keyIn(where.where, resource, at)
    if (plain === undefined || key === undefined) {
      throw refusal(
        `"${resource.table}.${column}" is encrypted: set it to a value, where "${resource.key}" is one value`,
      )
    }
    const index = lookup[column]
    return [
      set(column, sealed(resource, column, rewriting, { key, plain })),
      ...(index === undefined ? [] : [set(index, indexed(resource, column, rewriting, plain))]),
    ]
  })
}

/** The value of `key = value` where it stands among conditions that must all hold. */
export function keyIn(
  node: OperationNode,
  resource: Resource,
  at: string,
): ((run: Run) => unknown) | undefined {
  if (ParensNode.is(node)) return keyIn(node.node, resource, at)
  if (AndNode.is(node)) return keyIn(node.left, resource, at) ?? keyIn(node.right, resource, at)
  if (!BinaryOperationNode.is(node) || !OperatorNode.is(node.operator) || node.operator.operator !== '=')
    return undefined
  const { leftOperand } = node
  if (!ReferenceNode.is(leftOperand) || columnName(leftOperand.column) !== resource.key) return undefined
  const table = leftOperand.table?.table.identifier.name
  return table === undefined || table === at ? boundBy(node.rightOperand) : undefined
}
