import { AliasNode, IdentifierNode, type OperationNode, TableNode } from 'kysely'
import { assert } from '../../base/index.ts'
import { type Resource, type RowAction, type RowRule, resourceOf } from '../resource.ts'
import type { Scope } from '../scope.ts'
import { allOf, anyOf, columnOf, compare, exists, value } from './nodes.ts'

/** What a caller may do to the rows of a table: everything, or what the predicate names. */
export type RowPredicate =
  | { readonly kind: 'every-row' }
  | { readonly kind: 'where'; readonly where: OperationNode }

// A chain of `through` this long is a circle.
const deepestChain = 5

/**
 * The rules of a resource for one caller and one action, as SQL.
 *
 * @param at The name by which the query knows the table at this place.
 */
export function rowPredicate(
  resources: readonly Resource[],
  resource: Resource,
  action: RowAction,
  scope: Scope,
  at: string = resource.table,
): RowPredicate {
  const isRead = action === 'read'
  if (resource.owner.kind === 'shared') {
    return isRead ? { kind: 'every-row' } : { kind: 'where', where: anyOf([]) }
  }
  const lifted = scope.lifted.get(resource.table)
  if (lifted === 'all') return { kind: 'every-row' }
  const { userId } = scope
  if (userId === null) return { kind: 'where', where: anyOf([]) }
  const parts = [ownerPredicate(resources, resource, userId, at, 0)]
  if (action !== 'owner') {
    for (const rule of resource.grants[action])
      parts.push(rulePredicate(resources, resource, rule, userId, at))
  }
  if (lifted !== undefined) parts.push(compare(columnOf(at, resource.key), '=', value(lifted.key)))
  return { kind: 'where', where: anyOf(parts) }
}

function ownerPredicate(
  resources: readonly Resource[],
  { owner }: Resource,
  userId: string,
  at: string,
  depth: number,
): OperationNode {
  assert(depth < deepestChain, 'owner: through() runs in a circle')
  switch (owner.kind) {
    case 'column':
      return compare(columnOf(at, owner.column), '=', value(userId))
    case 'through':
      return parentPredicate(resources, owner, userId, at, depth)
    case 'shared':
      return anyOf([])
    default:
      return owner satisfies never
  }
}

/** The row's parent exists and is the caller's. */
function parentPredicate(
  resources: readonly Resource[],
  link: { readonly table: string; readonly column: string },
  userId: string,
  at: string,
  depth: number,
): OperationNode {
  const parent = resourceOf(resources, link.table)
  const alias = `holdfast_parent_${depth}`
  return exists(
    aliased(parent.table, alias),
    allOf(
      compare(columnOf(alias, parent.key), '=', columnOf(at, link.column)),
      ownerPredicate(resources, parent, userId, alias, depth + 1),
    ),
  )
}

/** The parent row that a new row names exists and is the caller's; `key` is the value the new row has for it. */
export function parentOwned(
  resources: readonly Resource[],
  table: string,
  key: OperationNode,
  userId: string,
): OperationNode {
  const parent = resourceOf(resources, table)
  const alias = 'holdfast_parent'
  return exists(
    aliased(parent.table, alias),
    allOf(
      compare(columnOf(alias, parent.key), '=', key),
      ownerPredicate(resources, parent, userId, alias, 1),
    ),
  )
}

function rulePredicate(
  resources: readonly Resource[],
  resource: Resource,
  rule: RowRule,
  userId: string,
  at: string,
): OperationNode {
  switch (rule.kind) {
    case 'caller-is':
      return compare(columnOf(at, rule.column), '=', value(userId))
    case 'through':
      return parentPredicate(resources, rule, userId, at, 0)
    case 'granted': {
      const alias = 'holdfast_grant'
      return exists(
        aliased(rule.table, alias),
        allOf(
          compare(columnOf(alias, rule.row), '=', columnOf(at, resource.key)),
          compare(columnOf(alias, rule.user), '=', value(userId)),
          ...Object.entries(rule.where).map(([column, bound]) =>
            compare(columnOf(alias, column), '=', value(bound)),
          ),
        ),
      )
    }
    default:
      return rule satisfies never
  }
}

function aliased(table: string, alias: string): OperationNode {
  return AliasNode.create(TableNode.create(table), IdentifierNode.create(alias))
}
