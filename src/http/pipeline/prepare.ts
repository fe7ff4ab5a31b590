import type { Resource } from '../../data/resource.ts'
import type { InputFault } from '../../errors/index.ts'
import type { AccessRule, ExaminedRoute, NamedLimit, RouteCost, RouteRecord } from '../../route/index.ts'
import { noContent, partsOf } from '../../route/index.ts'
import {
  type Checked,
  compileInput,
  compileOutput,
  compileText,
  type JsonSchema,
  type Projected,
  propertiesOf,
  type Schema,
} from '../../schema/index.ts'

/** A part of a request, compiled: undeclared keys refused, then validated. */
export type InputCheck = (value: unknown) => Checked | Promise<Checked>

/** A part of a request that a schema may describe. */
export type InputPart = 'params' | 'query' | 'body'

/** A route with everything compiled that its requests need. */
export interface PreparedRoute {
  readonly method: string
  readonly path: string
  /** `GET /api/notes/:id` */
  readonly name: string
  /** True for a GET, which answers conditionally and is not held to a revision. */
  readonly isSafeRead: boolean
  readonly record: RouteRecord
  readonly access: AccessRule
  readonly limit: NamedLimit
  readonly costOf: (query: unknown) => number
  readonly status: number
  /** True where somebody gets who has to authenticate again. */
  readonly standsStepUp: boolean
  /** Whether an `Idempotency-Key` counts here. */
  readonly idempotency: 'optional' | 'required' | undefined
  readonly input: Readonly<Record<InputPart, InputCheck | undefined>>
  /** `null` for a route without content. */
  readonly output: ((value: unknown) => Projected | Promise<Projected>) | null
  /** The resource whose row the address names, and the word its handler knows it by. */
  readonly row: RowPlace | undefined
}

/** Where a route finds its row. */
export interface RowPlace {
  readonly resource: Resource
  /** The column that holds the row's revision, when it has one. */
  readonly revision: string | undefined
}

/** Compiles an examined route. */
export function prepareRoute(route: ExaminedRoute): PreparedRoute {
  const { spec } = route.record
  return {
    method: route.address.method,
    path: route.address.path,
    name: `${route.address.method} ${route.address.path}`,
    isSafeRead: route.address.method === 'GET',
    record: route.record,
    access: route.access,
    limit: route.limit,
    costOf: costOf(route.cost, route.json.query),
    status: route.status,
    standsStepUp: route.record.standsStepUp === true,
    idempotency: spec.idempotency,
    input: {
      params: textInput(spec.params, route.json.params),
      query: textInput(spec.query, route.json.query),
      body:
        spec.body === undefined || route.json.body === undefined
          ? undefined
          : compileInput(spec.body, route.json.body),
    },
    output: route.output === noContent ? null : compileOutput(route.output, route.json.output),
    row: rowPlace(route),
  }
}

/**
 * How much of its limit a request takes. The query has not been validated yet, so what does not fit costs as much as the
 * default, and is refused later for what it is.
 */
function costOf(cost: RouteCost, json: JsonSchema | undefined): (query: unknown) => number {
  if (typeof cost === 'number') return () => cost
  const property = json === undefined ? undefined : propertiesOf(json)[cost.query]
  const fallback = Number(property?.['default'] ?? 1)
  const maximum = Number(property?.['maximum'] ?? 1)
  return (query) => {
    const text = textRecord(query)[cost.query]
    const asked = typeof text === 'string' && /^\d{1,15}$/.test(text) ? Number(text) : fallback
    return Math.max(1, Math.ceil(Math.min(asked, maximum) / cost.per))
  }
}

function textInput(schema: Schema | undefined, json: JsonSchema | undefined): InputCheck | undefined {
  if (schema === undefined || json === undefined) return undefined
  const fromText = compileText(json)
  const check = compileInput(schema, json)
  return (value) => check(fromText(textRecord(value)))
}

function textRecord(value: unknown): Record<string, string | string[]> {
  return isTextRecord(value) ? value : {}
}

/** The router and the parser of queries make nothing else. */
function isTextRecord(value: unknown): value is Record<string, string | string[]> {
  return typeof value === 'object' && value !== null
}

function rowPlace({ access, address }: ExaminedRoute): RowPlace | undefined {
  if (!address.parameters.includes('id')) return undefined
  const owning = partsOf(access).find((part) => part.kind === 'owns')
  if (owning === undefined) return undefined
  const { resource } = owning
  const revision = Object.entries(resource.server).find(([, fill]) => fill === 'revision')?.[0]
  return { resource, revision }
}

/** Puts the part of the request in front of each fault's path: `/title` becomes `/body/title`. */
export function placed(part: string, faults: readonly InputFault[]): InputFault[] {
  return faults.map(({ path, message }) => ({ path: `/${part}${path}`, message }))
}
