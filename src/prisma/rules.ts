import { type Resource, type RowAction, type RowRule, resourceOf, type Scope } from '../data/index.ts'
import { refusal } from '../orm/index.ts'

/** A filter of Prisma. */
export type Filter = Readonly<Record<string, unknown>>

/** Reads one column of the rows of a table that fit a filter, past the rules. */
export type ReadColumn = (
  table: string,
  column: string,
  filter: Filter,
  limit: number,
) => Promise<readonly unknown[]>

/** A filter that everything fits. Not `{}`: inside of OR, Prisma leaves that out, and with it the row. */
function every(resource: Resource): Filter {
  return { NOT: none(resource) }
}

/** A filter that nothing fits. Not `OR: []`: inside of AND, Prisma takes that for no condition at all. */
function none({ key }: Resource): Filter {
  return { [key]: { in: [] } }
}

// As many keys as a filter can name without reaching what PostgreSQL takes as parameters.
const keyMaxCount = 10_000
const deepestChain = 6

/** What may be done, and handing a row to another owner. */
export type JudgedAction = RowAction | 'transfer'

/** What the rules of one caller are made into filters with. */
export interface FilterParts {
  readonly resources: readonly Resource[]
  readonly scope: Scope
  readonly read: ReadColumn
}

/**
 * The rules of a resource for an action, as a filter. Where a rule asks about another table, that table is read
 * first: Prisma's own way to it would need a relation in its schema under a name that is not known here.
 */
export async function ruleFilter(
  parts: FilterParts,
  resource: Resource,
  action: JudgedAction,
  depth = 0,
): Promise<Filter> {
  const { scope } = parts
  const { owner, tenant, table, key } = resource
  const wall =
    tenant === undefined
      ? every(resource)
      : scope.tenantId === null
        ? none(resource)
        : { [tenant]: scope.tenantId }
  if (owner.kind === 'shared') return action === 'read' ? wall : none(resource)
  const lifted = scope.lifted.get(table)
  if (lifted === 'all') return wall
  const open = lifted === undefined ? none(resource) : { [key]: lifted.key }
  if (scope.userId === null) return { AND: [wall, open] }
  const own =
    owner.kind === 'column'
      ? { [owner.column]: scope.userId }
      : await parentFilter(parts, { ...owner, action: 'owner' }, depth)
  const granted = await Promise.all(
    rulesFor(resource, action).map((rule) => filterOf(parts, resource, rule, depth)),
  )
  return { AND: [wall, { OR: [own, ...granted, open] }] }
}

function rulesFor({ grants, transfer }: Resource, action: JudgedAction): readonly RowRule[] {
  if (action === 'owner') return []
  return action === 'transfer' ? (transfer ?? []) : grants[action]
}

async function filterOf(
  parts: FilterParts,
  resource: Resource,
  rule: RowRule,
  depth: number,
): Promise<Filter> {
  const { userId, roles } = parts.scope
  switch (rule.kind) {
    case 'caller-is':
      return { [rule.column]: userId }
    case 'caller-has':
      return rule.roles.some((role) => roles.includes(role)) ? every(resource) : none(resource)
    case 'any-caller':
      return every(resource)
    case 'column':
      return { [rule.column]: operatorFilter(rule) }
    case 'through':
      return await parentFilter(parts, rule, depth)
    case 'granted': {
      const keys = await readKeys(parts, rule.table, rule.row, {
        ...tenantFilter(parts, rule.table),
        [rule.user]: userId,
        ...rule.where,
      })
      return { [resource.key]: { in: keys } }
    }
    case 'any':
      return { OR: await Promise.all(rule.of.map((part) => filterOf(parts, resource, part, depth))) }
    case 'all':
      return { AND: await Promise.all(rule.of.map((part) => filterOf(parts, resource, part, depth))) }
    default:
      return rule satisfies never
  }
}

function tenantFilter({ resources, scope }: FilterParts, table: string): Filter {
  const resource = resourceOf(resources, table)
  const { tenant } = resource
  if (tenant === undefined) return every(resource)
  return scope.tenantId === null ? none(resource) : { [tenant]: scope.tenantId }
}

async function parentFilter(
  parts: FilterParts,
  link: { readonly table: string; readonly column: string; readonly action: RowAction },
  depth: number,
): Promise<Filter> {
  if (depth >= deepestChain) throw refusal('through() runs in a circle')
  const parent = resourceOf(parts.resources, link.table)
  const filter = await ruleFilter(parts, parent, link.action, depth + 1)
  return { [link.column]: { in: await readKeys(parts, parent.table, parent.key, filter) } }
}

async function readKeys(
  { read }: FilterParts,
  table: string,
  column: string,
  filter: Filter,
): Promise<readonly unknown[]> {
  const keys = await read(table, column, filter, keyMaxCount + 1)
  if (keys.length <= keyMaxCount) return keys.filter((found) => found !== null)
  throw refusal(
    `a rule has to name more than ${keyMaxCount} rows of "${table}"; use Holdfast's own db for this`,
  )
}

function operatorFilter({ operator, value }: Extract<RowRule, { kind: 'column' }>): unknown {
  if (value === null) return operator === '=' ? null : { not: null }
  switch (operator) {
    case '=':
      return { equals: value }
    case '<>':
      return { not: value }
    case '<':
      return { lt: value }
    case '<=':
      return { lte: value }
    case '>':
      return { gt: value }
    case '>=':
      return { gte: value }
    default:
      return operator satisfies never
  }
}
