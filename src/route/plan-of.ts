import { ownerClause, ruleClause } from '../data/index.ts'
import type { Resource } from '../data/resource.ts'
import { describeSchema, propertiesOf } from '../schema/index.ts'
import type { AccessRule } from './access.ts'
import type { ExaminedRoute } from './gate/examine.ts'
import type { LimitBy, LimitClass, LimitRule } from './limit-class.ts'
import { noContent } from './no-content.ts'
import { placeText } from './place.ts'
import type { AccessPlan, LimitPlan, LimitRulePlan, ResourcePlan, RoutePlan } from './plan.ts'

/** The inert form of an examined route. */
export function routePlan(route: ExaminedRoute, origin: RoutePlan['origin']): RoutePlan {
  const { output, ...inputs } = route.json
  const { idempotency } = route.record.spec
  return {
    method: route.address.method,
    path: route.address.path,
    access: accessPlan(route.access),
    limit: route.limit.name,
    ...(route.cost === 1 ? {} : { cost: route.cost }),
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

/** The inert form of a limit class: functions by their names. */
export function limitPlan(limit: LimitClass): LimitPlan {
  const { and, by: _by, ...rest } = limit
  if (and === undefined) return { ...rest, ...rulePlan(limit) }
  const others = Object.entries(and).map(([name, rule]) => [name, rulePlan(rule)] as const)
  return { ...rest, ...rulePlan(limit), and: Object.fromEntries(others) }
}

function rulePlan({ by, algorithm, burst, counts, count, windowSeconds }: LimitRule): LimitRulePlan {
  return {
    count,
    windowSeconds,
    ...(by === undefined ? {} : { by: by.map(keyName) }),
    ...(algorithm === undefined ? {} : { algorithm }),
    ...(burst === undefined ? {} : { burst }),
    ...(counts === undefined ? {} : { counts }),
  }
}

function keyName(by: LimitBy): string {
  return typeof by === 'string' ? by : by.name
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
