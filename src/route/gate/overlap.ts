import { compileText } from '../../schema/index.ts'
import { placeText } from '../place.ts'
import type { ExaminedRoute } from './examine.ts'
import { Subject } from './subject.ts'
import type { Violation } from './violation.ts'

/** Two routes that answer the same request: twins, and static paths that hide a value of a parameter. */
export async function examineOverlap(routes: readonly ExaminedRoute[]): Promise<Violation[]> {
  const found: Violation[] = []
  const shapes = new Map<string, ExaminedRoute>()
  for (const route of routes) {
    const subject = subjectOf(route)
    const shape = `${route.address.method} ${route.address.path.replaceAll(/:[^/]+/g, ':')}`
    const first = shapes.get(shape)
    if (first === undefined) shapes.set(shape, route)
    else {
      const fault = `the same address is declared at ${placeText(first.record.place)}`
      subject.refuse('route.duplicate', fault, 'one route for each method and path')
    }
    for (const other of routes) {
      if (other === route || other.address.method !== route.address.method) continue
      const values = hiddenValues(route.address.path, other.address.path)
      if (values === undefined || !(await accepts(other, values))) continue
      subject.refuse(
        'route.shadowed',
        `it hides a value of ${other.record.address} (${placeText(other.record.place)})`,
        `another path, or params there that do not accept ${Object.values(values)
          .map((value) => `"${value}"`)
          .join(', ')}`,
      )
    }
    found.push(...subject.violations)
  }
  return found
}

function subjectOf({ record }: ExaminedRoute): Subject {
  return new Subject(record.address, placeText(record.place))
}

/** The parameter values of `wide` that `narrow` takes away from it; `undefined` when the paths never meet. */
function hiddenValues(narrow: string, wide: string): Record<string, string> | undefined {
  const left = narrow.split('/')
  const right = wide.split('/')
  if (left.length !== right.length) return undefined
  const values: Record<string, string> = {}
  for (const [index, segment] of right.entries()) {
    const own = left[index] ?? ''
    if (segment === own || (segment.startsWith(':') && own.startsWith(':'))) continue
    if (!segment.startsWith(':')) return undefined
    values[segment.slice(1)] = own
  }
  return Object.keys(values).length === 0 ? undefined : values
}

async function accepts(route: ExaminedRoute, values: Record<string, string>): Promise<boolean> {
  const { params } = route.record.spec
  if (params === undefined || route.json.params === undefined) return true
  const input = compileText(route.json.params)(values)
  const result = await params['~standard'].validate(input)
  // Only the hidden parameters are given, so a fault at another parameter says nothing about these.
  const faults = (result.issues ?? []).map((issue) => firstKey(issue.path))
  return !faults.some((key) => key !== undefined && Object.hasOwn(values, key))
}

function firstKey(
  path: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined,
): string | undefined {
  const first = path?.[0]
  if (first === undefined) return undefined
  return String(typeof first === 'object' ? first.key : first)
}
