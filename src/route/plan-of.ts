import type { Ownership, Resource, RowRule } from '../data/resource.ts'
import { describeSchema, propertiesOf } from '../schema/index.ts'
import type { AccessRule } from './access.ts'
import type { ExaminedRoute } from './gate/examine.ts'
import { noContent } from './no-content.ts'
import { placeText } from './place.ts'
import type { AccessPlan, ResourcePlan, RoutePlan } from './plan.ts'

/** The inert form of an examined route. */
export function routePlan(route: ExaminedRoute, origin: RoutePlan['origin']): RoutePlan {
  const { output, ...inputs } = route.json
  return {
    method: route.address.method,
    path: route.address.path,
    access: accessPlan(route.access),
    limit: route.limit,
    status: route.status,
    schemas: { ...inputs, ...(route.output === noContent ? {} : { output }) },
    source: placeText(route.record.place),
    origin,
  }
}

/** The inert form of an access rule. */
export function accessPlan(rule: AccessRule): AccessPlan {
  switch (rule.kind) {
    case 'owns':
      return { kind: 'owns', resource: rule.resource.name, action: rule.action ?? 'owner' }
    case 'any':
      return { kind: 'any', of: rule.of.map(accessPlan) }
    default:
      return rule
  }
}

/** The inert form of a resource: its rules as clauses. */
export function resourcePlan(resource: Resource): ResourcePlan {
  const { owner, grants } = resource
  const described = describeSchema(resource.row, 'output')
  const columns = described.ok ? Object.keys(propertiesOf(described.json)) : []
  const server = new Set([
    ...Object.keys(resource.server),
    ...(owner.kind === 'column' ? [owner.column] : []),
  ])
  return {
    name: resource.name,
    table: resource.table,
    owner: ownerClause(owner),
    read: grants.read.map(ruleClause),
    update: grants.update.map(ruleClause),
    delete: grants.delete.map(ruleClause),
    server: columns.filter((column) => server.has(column)),
  }
}

function ownerClause(owner: Ownership): string {
  switch (owner.kind) {
    case 'column':
      return `the caller named by ${owner.column}`
    case 'through':
      return `whoever owns the row of ${owner.table} that ${owner.column} names`
    case 'shared':
      return `nobody: ${owner.reason}`
    default:
      return owner satisfies never
  }
}

function ruleClause(rule: RowRule): string {
  switch (rule.kind) {
    case 'caller-is':
      return `the caller named by ${rule.column}`
    case 'through':
      return `whoever owns the row of ${rule.table} that ${rule.column} names`
    case 'granted': {
      const narrowed = Object.entries(rule.where).map(([column, value]) => ` and ${column} is ${value}`)
      return `the caller named by ${rule.user} in a row of ${rule.table} whose ${rule.row} is this row${narrowed.join('')}`
    }
    default:
      return rule satisfies never
  }
}
