import type { FastifyInstance, FastifyReply, FastifyRequest, HookHandlerDoneFunction } from 'fastify'
import { after, assert } from '../../base/index.ts'
import { Problem } from '../../errors/index.ts'
import { crowdedProblem, type LimitOutcome, ReplyEnd } from '../../limits/index.ts'
import { decider, type Principal, type RoutePlan } from '../../route/index.ts'
import { noteProblem } from '../completion-log.ts'
import { isPlainEncoding } from '../content-type.ts'
import { problemOf } from '../problem-of.ts'
import { HardenedReply } from '../response.ts'
import { type Admission, admit, type Gatekeeping } from './admit.ts'
import { answer } from './answer.ts'
import { exchangeOf } from './exchange.ts'
import { markedConfig, noteTimed } from './mark.ts'
import type { PreparedRoute } from './prepare.ts'
import type { Answer, PipelineServices } from './services.ts'

/** Registers a prepared route: admission before the body is read, then the answer. */
export function serve(
  fastify: FastifyInstance,
  route: PreparedRoute,
  plan: RoutePlan,
  services: PipelineServices,
): void {
  const isOwn = route.record.isOwn === true
  fastify.route({
    method: route.method,
    url: route.path,
    config: noteTimed(markedConfig(plan)),
    onRequest: gatekeeper(route, services),
    handler: (request, reply) => {
      const { headers, state } = request
      const { clientAddress, decision, trace } = state
      assert(decision !== null, 'a handler runs only after admission')
      const admitted = {
        id: request.id,
        clientAddress,
        decision,
        params: request.params,
        query: request.query,
        body: request.body,
        hasBody: headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0,
        headers,
        exchange: isOwn ? exchangeOf(request, reply) : undefined,
      }
      const work = () => answer(route, admitted, services)
      // What the handler begins is a child of the request's span.
      const given = trace === undefined ? work() : trace.run(work)
      if (given instanceof Promise) sendLate(reply, given, isOwn)
      else send(reply, given, isOwn)
    },
  })
}

/** @param isOwn Whether the handler may have set fields through the exchange. */
function send(reply: FastifyReply, given: Answer, isOwn: boolean): void {
  const { raw, server, request } = reply
  const { content, status } = given
  const isDirect = !isOwn && server.edge.isPlain && server.edge.foreignHooks.count === 0
  // Nobody but us has touched the reply, or wants to see it.
  if (isDirect && content !== null && raw instanceof HardenedReply && request.method !== 'HEAD') {
    if (given.entityTag !== undefined) raw.addOwn({ etag: given.entityTag })
    if (given.isReplayed === true) raw.addOwn({ 'idempotency-replayed': 'true' })
    raw.sendJson(status, content)
    return
  }
  if (given.entityTag !== undefined) reply.header('etag', given.entityTag)
  if (given.isReplayed === true) reply.header('idempotency-replayed', 'true')
  if (given.content !== null) reply.header('content-type', 'application/json; charset=utf-8')
  reply.code(given.status).send(given.content ?? undefined)
}

/** Sends what a handler has to wait for, or cuts it off: what comes of it later is dropped. */
function sendLate(reply: FastifyReply, given: Promise<Answer>, isOwn: boolean): void {
  // Not by `reply.sent`: a plugin's hook for errors may take its time before anything is.
  let isOver = false
  const finish = (work: () => void): void => {
    if (isOver) return
    isOver = true
    deadline.end()
    try {
      if (!reply.sent) work()
    } catch (error) {
      // What fails while it is sent concerns this reply alone.
      noteProblem(reply.request, problemOf(error))
      reply.raw.destroy()
    }
  }
  const deadline = reply.server.edge.deadlines.start(() => finish(() => fail(reply, overdue())))
  given.then(
    (answered) => finish(() => send(reply, answered, isOwn)),
    (error: unknown) => finish(() => fail(reply, error)),
  )
}

function fail(reply: FastifyReply, error: unknown): void {
  reply.send(error instanceof Error ? error : problemOf(error))
}

function overdue(): Problem {
  const reason = 'the handler took too long'
  return new Problem('UNAVAILABLE', reason, { cause: reason, headers: { 'retry-after': '5' } })
}

/** The admission hook of a route or of a plugin's adopted routes. */
export function gatekeeper(
  route: Gatekeeping,
  services: PipelineServices,
): (request: FastifyRequest, reply: FastifyReply, done: HookHandlerDoneFunction) => void {
  const limiter = services.limiterFor(route.limit)
  const decisionOf = decider(route.access)
  const { costOf } = route
  return (request, reply, done) => {
    const { authorization, cookie } = request.headers
    const arrival = {
      clientAddress: request.state.clientAddress,
      route: nameOf(route, request),
      params: paramsOf(request),
      headers: { authorization, cookie },
      cost: costOf === undefined ? 1 : costOf(request.query),
    }
    // Before anything is waited for: the reply could be over by then.
    const isWatched = limiter.watchesEnd || services.responses.slowsDown()
    const end = isWatched ? new ReplyEnd(reply.raw) : undefined
    const decided = ({ user, outcome }: Admission): void | Promise<void> => {
      const { state, headers } = request
      state.caller = user
      state.pattern = route.path
      // On refusals too: a client that guesses sees its quota go.
      const { raw } = reply
      if (raw instanceof HardenedReply) raw.addOwn(outcome.fields)
      else reply.headers(outcome.fields)
      // Once its reply is out, or its client gone: which is no good end.
      if (outcome.settle !== undefined) end?.onEnd(outcome.settle)
      if (!isPlainEncoding(headers['content-encoding']) && !request.is404)
        throw new Problem('UNSUPPORTED_MEDIA_TYPE', 'content encoding')
      state.decision = decisionOf(user)
      // After the request has been counted and its end is watched: a refusal of this kind is no way around a limit.
      if (user !== null && route.standsStepUp !== true) requireStepUp(user, services)
      if (end === undefined) return undefined
      const slowedMs = services.responses.slowedByMs(state.clientAddress, user?.id ?? null)
      const delayMs = Math.max(outcome.delayMs, slowedMs)
      return delayMs > 0 ? holdBack({ ...outcome, delayMs }, end, services) : undefined
    }
    let passed: void | Promise<void>
    try {
      passed = after(admit(route.access, limiter, arrival, services), decided)
    } catch (error) {
      done(problemOf(error))
      return
    }
    if (passed instanceof Promise)
      passed.then(
        () => done(),
        (error: unknown) => done(problemOf(error)),
      )
    else done()
  }
}

/** `GET /api/notes/:id`: by the method that was asked for, since HEAD goes where GET does. */
function nameOf({ method, name }: Gatekeeping, request: FastifyRequest): string {
  return name !== undefined && method === request.method
    ? name
    : `${request.method} ${request.routeOptions.url ?? ''}`
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
  return isParams(params) ? params : noParams
}

const noParams: Readonly<Record<string, string>> = Object.freeze({})

/** The router makes nothing else. */
function isParams(params: unknown): params is Readonly<Record<string, string>> {
  return typeof params === 'object' && params !== null
}

async function holdBack(outcome: LimitOutcome, end: ReplyEnd, { delays }: PipelineServices): Promise<void> {
  const ended = await delays.wait(outcome.delayMs, (gone) => end.onEnd(gone))
  if (ended === 'waited') return
  // A client that goes away while it is held back must not have its work done without the wait.
  if (ended === 'gone') throw new Problem('REQUEST_TIMEOUT', 'the client went away while it was slowed down')
  throw crowdedProblem(outcome)
}
