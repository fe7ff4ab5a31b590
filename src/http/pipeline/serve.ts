import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { assert } from '../../base/index.ts'
import { Problem } from '../../errors/index.ts'
import { crowdedProblem, type LimitOutcome, ReplyEnd } from '../../limits/index.ts'
import { type Decision, decide, type Principal, type RoutePlan } from '../../route/index.ts'
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
      const { headers, trace } = request
      const exchange = exchangeOf(request, reply)
      const admitted = {
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
      }
      const work = () => answer(route, admitted, services)
      // What the handler begins is a child of the request's span.
      const given = await (trace === undefined ? work() : trace.run(work))
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
): (request: FastifyRequest, reply: FastifyReply) => Promise<void> {
  const limiter = services.limiterFor(route.limit)
  const costOf = route.costOf ?? (() => 1)
  return async (request, reply) => {
    const { authorization, cookie } = request.headers
    const arrival = {
      clientAddress: request.clientAddress,
      route: `${request.method} ${request.routeOptions.url ?? ''}`,
      params: paramsOf(request),
      headers: { authorization, cookie },
      cost: costOf(request.query),
    }
    // Before anything is waited for: the reply could be over by then.
    const isWatched = limiter.watchesEnd || services.responses.slowsDown()
    const end = isWatched ? new ReplyEnd(reply.raw) : undefined
    const { user, outcome } = await admit(route.access, limiter, arrival, services)
    request.caller = user
    // On refusals too: a client that guesses sees its quota go.
    reply.headers(outcome.fields)
    // Once its reply is out, or its client gone: which is no good end.
    if (outcome.settle !== undefined) end?.onEnd(outcome.settle)
    decisions.set(request, decide(route.access, user))
    // After the request has been counted and its end is watched: a refusal of this kind is no way around a limit.
    if (user !== null && route.standsStepUp !== true) requireStepUp(user, services)
    const slowedMs = services.responses.slowedByMs(request.clientAddress, user?.id ?? null)
    const delayMs = Math.max(outcome.delayMs, slowedMs)
    if (end !== undefined && delayMs > 0) await holdBack({ ...outcome, delayMs }, end, services)
  }
}

/**
 * Refuses a session whose holder has to prove who they are once more, because a detector has found something.
 *
 * @see RFC 9470 §3; OWASP ASVS 5.0 §7.5.3
 */
function requireStepUp({ id, session }: Principal, { responses }: PipelineServices): void {
  if (session === undefined) return
  const sinceMs = responses.stepUpSinceMs(id, session.id)
  if (sinceMs === undefined || session.authTimeSeconds * 1_000 >= sinceMs) return
  throw new Problem('REAUTHENTICATION_REQUIRED', 'a response asks for authentication again', {
    headers: { 'www-authenticate': 'Bearer error="insufficient_user_authentication", max_age=0' },
  })
}

function paramsOf({ params }: FastifyRequest): Readonly<Record<string, string>> {
  return typeof params === 'object' && params !== null ? { ...params } : {}
}

async function holdBack(outcome: LimitOutcome, end: ReplyEnd, { delays }: PipelineServices): Promise<void> {
  const ended = await delays.wait(outcome.delayMs, (gone) => end.onEnd(gone))
  if (ended === 'waited') return
  // A client that goes away while it is held back must not have its work done without the wait.
  if (ended === 'gone') throw new Problem('REQUEST_TIMEOUT', 'the client went away while it was slowed down')
  throw crowdedProblem(outcome)
}

/** Two fields are read as one, which no key looks like: nobody knows which of the two was meant. */
function oneField(field: string | string[] | undefined): string | undefined {
  return Array.isArray(field) ? field.join(', ') : field
}
