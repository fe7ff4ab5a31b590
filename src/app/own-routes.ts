import type { FastifyInstance } from 'fastify'
import type { AccountPage } from '../account-pages/index.ts'
import { sha256 } from '../crypto/index.ts'
import { type Edge, gatekeeper, markedConfig, type PipelineServices } from '../http/index.ts'
import { openApiDocument, referencePage } from '../openapi/index.ts'
import type { LimitClass, Plan, RoutePlan, Violation } from '../route/index.ts'
import { builtinLimits } from './builtin.ts'
import type { PlannedRoute } from './examine.ts'

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

/** What accounts serve beside their API. */
export interface AccountsFront {
  /** The public keys of access tokens. */
  readonly jwks: () => unknown
  /** The pages under `/account`; none for an application that brings its own. */
  readonly pages: readonly AccountPage[]
}

/** What Holdfast's own routes answer from. */
export interface OwnRoutesParts {
  readonly edge: Edge
  readonly isProduction: boolean
  readonly plan: () => Plan
  readonly origin: () => string
  /** None for an application with an identity of its own. */
  readonly accounts: AccountsFront | undefined
}

/** Declares the health routes, those of accounts, and outside production the reference. */
export function ownRoutes({ edge, isProduction, plan, origin, accounts }: OwnRoutesParts): OwnRoute[] {
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
  const always = [...health, ...(accounts === undefined ? [] : accountsRoutes(accounts))]
  if (isProduction) return always
  return [
    ...always,
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

/** The public keys of access tokens, for services that verify them, and the pages. @see RFC 7517, RFC 8414 */
function accountsRoutes({ jwks, pages }: AccountsFront): OwnRoute[] {
  return [
    {
      path: '/.well-known/jwks.json',
      limit: 'reference',
      reason: 'Public keys are public: any service can verify our tokens with them.',
      reply: () => json(200, jwks()),
    },
    ...pages.map(
      ({ path, contentType, content, csp }): OwnRoute => ({
        path,
        limit: 'pages',
        reason: 'A page of accounts, or a file of it: it holds nobody’s data.',
        reply: () => ({ status: 200, type: contentType, content, csp }),
      }),
    ),
  ]
}

/** An application's route at the address of one of ours: which of them answered would be an accident. */
export function takenPlaces(routes: readonly PlannedRoute[], own: readonly OwnRoute[]): Violation[] {
  const paths = new Map(own.map(({ path, limit }) => [path, limit]))
  return routes.flatMap(({ plan: { method, path, source } }) => {
    const limit = method === 'GET' ? paths.get(path) : undefined
    if (limit === undefined) return []
    const fix =
      limit === 'pages' ? 'another path, or createApp({ accounts: { pages: false } })' : 'another path'
    return [
      {
        rule: 'route.duplicate',
        subject: `${method} ${path}`,
        source,
        fault: 'Holdfast answers at this address',
        fix,
      },
    ]
  })
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
