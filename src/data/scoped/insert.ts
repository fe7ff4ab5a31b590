import {
  AliasNode,
  ColumnNode,
  IdentifierNode,
  type InsertQueryNode,
  type OnConflictNode,
  type OperationNode,
  SelectionNode,
  type SelectQueryNode,
  SetOperationNode,
  ValueListNode,
  ValuesNode,
  WhereNode,
} from 'kysely'
import { newId } from '../../base/index.ts'
import type { Resource, ServerFill } from '../resource.ts'
import { changeStamps, isServerColumn, requireWritable } from './columns.ts'
import { alsoWhere, compare, value } from './nodes.ts'
import { parentOwned, rowPredicate } from './predicate.ts'
import { refusal } from './refuse.ts'
import type { Rewriting } from './rewriting.ts'

/**
 * An insert whose rows can only be the caller's: the owner and the server's columns are stamped, and a row that
 * belongs to a parent is inserted only where the caller owns that parent.
 *
 * @throws `INTERNAL` for inserts that cannot be held to that.
 */
export function ownedInsert(
  node: InsertQueryNode,
  resource: Resource,
  rewriting: Rewriting,
): InsertQueryNode {
  const { userId } = rewriting.scope
  if (userId === null || resource.owner.kind === 'shared')
    throw refusal(`nobody may insert into "${resource.table}" here`)
  if (node.replace === true || node.orAction !== undefined || node.onDuplicateKey !== undefined) {
    // REPLACE deletes the row in its way, whoever owns it.
    throw refusal('replace and "or" actions reach rows of others; use on conflict')
  }
  if (node.values === undefined || !ValuesNode.is(node.values))
    throw refusal('insert takes values, not a query')
  const columns = (node.columns ?? []).map((column) => column.column.name)
  const named = columns.find((column) => isServerColumn(resource, column))
  if (named !== undefined) throw refusal(`"${resource.table}.${named}" belongs to the server`)
  const stamps = insertStamps(resource, userId, rewriting.now)
  const rows = node.values.values.map((row) => [
    ...(ValueListNode.is(row) ? row.values : row.values.map(value)),
    ...stamps.map(([, stamp]) => value(stamp())),
  ])
  return {
    ...node,
    columns: [...(node.columns ?? []), ...stamps.map(([column]) => ColumnNode.create(column))],
    values:
      resource.owner.kind === 'column'
        ? plainRows(rows)
        : childRows(rows, columns, resource.owner, rewriting, userId),
    ...(node.onConflict === undefined
      ? {}
      : { onConflict: ownedConflict(node.onConflict, resource, rewriting) }),
  }
}

type Stamp = readonly [column: string, make: () => string | number]

function insertStamps(resource: Resource, userId: string, now: string): Stamp[] {
  const fills: Readonly<Record<Exclude<ServerFill, 'handler'>, () => string | number>> = {
    uuid: () => newId(),
    created: () => now,
    changed: () => now,
    revision: () => 1,
  }
  const stamps: Stamp[] = []
  if (resource.owner.kind === 'column') stamps.push([resource.owner.column, () => userId])
  for (const [column, fill] of Object.entries(resource.server)) {
    if (fill !== 'handler' && column !== stamps[0]?.[0]) stamps.push([column, fills[fill]])
  }
  return stamps
}

function plainRows(rows: readonly OperationNode[][]): ValuesNode {
  return ValuesNode.create(rows.map((row) => ValueListNode.create(row)))
}

/** `select … where exists (the parent is the caller's) union all …`, one select for each row. */
function childRows(
  rows: readonly OperationNode[][],
  columns: readonly string[],
  owner: { readonly table: string; readonly column: string },
  { resources }: Rewriting,
  userId: string,
): SelectQueryNode {
  const place = columns.indexOf(owner.column)
  const selects = rows.map((row): SelectQueryNode => {
    const parentKey = row[place]
    if (parentKey === undefined) throw refusal(`an insert names its parent in "${owner.column}"`)
    return {
      kind: 'SelectQueryNode',
      selections: row.map(selected),
      where: WhereNode.create(parentOwned(resources, owner.table, parentKey, userId)),
    }
  })
  const [first, ...others] = selects
  if (first === undefined) throw refusal('an insert without rows')
  return { ...first, setOperations: others.map((select) => SetOperationNode.create('union', select, true)) }
}

function selected(node: OperationNode, index: number): SelectionNode {
  if (node.kind === 'DefaultInsertValueNode') throw refusal('a row with a parent names every column')
  return SelectionNode.create(AliasNode.create(node, IdentifierNode.create(`column_${index}`)))
}

function ownedConflict(node: OnConflictNode, resource: Resource, rewriting: Rewriting): OnConflictNode {
  if (node.doNothing === true || node.updates === undefined) return node
  for (const { column } of node.updates) requireWritable(resource, column)
  const predicate = rowPredicate(rewriting.resources, resource, 'update', rewriting.scope)
  const mayChange = predicate.kind === 'every-row' ? compare(value(1), '=', value(1)) : predicate.where
  return {
    ...node,
    updates: [...node.updates, ...changeStamps(resource, rewriting.now)],
    // Without this, a unique key that collides with another's row would let the caller overwrite it.
    updateWhere: alsoWhere(node.updateWhere, mayChange),
  }
}
