import type { FastifyInstance } from 'fastify'
import { sha256 } from '../crypto/index.ts'
import { type Edge, gatekeeper, markedConfig, type PipelineServices } from '../http/index.ts'
import { openApiDocument, referencePage } from '../openapi/index.ts'
import type { LimitClass, Plan, RoutePlan } from '../route/index.ts'
import { builtinLimits } from './builtin.ts'

/** What Holdfast's own routes answer with. */
interface OwnRoute {
  readonly path: string
  readonly limit: keyof typeof builtinLimits
  readonly reason: string
  readonly reply: () => OwnReply | Promise<OwnReply>
}

interface OwnReply {
  readonly status: number
  readonly type: string
  readonly content: string
  readonly csp?: string
}

/** Declares the health routes, and outside production the reference. They pass the boot gate like any other. */
export function ownRoutes(
  edge: Edge,
  isProduction: boolean,
  plan: () => Plan,
  origin: () => string,
): OwnRoute[] {
  const health: OwnRoute[] = [
    {
      path: '/health/live',
      limit: 'probe',
      reason: 'An orchestrator asks whether the process answers; says nothing else.',
      reply: () => json(200, edge.health.live()),
    },
    {
      path: '/health/ready',
      limit: 'probe',
      reason: 'A load balancer asks whether to send requests; names no version and no cause.',
      reply: async () => {
        const ready = await edge.health.ready()
        return json(ready.status === 'ok' ? 200 : 503, ready)
      },
    },
  ]
  if (isProduction) return health
  return [
    ...health,
    {
      path: '/openapi.json',
      limit: 'reference',
      reason: 'The reference of the API, outside production only.',
      reply: () => json(200, openApiDocument(plan(), { origin: origin() })),
    },
    {
      path: '/docs',
      limit: 'reference',
      reason: 'The reference of the API as a page, outside production only.',
      reply: () => {
        const page = referencePage(plan(), {
          origin: origin(),
          sha256Base64: (text) => sha256(text).toString('base64'),
        })
        return { status: 200, type: 'text/html; charset=utf-8', content: page.html, csp: page.csp }
      },
    },
  ]
}

function json(status: number, value: unknown): OwnReply {
  return { status, type: 'application/json; charset=utf-8', content: JSON.stringify(value) }
}

/** Registers them behind the same admission as the application's. */
export function serveOwn(
  fastify: FastifyInstance,
  routes: readonly OwnRoute[],
  limits: Readonly<Record<string, LimitClass>>,
  services: PipelineServices,
): RoutePlan[] {
  return routes.map((route) => {
    const limit = limits[route.limit] ?? builtinLimits[route.limit]
    const access = { kind: 'open', reason: route.reason } as const
    const plan: RoutePlan = {
      method: 'GET',
      path: route.path,
      access,
      limit: route.limit,
      status: 200,
      schemas: {},
      source: 'holdfast',
      origin: 'holdfast',
    }
    fastify.route({
      method: 'GET',
      url: route.path,
      config: markedConfig(plan),
      onRequest: gatekeeper({ access, limit: { name: route.limit, limit } }, services),
      handler: async (_request, reply) => {
        const { status, type, content, csp } = await route.reply()
        if (csp !== undefined) reply.header('content-security-policy', csp)
        return reply.code(status).header('content-type', type).send(content)
      },
    })
    return plan
  })
}
