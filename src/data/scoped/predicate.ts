import type { OperationNode } from 'kysely'
import { assert } from '../../base/index.ts'
import { type GrantedRule, type Resource, type RowAction, type RowRule, resourceOf } from '../resource.ts'
import type { CallerTerms } from './caller.ts'
import {
  both,
  columnOf,
  compare,
  either,
  exists,
  gathered,
  isNotTrue,
  isNull,
  type Predicate,
  value,
} from './nodes.ts'

/** A row as a rule sees it: one that is there, or one that is about to be. */
export interface RowTerms {
  /** A column of the row. @throws `INTERNAL` for a new row that does not say */
  readonly column: (name: string) => OperationNode
}

/** What the rules are held against. */
export interface Judging {
  readonly resources: readonly Resource[]
  readonly caller: CallerTerms
  /** How a rule reaches other tables; a sub-query on them unless said otherwise. */
  readonly reach?: Reach
  /**
   * Set where many rows are looked through, to the dialect: what is granted to the caller is then gathered first, so that
   * an index finds those rows. Otherwise each row is asked whether there is a grant for it, which is cheaper for one.
   */
  readonly gathers?: 'sqlite' | 'postgres' | undefined
}

/** A parent, and what the caller must be allowed to do to it. */
export interface ParentLink {
  readonly table: string
  readonly column: string
  readonly action: RowAction
}

/** How a rule asks about rows of other tables. */
export interface Reach {
  readonly parent: (link: ParentLink, row: RowTerms) => Predicate
  readonly grant: (rule: GrantedRule, key: OperationNode) => Predicate
}

// A chain of `through` this long is a circle.
const deepestChain = 6

/** What may be done, and handing a row to another owner. */
export type JudgedAction = RowAction | 'transfer'

/** A row that the query knows its table by this name. */
export function rowAt(alias: string): RowTerms {
  return { column: (name) => columnOf(alias, name) }
}

/**
 * The rules of a resource for a caller and an action, as SQL: the tenant wall, and one of the owner, the grants, and
 * what the route's access rule has opened.
 */
export function rowPredicate(
  judging: Judging,
  resource: Resource,
  action: JudgedAction,
  row: RowTerms = rowAt(resource.table),
  depth = 0,
): Predicate {
  const wall = tenantWall(judging, resource, row)
  if (resource.owner.kind === 'shared') return both(action === 'read', wall)
  return both(wall, either(waysTo(judging, resource, action, row, depth)))
}

/** Each way in which rules let somebody at a row of their tenant; one is enough. */
function waysTo(
  judging: Judging,
  resource: Resource,
  action: JudgedAction,
  row: RowTerms,
  depth: number,
): readonly Predicate[] {
  return [
    ownerPredicate(judging, resource, row, depth),
    ...rulesFor(resource, action).map((rule) => rulePredicate(judging, resource, rule, row, depth)),
    judging.caller.isLifted(resource.table, row.column(resource.key)),
  ]
}

/**
 * The same as {@link rowPredicate}, as conditions of which each row that may be read meets exactly one: a row comes by
 * the first way that leads to it. So they can be asked for one after the other, each by an index of its own and in the
 * order that a page wants, where one condition with "or" has to fetch everything and sort it.
 *
 * @returns `undefined` where there are not several
 */
export function disjointWays(judging: Judging, resource: Resource): readonly Predicate[] | undefined {
  if (resource.owner.kind === 'shared') return undefined
  const row = rowAt(resource.table)
  const ways = waysTo(judging, resource, 'read', row, 0).filter((way) => way !== false)
  if (ways.length < 2 || ways.includes(true)) return undefined
  const wall = tenantWall(judging, resource, row)
  return ways.map((way, index) => both(wall, way, ...ways.slice(0, index).map(isNotTrue)))
}

function rulesFor(resource: Resource, action: JudgedAction): readonly RowRule[] {
  if (action === 'owner') return []
  if (action === 'transfer') return resource.transfer ?? []
  return resource.grants[action]
}

/** A row of another tenant does not exist, whoever asks and whatever was opened. */
function tenantWall({ caller }: Judging, { tenant }: Resource, row: RowTerms): Predicate {
  if (tenant === undefined) return true
  return caller.isTenant(row.column(tenant))
}

/** Whether the caller owns the row. */
export function ownerPredicate(
  judging: Judging,
  { owner }: Resource,
  row: RowTerms,
  depth: number,
): Predicate {
  switch (owner.kind) {
    case 'column':
      return judging.caller.isUser(row.column(owner.column))
    case 'through':
      return parentPredicate(judging, { ...owner, action: 'owner' }, row, depth)
    case 'shared':
      return false
    default:
      return owner satisfies never
  }
}

/** Whether one rule lets the caller. */
export function rulePredicate(
  judging: Judging,
  resource: Resource,
  rule: RowRule,
  row: RowTerms,
  depth: number,
): Predicate {
  const { caller } = judging
  // Rules are about callers; nobody is none.
  if (caller.userId === null) return false
  switch (rule.kind) {
    case 'caller-is':
      return caller.isUser(row.column(rule.column))
    case 'caller-has':
      return both(caller.isKnown, caller.holdsAny(rule.roles))
    case 'any-caller':
      return caller.isKnown
    case 'column':
      return both(caller.isKnown, columnPredicate(row.column(rule.column), rule))
    case 'through':
      return both(caller.isKnown, parentPredicate(judging, rule, row, depth))
    case 'granted':
      return grantPredicate(judging, rule, row.column(resource.key), depth)
    case 'any':
      return either(rule.of.map((part) => rulePredicate(judging, resource, part, row, depth)))
    case 'all':
      return both(...rule.of.map((part) => rulePredicate(judging, resource, part, row, depth)))
    default:
      return rule satisfies never
  }
}

function columnPredicate(column: OperationNode, rule: Extract<RowRule, { kind: 'column' }>): Predicate {
  if (rule.value === null) return isNull(column, rule.operator === '=')
  return compare(column, rule.operator, value(rule.value))
}

/** A row of the granting table names both this row and the caller. */
export function grantPredicate(
  judging: Judging,
  rule: GrantedRule,
  key: OperationNode,
  depth: number,
): Predicate {
  const { caller, reach, resources } = judging
  if (reach !== undefined) return reach.grant(rule, key)
  const alias = `holdfast_grant_${depth}`
  const grants = both(
    // A grant of another tenant does not exist either.
    tenantWall(judging, resourceOf(resources, rule.table), rowAt(alias)),
    caller.isUser(columnOf(alias, rule.user)),
    ...Object.entries(rule.where).map(([column, bound]) =>
      compare(columnOf(alias, column), '=', value(bound)),
    ),
  )
  const row = columnOf(alias, rule.row)
  if (judging.gathers === undefined) return exists(rule.table, alias, both(compare(row, '=', key), grants))
  return gathered(key, { table: rule.table, alias, column: row, where: grants }, judging.gathers)
}

/** The row's parent exists and the caller may do this to it. */
export function parentPredicate(judging: Judging, link: ParentLink, row: RowTerms, depth: number): Predicate {
  const { resources, reach } = judging
  if (reach !== undefined) return reach.parent(link, row)
  assert(depth < deepestChain, 'through() runs in a circle')
  const parent = resourceOf(resources, link.table)
  const alias = `holdfast_parent_${depth}`
  return exists(
    parent.table,
    alias,
    both(
      compare(columnOf(alias, parent.key), '=', row.column(link.column)),
      rowPredicate(judging, parent, link.action, rowAt(alias), depth + 1),
    ),
  )
}

/**
 * Whether the caller may insert a row: into their tenant, owning it, and under one of the insert rules when there
 * are any.
 */
export function insertPredicate(judging: Judging, resource: Resource, row: RowTerms): Predicate {
  const { owner, insert } = resource
  return both(
    owner.kind === 'through' ? ownerPredicate(judging, resource, row, 0) : true,
    insert.length === 0 || either(insert.map((rule) => rulePredicate(judging, resource, rule, row, 0))),
  )
}
