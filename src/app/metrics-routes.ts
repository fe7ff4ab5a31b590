import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Secret } from '../base/index.ts'
import { equalConstantTime } from '../crypto/index.ts'
import { gatekeeper, markedConfig, type PipelineServices } from '../http/index.ts'
import { parseBearer } from '../identity/index.ts'
import { type LimitClass, type Principal, type RoutePlan, roleAccess } from '../route/index.ts'
import { administratorRole } from '../users/index.ts'
import { builtinLimits } from './builtin.ts'

/** What the routes of metrics answer with. */
export interface MetricsFront {
  /** The exposition in the format that the field `Accept` asks for. */
  exposition(accept: string | undefined): Promise<{ readonly type: string; readonly content: string }>
  /** The figures about security, as JSON can hold them. */
  security(): Promise<unknown>
}

/** What they are served with. */
export interface MetricsServing {
  readonly front: () => MetricsFront
  /** The token of whoever scrapes; `null` when only administrators may look. */
  readonly token: Secret | null
  readonly limit: LimitClass | undefined
  readonly services: PipelineServices
}

// A name that no application can give a role: a colon is in none.
const scraperRole = 'holdfast:scrape'
const scraper: Principal = { id: 'holdfast:scrape', roles: [scraperRole] }

/**
 * Registers `/metrics` and `/metrics/security`: for administrators, and for whoever has the token of the settings.
 * What they tell is about everybody, so neither is ever open.
 *
 * @see OWASP ASVS 5.0 §13.4.5
 */
export function serveMetrics(fastify: FastifyInstance, serving: MetricsServing): RoutePlan[] {
  const { front, services, token } = serving
  const identify: PipelineServices['identify'] = (headers) =>
    isToken(headers.authorization, token) ? scraper : services.identify(headers)
  const access = roleAccess(administratorRole, scraperRole).rule
  const limit = { name: 'probe', limit: serving.limit ?? builtinLimits.probe }
  const register = (
    path: string,
    answer: (request: FastifyRequest) => Promise<{ readonly type: string; readonly content: string }>,
  ): RoutePlan => {
    const plan: RoutePlan = {
      method: 'GET',
      path,
      access: { kind: 'role', roles: [administratorRole, scraperRole] },
      limit: limit.name,
      status: 200,
      schemas: {},
      source: 'holdfast',
      origin: 'holdfast',
    }
    fastify.route({
      method: 'GET',
      url: path,
      config: markedConfig(plan),
      // Nobody is recalled past an identity that is not the one that they were known by.
      onRequest: gatekeeper({ access, limit }, { ...services, identify, recall: undefined }),
      handler: async (request, reply) => {
        const { type, content } = await answer(request)
        return reply.header('content-type', type).send(content)
      },
    })
    return plan
  }
  return [
    register('/metrics', (request) => front().exposition(request.headers.accept)),
    register('/metrics/security', async () => ({
      type: 'application/json; charset=utf-8',
      content: JSON.stringify(await front().security()),
    })),
  ]
}

function isToken(authorization: string | undefined, token: Secret | null): boolean {
  if (token === null || authorization === undefined) return false
  const given = parseBearer(authorization)
  return given !== null && equalConstantTime(Buffer.from(given), Buffer.from(token.reveal()))
}
