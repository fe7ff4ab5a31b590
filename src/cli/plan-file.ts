import type { Plan, RoutePlan } from '../route/index.ts'

/**
 * The plan as a file to be committed: in an order of its own, and without line numbers, so that it changes only
 * when the application says something else.
 */
export function planFile(plan: Plan): string {
  const routes = inOrder(plan.routes).map((route) => ({
    ...route,
    source: route.source.replace(/:\d+$/, ''),
  }))
  const resources = [...plan.resources].sort((a, b) => compareText(a.name, b.name))
  return `${JSON.stringify({ ...plan, routes, resources }, null, 2)}\n`
}

const methodOrder: readonly string[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']

/** Routes by path, then by method: the same order wherever they are declared. */
export function inOrder(routes: readonly RoutePlan[]): readonly RoutePlan[] {
  return [...routes].sort(
    (a, b) => compareText(a.path, b.path) || methodOrder.indexOf(a.method) - methodOrder.indexOf(b.method),
  )
}

// By code unit and not by locale: the same on every machine.
function compareText(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
