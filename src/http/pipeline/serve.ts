import type { FastifyInstance, FastifyRequest } from 'fastify'
import { assert } from '../../base/index.ts'
import type { Decision, RoutePlan } from '../../route/index.ts'
import { admit, type Gatekeeping } from './admit.ts'
import { answer } from './answer.ts'
import { exchangeOf } from './exchange.ts'
import { markedConfig } from './mark.ts'
import type { PreparedRoute } from './prepare.ts'
import type { PipelineServices } from './services.ts'

const decisions = new WeakMap<FastifyRequest, Decision>()

/** Registers a prepared route: admission before the body is read, then the answer. */
export function serve(
  fastify: FastifyInstance,
  route: PreparedRoute,
  plan: RoutePlan,
  services: PipelineServices,
): void {
  fastify.route({
    method: route.method,
    url: route.path,
    config: markedConfig(plan),
    onRequest: gatekeeper(route, services),
    handler: async (request, reply) => {
      const decision = decisions.get(request)
      assert(decision !== undefined, 'a handler runs only after admission')
      const { headers } = request
      const exchange = exchangeOf(request, reply)
      const given = await answer(
        route,
        {
          id: request.id,
          decision,
          exchange,
          params: request.params,
          query: request.query,
          body: request.body,
          hasBody: headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0,
          ifMatch: headers['if-match'],
          ifNoneMatch: headers['if-none-match'],
          idempotencyKey: oneField(headers['idempotency-key']),
        },
        services,
      )
      if (given.entityTag !== undefined) reply.header('etag', given.entityTag)
      if (given.isReplayed === true) reply.header('idempotency-replayed', 'true')
      if (given.content !== null) reply.header('content-type', 'application/json; charset=utf-8')
      return reply.code(given.status).send(given.content ?? undefined)
    },
  })
}

/** The admission hook of a route or of a plugin's adopted routes. */
export function gatekeeper(
  route: Gatekeeping,
  services: PipelineServices,
): (request: FastifyRequest) => Promise<void> {
  return async (request) => {
    const { authorization, cookie } = request.headers
    const arrival = { clientAddress: request.clientAddress, headers: { authorization, cookie } }
    decisions.set(request, await admit(route, arrival, services))
  }
}

/** Two fields are read as one, which no key looks like: nobody knows which of the two was meant. */
function oneField(field: string | string[] | undefined): string | undefined {
  return Array.isArray(field) ? field.join(', ') : field
}
