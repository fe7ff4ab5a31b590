import type { Plan, RoutePlan } from '../route/index.ts'
import type { JsonSchema } from '../schema/index.ts'
import { Components } from './components.ts'
import { operationIds, type Template, tagOf, templateOf } from './naming.ts'
import { operationOf } from './operation.ts'
import { ProblemResponses, problemSchema, sharedHeaders, sharedParameters } from './responses.ts'

/** Plain JSON data. */
export type JsonObject = JsonSchema

/** Where the API is. */
export interface ServerPlace {
  /** `https://api.example.com` */
  readonly origin: string
}

// HEAD follows from GET and OPTIONS is answered from the registry, so they would say nothing new.
const methods = new Set(['GET', 'PUT', 'POST', 'DELETE', 'PATCH'])

/**
 * The OpenAPI 3.1 document of an application, from nothing but its plan. Pure. It names no file of the application.
 *
 * @see https://spec.openapis.org/oas/v3.1.1.html
 * @example JSON.stringify(openApiDocument(await app.plan(), { origin: 'https://api.example.com' }))
 */
export function openApiDocument(plan: Plan, { origin }: ServerPlace): JsonObject {
  const components = new Components()
  const problems = new ProblemResponses()
  components.define('Problem', problemSchema)
  const routes = plan.routes.filter(({ method }) => methods.has(method))
  const ids = operationIds(routes)
  const templates = new Map<string, Template>()
  const paths = new Map<string, Map<string, JsonObject>>()
  for (const route of routes) {
    const template = sharedTemplate(route, templates)
    const operations = paths.get(template.path) ?? new Map<string, JsonObject>()
    paths.set(template.path, operations)
    const parts = { limits: plan.limits, components, problems }
    const operation = operationOf(route, ids.get(route) ?? '', template.parameters, parts)
    operations.set(route.method.toLowerCase(), operation)
  }
  const schemes = routes.some(isLogin) ? accountSchemes : otherSchemes
  return {
    openapi: '3.1.1',
    info: { title: plan.title, version: plan.version, description },
    jsonSchemaDialect: 'https://json-schema.org/draft/2020-12/schema',
    servers: [{ url: origin }],
    security: Object.keys(schemes).map((name) => ({ [name]: [] })),
    tags: [...new Set(routes.map(tagOf))].map((name) => ({ name })),
    paths: Object.fromEntries([...paths].map(([path, operations]) => [path, Object.fromEntries(operations)])),
    components: {
      securitySchemes: schemes,
      parameters: sharedParameters,
      headers: sharedHeaders,
      responses: problems.toJson(),
      schemas: components.toJson(),
    },
  }
}

const otherSchemes = { bearerAuth: { type: 'http', scheme: 'bearer' } }

/** With accounts the token is one of ours, in the header or in a cookie. */
const accountSchemes = {
  bearerAuth: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
  cookieAuth: { type: 'apiKey', in: 'cookie', name: '__Host-access' },
}

function isLogin({ origin, path }: RoutePlan): boolean {
  return origin === 'holdfast' && path === '/api/auth/login'
}

const description =
  'Made from the declarations that the server itself enforces. Undeclared keys are refused, undeclared output is ' +
  'dropped, and every error is a problem (RFC 9457).'

/** OpenAPI takes `/notes/{id}` and `/notes/{noteId}` for one path: the first to name its parameters names them for all. */
function sharedTemplate({ path }: RoutePlan, templates: Map<string, Template>): Template {
  const template = templateOf(path)
  const shape = template.path.replaceAll(/\{[^}]*\}/g, '{}')
  const known = templates.get(shape)
  if (known !== undefined) return known
  templates.set(shape, template)
  return template
}
