import { ownerClause, ruleClause } from '../data/index.ts'
import type { Resource } from '../data/resource.ts'
import { describeSchema, propertiesOf } from '../schema/index.ts'
import type { AccessRule } from './access.ts'
import type { ExaminedRoute } from './gate/examine.ts'
import { noContent } from './no-content.ts'
import { placeText } from './place.ts'
import type { AccessPlan, ResourcePlan, RoutePlan } from './plan.ts'

/** The inert form of an examined route. */
export function routePlan(route: ExaminedRoute, origin: RoutePlan['origin']): RoutePlan {
  const { output, ...inputs } = route.json
  const { idempotency } = route.record.spec
  return {
    method: route.address.method,
    path: route.address.path,
    access: accessPlan(route.access),
    limit: route.limit,
    status: route.status,
    ...(idempotency === undefined ? {} : { idempotency }),
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

const tagWords: Readonly<Record<string, string>> = { writeOnce: 'set once' }

/** The inert form of a resource: its rules as clauses. */
export function resourcePlan(resource: Resource): ResourcePlan {
  const { owner, grants, tenant, insert, transfer, columns: tags } = resource
  const described = describeSchema(resource.row, 'output')
  const columns = described.ok ? Object.keys(propertiesOf(described.json)) : []
  const server = new Set([
    ...Object.keys(resource.server),
    ...(owner.kind === 'column' ? [owner.column] : []),
    ...(tenant === undefined ? [] : [tenant]),
  ])
  const tagged = Object.entries({ ...tags, lookup: [], readableBy: [] }).flatMap(([tag, names]) =>
    names.length === 0 ? [] : [`${tagWords[tag] ?? tag}: ${names.join(', ')}`],
  )
  const readable = Object.entries(tags.readableBy).map(
    ([column, roles]) => `${column} only for the role ${roles.join(' or ')}`,
  )
  return {
    name: resource.name,
    table: resource.table,
    owner: ownerClause(owner),
    read: grants.read.map(ruleClause),
    update: grants.update.map(ruleClause),
    delete: grants.delete.map(ruleClause),
    ...(tenant === undefined ? {} : { tenant: `only rows whose ${tenant} is the caller's tenant` }),
    ...(insert.length === 0 ? {} : { insert: insert.map(ruleClause) }),
    ...(transfer === undefined ? {} : { transfer: ['the owner', ...transfer.map(ruleClause)] }),
    ...(tagged.length + readable.length === 0 ? {} : { columns: [...tagged, ...readable] }),
    server: columns.filter((column) => server.has(column)),
  }
}
