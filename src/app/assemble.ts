import type { Secret } from '../base/index.ts'
import {
  createEdge,
  type Edge,
  type EdgeOptions,
  gatekeeper,
  type PipelineServices,
  prepareRoute,
  serve,
} from '../http/index.ts'
import type { Logger } from '../observe/index.ts'
import { BootError, type Plan } from '../route/index.ts'
import { builtinLimits } from './builtin.ts'
import type { AppDeclaration } from './declaration.ts'
import { type FollowEvents, serveEventStream } from './event-stream.ts'
import { type ExaminedApp, planOf } from './examine.ts'
import { type MetricsFront, serveMetrics } from './metrics-routes.ts'
import { type AccountsFront, ownRoutes, serveOwn, takenPlaces } from './own-routes.ts'
import { adoptedPlans, registerPlugins, unadopted } from './plugins.ts'

/** Everything registered, nothing listening yet. */
export interface Assembly {
  readonly edge: Edge
  readonly plan: Plan
}

/** What an assembly is made with. */
export interface AssemblyParts {
  readonly declaration: AppDeclaration
  readonly app: ExaminedApp
  readonly services: PipelineServices
  readonly options: Omit<EdgeOptions, 'logger'> & { readonly logger: Logger }
  /** The address that the reference names; known once the server listens. */
  readonly origin: () => string
  /** None for an application with an identity of its own. */
  readonly accounts: AccountsFront | undefined
  /** Follows the audit trail, for the live stream; asked for once requests come. */
  readonly follow: () => FollowEvents
  readonly metrics: { readonly front: () => MetricsFront; readonly token: Secret | null }
}

/**
 * Puts the server together, one line for each part; the order is the order of registration.
 *
 * @throws BootError for a plugin's route that nobody has adopted.
 */
export async function assemble({
  declaration,
  app,
  services,
  options,
  origin,
  accounts,
  follow,
  metrics,
}: AssemblyParts): Promise<Assembly> {
  const { vocabulary } = app
  // What no route answers is counted too, or a scanner could ask for ever.
  const unrouted = gatekeeper(
    {
      access: { kind: 'open', reason: 'Nothing is here.' },
      limit: { name: 'unknown', limit: vocabulary.limits['unknown'] ?? builtinLimits.unknown },
    },
    services,
  )
  const edge = createEdge({ ...options, watchers: { ...options.watchers, unrouted } })
  const { fastify } = edge
  const holder: { plan?: Plan } = {}
  const planNow = (): Plan => holder.plan ?? planOf(declaration, vocabulary, [])
  const isProduction = options.mode === 'production'
  const own = ownRoutes({ edge, isProduction, plan: planNow, origin, accounts })
  const taken = takenPlaces(app.routes, own)
  if (taken.length > 0) throw new BootError(taken)
  const ownPlans = serveOwn(fastify, own, vocabulary.limits, services)
  ownPlans.push(...serveMetrics(fastify, { ...metrics, limit: vocabulary.limits['probe'], services }))
  // As the other routes of operators: where there are accounts, and with them administrators.
  if (accounts !== undefined)
    ownPlans.push(serveEventStream(fastify, { follow, limit: vocabulary.limits['admin'], services }))
  for (const { route, plan } of [...app.own, ...app.routes])
    serve(fastify, prepareRoute(route), plan, services)
  await registerPlugins(fastify, declaration.plugins ?? [], vocabulary, services)
  await fastify.ready()
  const violations = unadopted(edge)
  if (violations.length > 0) {
    await fastify.close()
    throw new BootError(violations)
  }
  const routes = [...[...app.own, ...app.routes].map(({ plan }) => plan), ...adoptedPlans(edge), ...ownPlans]
  holder.plan = planOf(declaration, vocabulary, routes)
  return { edge, plan: holder.plan }
}
