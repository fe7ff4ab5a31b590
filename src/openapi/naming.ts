import type { RoutePlan } from '../route/index.ts'
import { capitalised } from './phrases.ts'

/** A path as OpenAPI writes it, and the names of its parameters in order. */
export interface Template {
  /** `/api/notes/{id}` */
  readonly path: string
  readonly parameters: readonly string[]
}

// A route of the application has plain `:name` segments. A plugin's may have what Fastify's router knows besides:
// several in a segment, a pattern in parentheses, a question mark, and an asterisk for all the rest.
const parameter = /:([A-Za-z0-9_]+)(?:\([^)]*\))?\??|\*/g

/** The path of a route as OpenAPI writes it. */
export function templateOf(path: string): Template {
  const parameters: string[] = []
  const written = path.replaceAll(parameter, (_, name: string | undefined) => {
    parameters.push(name ?? 'rest')
    return `{${name ?? 'rest'}}`
  })
  return { path: written, parameters }
}

/** The group a route is shown in: the first segment after `/api`, or `server` for what Holdfast brings itself. */
export function tagOf({ path, origin }: RoutePlan): string {
  const segments = path.split('/').filter((segment) => segment !== '')
  const first = segments[0] === 'api' ? segments[1] : segments[0]
  if (origin === 'holdfast' && segments[0] !== 'api') return 'server'
  return first === undefined || /[:*{]/.test(first) ? 'root' : first
}

/**
 * An operation id for each route: the same however the routes are ordered, letters and digits only, no two alike.
 *
 * @example getApiNotesById
 */
export function operationIds(routes: readonly RoutePlan[]): ReadonlyMap<RoutePlan, string> {
  const ids = new Map<RoutePlan, string>()
  const taken = new Set<string>()
  for (const route of [...routes].sort(byAddress)) {
    const wanted = operationIdOf(route)
    let id = wanted
    for (let number = 2; taken.has(id); number++) id = `${wanted}_${number}`
    taken.add(id)
    ids.set(route, id)
  }
  return ids
}

function byAddress(a: RoutePlan, b: RoutePlan): number {
  const [left, right] = [`${a.path} ${a.method}`, `${b.path} ${b.method}`]
  return left < right ? -1 : left > right ? 1 : 0
}

function operationIdOf({ method, path }: RoutePlan): string {
  const words = path
    .split('/')
    .filter((segment) => segment !== '')
    .map((segment) => (/[:*]/.test(segment) ? `By${camel(segment)}` : camel(segment)))
  return method.toLowerCase().replaceAll(/[^a-z]/g, '') + (words.join('') || 'Root')
}

function camel(text: string): string {
  return text
    .split(/[^A-Za-z0-9]+/)
    .map(capitalised)
    .join('')
}
