import type { AccessPlan, LimitRulePlan, Plan, ResourcePlan, RoutePlan } from '../route/index.ts'
import { inOrder } from './plan-file.ts'
import { shapeText } from './schema-shape.ts'
import type { Terminal } from './terminal.ts'

/** The routes and resources of an application, for a reader: who may call what, and whose rows are whose. */
export function accessMap(plan: Plan, terminal: Terminal): string {
  const rows = inOrder(plan.routes).map((route) => ({ route, cells: cellsOf(route, plan.limits) }))
  const widths = [0, 1, 2, 3, 4].map((column) =>
    Math.max(0, ...rows.map(({ cells }) => cells[column]?.length ?? 0)),
  )
  const lines = rows.map(({ route, cells }) => {
    const padded = cells.map((cell, column) => cell.padEnd(widths[column] ?? 0))
    const [method = '', path = '', who = '', ...rest] = padded
    // Open routes are the ones to look at twice.
    const marked = isOpen(route.access) ? terminal.emphasise('yellow', who) : who
    return [terminal.emphasise('bold', method), path, marked, ...rest].join('  ').trimEnd()
  })
  const head = `${plan.title} ${plan.version}: ${counted(rows.length, 'route')}, ${counted(plan.resources.length, 'resource')}`
  const resources = plan.resources.map((resource) => resourceText(resource, terminal))
  return `${[`${terminal.emphasise('bold', head)}\n`, ...lines, ...resources].join('\n')}\n`
}

function cellsOf(route: RoutePlan, limits: Plan['limits']): readonly string[] {
  const { params, query, body, output } = route.schemas
  const inputs = Object.entries({ params, query, body }).flatMap(([part, schema]) =>
    schema === undefined ? [] : [`${part} ${shapeText(schema)}`],
  )
  const given = output === undefined ? '' : ` ${shapeText(output, outputNameCount)}`
  const origin = typeof route.origin === 'string' ? route.origin : `plugin: ${route.origin.adopted}`
  return [
    route.method,
    route.path,
    whoText(route.access),
    limitText(route, limits),
    [...inputs, `→ ${route.status}${given}`].join(' '),
    origin === 'application' ? route.source : `${route.source} (${origin})`,
  ]
}

// Inputs are shown whole, since each is a way in; of an output the first names tell what it is.
const outputNameCount = 4

function whoText(access: AccessPlan): string {
  switch (access.kind) {
    case 'open':
      return `anyone: ${access.reason}`
    case 'signed-in':
      return 'signed in'
    case 'role':
      return access.permission === undefined
        ? `role ${access.roles.join(' or ')}`
        : `permission ${access.permission} (${access.roles.join(', ')})`
    case 'owns':
      return access.action === 'owner'
        ? `owner of the ${access.resource}`
        : `may ${access.action} the ${access.resource}`
    case 'any':
      return access.of.map(whoText).join(', or ')
    default:
      return access satisfies never
  }
}

function isOpen(access: AccessPlan): boolean {
  return access.kind === 'open' || (access.kind === 'any' && access.of.some(isOpen))
}

const windowNames: ReadonlyMap<number, string> = new Map([
  [1, 'second'],
  [60, 'minute'],
  [900, '15 minutes'],
  [3600, 'hour'],
  [86_400, 'day'],
])

function limitText({ limit: name, cost, path, method }: RoutePlan, limits: Plan['limits']): string {
  const limit = Object.hasOwn(limits, name) ? limits[name] : undefined
  if (limit === undefined) return name
  const rules = [limit, ...Object.values(limit.and ?? {})].map(rateText)
  const each =
    cost === undefined ? '' : typeof cost === 'number' ? ` × ${cost}` : ` × ${cost.query}/${cost.per}`
  const shown = name === `${method} ${path}` ? 'its own' : name
  return `${shown}, ${rules.join(' and ')}${each}`
}

function rateText({ count, windowSeconds }: LimitRulePlan): string {
  return `${count} per ${windowNames.get(windowSeconds) ?? `${windowSeconds} seconds`}`
}

function resourceText(resource: ResourcePlan, terminal: Terminal): string {
  const rules = (['read', 'update', 'delete'] as const).map((action) => {
    const others = resource[action]
    return `  ${`${action}:`.padEnd(8)}${others.length === 0 ? 'nobody else' : others.join(', or ')}`
  })
  const { tenant, insert, transfer, columns } = resource
  const more = [
    ...(tenant === undefined ? [] : [`  tenant: ${tenant}`]),
    ...(insert === undefined ? [] : [`  insert: ${insert.join(', or ')}`]),
    ...(transfer === undefined ? [] : [`  owner may be changed by: ${transfer.join(', or ')}`]),
    ...(columns === undefined ? [] : columns.map((clause) => `  ${clause}`)),
  ]
  const server = resource.server.length === 0 ? [] : [`  server: ${resource.server.join(', ')}`]
  const head = `${terminal.emphasise('bold', resource.name)} (table ${resource.table})`
  return ['', head, `  owner:  ${resource.owner}`, ...rules, ...more, ...server].join('\n')
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
