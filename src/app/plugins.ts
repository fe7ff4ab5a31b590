import type { FastifyInstance } from 'fastify'
import { type Edge, gatekeeper, markedConfig, markOf, type PipelineServices } from '../http/index.ts'
import {
  accessPlan,
  type NamedLimit,
  placeText,
  type RoutePlan,
  type Violation,
  type Vocabulary,
} from '../route/index.ts'
import { type Adoption, isAdoption, type Plugin } from './adopt.ts'

/** Registers the application's plugins; the routes of an adopted one get its access and its limit. */
export async function registerPlugins(
  fastify: FastifyInstance,
  plugins: readonly (Adoption | Plugin)[],
  vocabulary: Vocabulary,
  services: PipelineServices,
): Promise<void> {
  for (const plugin of plugins) {
    if (isAdoption(plugin)) await registerAdopted(fastify, plugin, vocabulary, services)
    else await fastify.register(plugin)
  }
}

async function registerAdopted(
  fastify: FastifyInstance,
  adoption: Adoption,
  vocabulary: Vocabulary,
  services: PipelineServices,
): Promise<void> {
  const limit = limitOf(adoption, vocabulary)
  if (limit === undefined) return
  const gate = { access: adoption.access.rule, limit }
  await fastify.register(async (child) => {
    child.addHook('onRequest', gatekeeper(gate, services))
    child.addHook('onRoute', (route) => {
      const plan: RoutePlan = {
        method: String(route.method),
        path: route.url,
        access: accessPlan(adoption.access.rule),
        limit: limit.name,
        status: 200,
        schemas: {},
        source: placeText(adoption.place),
        origin: { adopted: adoption.reason },
      }
      route.config = Object.assign(route.config ?? {}, markedConfig(plan))
    })
    await child.register(adoption.plugin)
  })
}

/** The limit of a plugin's routes; one of its own bears the reason as its name. */
export function limitOf({ limit, reason }: Adoption, { limits }: Vocabulary): NamedLimit | undefined {
  if (typeof limit !== 'string') return { name: reason, limit }
  const named = limits[limit]
  return named === undefined ? undefined : { name: limit, limit: named }
}

/** Every route that Fastify knows and no declaration accounts for. */
export function unadopted(edge: Edge): Violation[] {
  return edge.routes.flatMap((route): Violation[] => {
    if (markOf(route.config) !== undefined) return []
    return [
      {
        rule: 'plugin.unadopted',
        subject: `${route.method} ${route.url}`,
        source: 'a Fastify plugin',
        fault: 'a plugin brings a route that nobody has adopted',
        fix: `plugins: [adopt('what the plugin is for', plugin, { access: role('admin'), limit: '…' })]`,
      },
    ]
  })
}

/** The plans of the adopted routes. */
export function adoptedPlans(edge: Edge): RoutePlan[] {
  return edge.routes.flatMap((route) => {
    const plan = markOf(route.config)?.plan
    // HEAD comes with its GET.
    if (plan === undefined || typeof plan.origin === 'string' || route.method === 'HEAD') return []
    return [{ ...plan, method: route.method, path: route.url }]
  })
}
