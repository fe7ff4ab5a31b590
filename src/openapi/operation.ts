import { isSafe, type Plan, type RoutePlan } from '../route/index.ts'
import type { JsonSchema } from '../schema/index.ts'
import type { Components } from './components.ts'
import { tagOf } from './naming.ts'
import { capitalised, costText, limitText, openReason, whoText } from './phrases.ts'
import { isChecked, namesRow, problemsOf } from './problems-of.ts'
import { header, otherProblem, type ProblemResponses } from './responses.ts'
import { membersOf } from './schema-nodes.ts'

/** What the operations of one document share. */
export interface OperationParts {
  readonly limits: Plan['limits']
  readonly components: Components
  readonly problems: ProblemResponses
}

/** One route as an OpenAPI operation. */
export function operationOf(
  route: RoutePlan,
  operationId: string,
  parameterNames: readonly string[],
  parts: OperationParts,
): JsonSchema {
  const { access, schemas } = route
  const limit = Object.hasOwn(parts.limits, route.limit) ? parts.limits[route.limit] : undefined
  const parameters = parametersOf(route, operationId, parameterNames, parts.components)
  return {
    operationId,
    tags: [tagOf(route)],
    description: descriptionOf(route, parts.limits),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(schemas.body === undefined
      ? {}
      : {
          requestBody: {
            required: true,
            content: jsonContent(
              parts.components.embed(schemas.body, schemas.body, `${capitalised(operationId)}Body`),
            ),
          },
        }),
    responses: responsesOf(route, operationId, parts),
    ...(access.kind === 'open' ? { security: [] } : {}),
    'x-holdfast-access': access,
    'x-holdfast-limit': {
      class: route.limit,
      ...limit,
      ...(route.cost === undefined ? {} : { cost: route.cost }),
    },
  }
}

function descriptionOf(route: RoutePlan, limits: Plan['limits']): string {
  const limit = Object.hasOwn(limits, route.limit) ? limits[route.limit] : undefined
  const reason = openReason(route.access)
  const often = limit === undefined ? route.limit : limitText(limit, route.access)
  const cost = costText(route.cost)
  return [
    `Who may call it: ${whoText(route.access)}.`,
    ...(reason === undefined ? [] : [`Open because: ${reason}`]),
    `How often: ${often} (class \`${route.limit}\`${cost === undefined ? '' : `; ${cost}`}).`,
    ...(typeof route.origin === 'object' ? [`Brought by a plugin: ${route.origin.adopted}`] : []),
  ].join('\n\n')
}

function parametersOf(
  route: RoutePlan,
  operationId: string,
  parameterNames: readonly string[],
  components: Components,
): readonly JsonSchema[] {
  const { params, query } = route.schemas
  const declared = templateNames(route.path)
  const described = new Map(
    params === undefined ? [] : membersOf(params).map((member) => [member.name, member]),
  )
  const path = parameterNames.map((name, index) => {
    const schema = described.get(declared[index] ?? name)?.schema ?? { type: 'string' }
    return parameterOf(
      'path',
      name,
      true,
      components.embed(schema, params ?? schema, hintOf(operationId, name)),
    )
  })
  const search = (query === undefined ? [] : membersOf(query)).map(({ name, schema, isRequired }) =>
    parameterOf(
      'query',
      name,
      isRequired,
      components.embed(schema, query ?? schema, hintOf(operationId, name)),
    ),
  )
  const conditional = namesRow(route) ? [isSafe(route.method) ? 'IfNoneMatch' : 'IfMatch'] : []
  return [
    ...path,
    ...search,
    ...conditional.map((name) => ({ $ref: `#/components/parameters/${name}` })),
    ...(route.idempotency === undefined ? [] : [idempotencyKey(route.idempotency === 'required')]),
  ]
}

function idempotencyKey(required: boolean): JsonSchema {
  return {
    name: 'Idempotency-Key',
    in: 'header',
    required,
    description:
      'A text of your own in double quotes, new for each new request. Sent again with the same text, the request is not carried out again: you get its first reply.',
    schema: { type: 'string', minLength: 3, maxLength: 512, pattern: '^".+"$' },
    example: '"8e03978e-40d5-43e8-bc93-6894a57f9324"',
  }
}

function templateNames(path: string): readonly string[] {
  return path.split('/').flatMap((segment) => (segment.startsWith(':') ? [segment.slice(1)] : []))
}

function hintOf(operationId: string, name: string): string {
  return capitalised(operationId) + capitalised(name)
}

function parameterOf(
  place: 'path' | 'query',
  name: string,
  required: boolean,
  schema: JsonSchema,
): JsonSchema {
  const { description } = schema
  return { name, in: place, required, ...(typeof description === 'string' ? { description } : {}), schema }
}

function responsesOf(
  route: RoutePlan,
  operationId: string,
  { components, problems }: OperationParts,
): JsonSchema {
  const { output } = route.schemas
  const headers = {
    ...(namesRow(route) && route.method !== 'DELETE' ? { ETag: header('ETag') } : {}),
    RateLimit: header('RateLimit'),
    'RateLimit-Policy': header('RateLimitPolicy'),
  }
  const withHeaders = { headers }
  const refusals = problems.of(problemsOf(route))
  if (typeof route.origin === 'object')
    return Object.fromEntries([...refusals, ['default', { description: 'Whatever the plugin answers.' }]])
  const success = {
    description: output === undefined ? 'Done.' : 'The result.',
    ...withHeaders,
    ...(output === undefined
      ? {}
      : { content: jsonContent(components.embed(output, output, `${capitalised(operationId)}Result`)) }),
  }
  return Object.fromEntries([
    [String(route.status), success],
    ...(namesRow(route) && isSafe(route.method) && isChecked(route)
      ? [['304', { description: 'The row still has the revision of If-None-Match.', ...withHeaders }]]
      : []),
    ...refusals,
    ['default', otherProblem],
  ])
}

function jsonContent(schema: JsonSchema): JsonSchema {
  return { 'application/json': { schema } }
}
