import './request.ts'
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify as makeFastify } from 'fastify'
import { Problem } from '../errors/index.ts'
import {
  banStep,
  clientAddressStep,
  connectionQuotaStep,
  cookieStep,
  corsStep,
  crossSiteStep,
  encodingStep,
  headStep,
  hostStep,
  loadStep,
  offeredStep,
  type Step,
  stoppingStep,
} from './arrival.ts'
import { CompletionLog, logCompletion, noteProblem, observeUnsent } from './completion-log.ts'
import { isJsonType } from './content-type.ts'
import { corsFor } from './cors.ts'
import type { EdgeOptions, OptionalHeaders } from './edge-options.ts'
import { type IsTrusted, trustOf } from './forwarded.ts'
import { secureCheck } from './headers.ts'
import { createHealth, type HealthRegistry } from './health.ts'
import { hostCheck } from './host.ts'
import { defaultLimits, type EdgeLimits } from './limits.ts'
import { createNodeServer } from './node-server.ts'
import { offerOf } from './offered.ts'
import { problemOf } from './problem-of.ts'
import { sendProblem } from './problem-reply.ts'
import { queryParser } from './query.ts'
import { dress, hardenedReplies } from './response.ts'
import { collectRoutes, type RegisteredRoute } from './routes-seen.ts'
import { createShedder, defaultShedSettings, type LoadShedder } from './shed.ts'
import { socketErrorHandler } from './socket-errors.ts'
import { parseStrictJson } from './strict-json.ts'

/** The edge of a server: everything between the socket and the first route. */
export interface Edge {
  /** The engine, with the edge installed. Any Fastify plugin can be registered. */
  readonly fastify: FastifyInstance
  /** Every route registered so far, in order. */
  readonly routes: readonly RegisteredRoute[]
  readonly health: HealthRegistry
  readonly shedder: LoadShedder
}

/** What the parts of one edge share. */
interface Parts {
  readonly options: EdgeOptions
  readonly limits: EdgeLimits
  readonly isTrusted: IsTrusted
  readonly health: HealthRegistry
  readonly shedder: LoadShedder
  /** Puts the security headers on a reply that was not made by our own server: an injected one. */
  readonly dressStep: Step
}

const checkTimeoutMs = 2_000
const defaultTlsPollMs = 5_000

/**
 * Makes the HTTP edge. It has no routes of its own; register them, then call `fastify.listen`.
 *
 * @example
 * const { fastify } = createEdge({ origin: new URL('http://127.0.0.1:3000'), mode: 'development', trustedProxies: [], allowedOrigins: [], logger })
 * @see OWASP ASVS 5.0 §3.4, §4.1, §4.2, §12.1
 */
export function createEdge(options: EdgeOptions): Edge {
  const limits: EdgeLimits = { ...defaultLimits, ...options.limits }
  const isTrusted = trustOf(options.trustedProxies)
  const isSecure = secureCheck(options.origin, isTrusted)
  const { settings = defaultShedSettings, parts: shedParts } = options.shedding ?? {}
  const parts: Parts = {
    options,
    limits,
    isTrusted,
    health: createHealth({
      checkTimeoutMs,
      onFailure: (check, error) => options.logger.warn({ check, err: error }, 'not ready'),
    }),
    shedder: createShedder(settings, shedParts),
    dressStep: (request, reply) => {
      if (!reply.raw.hasHeader('x-content-type-options')) dress(reply.raw, isSecure(request.raw))
      return false
    },
  }
  const fastify = instanceOf(parts, isSecure)
  const routes = collectRoutes(fastify)
  fastify.decorateRequest('clientAddress', '')
  fastify.decorateRequest('caller', null)
  fastify.decorateRequest('isForeignOrigin', false)
  fastify.decorateRequest('trace', undefined)
  fastify.decorateRequest('isNoted', false)
  installSteps(fastify, parts)
  installJson(fastify, limits)
  installErrors(fastify, options.headers ?? {})
  installReplies(fastify, parts)
  fastify.addHook('onReady', async () => parts.health.serve())
  fastify.addHook('onClose', async () => parts.shedder.stop())
  return { fastify, routes, health: parts.health, shedder: parts.shedder }
}

function instanceOf(parts: Parts, isSecure: ReturnType<typeof secureCheck>): FastifyInstance {
  const { options, limits } = parts
  const { logger, tls, tlsPollMs = defaultTlsPollMs } = options
  const replies = hardenedReplies(isSecure)
  return makeFastify({
    serverFactory: (handler) => createNodeServer(handler, { limits, replies, logger, tls, tlsPollMs }),
    clientErrorHandler: socketErrorHandler(replies, logger),
    frameworkErrors: (error, request, reply) => refuseUnrouted(error, request, reply, parts),
    loggerInstance: logger,
    logController: new CompletionLog(options.watchers?.observe),
    // Never the client's: an id from outside could repeat, lie, or carry anything into the log.
    requestIdHeader: false,
    genReqId: () => crypto.randomUUID(),
    // Fastify's own reading of forwarding headers stays off; forwarded.ts does it.
    trustProxy: false,
    allowErrorHandlerOverride: false,
    return503OnClosing: false,
    exposeHeadRoutes: true,
    bodyLimit: limits.bodyBytes,
    handlerTimeout: limits.handlerTimeoutMs,
    routerOptions: {
      caseSensitive: true,
      ignoreTrailingSlash: false,
      ignoreDuplicateSlashes: false,
      allowUnsafeRegex: false,
      maxParamLength: limits.parameterChars,
      querystringParser: queryParser(limits.queryParameterCount),
    },
  })
}

// The order is the security model. Nothing of the body has been read before the last of these has passed.
function installSteps(fastify: FastifyInstance, parts: Parts): void {
  const { options, limits, health, shedder } = parts
  const offer = offerOf(fastify)
  const { tracer } = options.watchers ?? {}
  const arrival: readonly Step[] = [
    parts.dressStep,
    namingStep(options.headers ?? {}),
    clientAddressStep(parts.isTrusted),
    banStep(options.bannedForMs ?? nobody),
    connectionQuotaStep(limits),
    stoppingStep(health),
    loadStep(shedder),
    headStep(limits),
    hostStep(hostCheck(options.origin, options.mode)),
    cookieStep,
    corsStep(corsFor(options.allowedOrigins), offer),
    crossSiteStep({ own: options.origin.origin, listed: new Set(options.allowedOrigins) }),
  ]
  // These come after every other onRequest hook, so that limits count also what no route takes.
  const beforeBody: readonly Step[] = [offeredStep(offer), encodingStep]

  fastify.addHook('onRequest', (request, reply, done) => {
    observeUnsent(request, reply, options.watchers?.observe)
    if (tracer !== undefined) request.trace = tracer.startRequest(request.headers, request.method)
    if (!runSteps(arrival, request, reply, done)) done()
  })
  fastify.addHook('preParsing', (request, reply, _payload, done) => {
    if (!runSteps(beforeBody, request, reply, done)) done()
  })
}

function nobody(): undefined {
  return undefined
}

/** Runs steps until one answers or refuses; `true` when nothing is left to do. */
function runSteps(
  steps: readonly Step[],
  request: FastifyRequest,
  reply: FastifyReply,
  refuse: (problem: Problem) => void,
): boolean {
  try {
    return steps.some((step) => step(request, reply))
  } catch (error) {
    refuse(problemOf(error))
    return true
  }
}

function namingStep({ requestId = false, apiVersion }: OptionalHeaders): Step {
  return (request, { raw }) => {
    if (requestId) raw.setHeader('x-request-id', request.id)
    if (apiVersion !== undefined) raw.setHeader('api-version', apiVersion)
    return false
  }
}

function installJson(fastify: FastifyInstance, limits: EdgeLimits): void {
  const jsonLimits = {
    depthCount: limits.jsonDepthCount,
    keyCount: limits.jsonKeyCount,
    elementCount: limits.jsonElementCount,
  }
  // The text/plain parser goes too: a form of another site can send that type without a preflight (ASVS 3.5.2).
  fastify.removeAllContentTypeParsers()
  fastify.addContentTypeParser<Buffer>('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    if (!isJsonType(request.headers['content-type'])) {
      done(new Problem('UNSUPPORTED_MEDIA_TYPE', 'content type parameters'))
      return
    }
    let value: unknown
    try {
      value = parseStrictJson(body, jsonLimits)
    } catch (error) {
      done(problemOf(error))
      return
    }
    done(null, value)
  })
}

function installErrors(fastify: FastifyInstance, { responseTime = false }: OptionalHeaders): void {
  fastify.setErrorHandler((error: unknown, request, reply) => {
    const problem = isAborted(request) ? new Problem('BAD_REQUEST', 'the client went away') : problemOf(error)
    noteProblem(request, problem)
    if (responseTime) reply.header('x-response-time', durationText(reply))
    sendProblem(reply, problem)
  })
  // Reached through reply.callNotFound() only; unrouted requests are answered before.
  fastify.setNotFoundHandler((request, reply) => {
    const problem = new Problem('NOT_FOUND', 'callNotFound')
    noteProblem(request, problem)
    sendProblem(reply, problem)
  })
  fastify.addHook('onRequestAbort', (request, done) => {
    request.log.info({ clientAddress: request.clientAddress }, 'request aborted by the client')
    done()
  })
}

// The body stopped before its end and the socket is gone: not an error of ours, whatever was thrown.
function isAborted({ raw }: FastifyRequest): boolean {
  return raw.destroyed && !raw.complete
}

function refuseUnrouted(error: Error, request: FastifyRequest, reply: FastifyReply, parts: Parts): void {
  // The router refused the target itself, so no hook has run.
  const steps = [
    parts.dressStep,
    clientAddressStep(parts.isTrusted),
    banStep(parts.options.bannedForMs ?? nobody),
  ]
  const answer = (problem: Problem): void => {
    noteProblem(request, problem)
    sendProblem(reply, problem)
    logCompletion(request, reply, 0, parts.options.watchers?.observe)
  }
  if (!runSteps(steps, request, reply, answer)) answer(problemOf(error))
}

function installReplies(fastify: FastifyInstance, { options, health }: Parts): void {
  const { responseTime = false } = options.headers ?? {}
  fastify.addHook('onSend', (_request, reply, _payload, done) => {
    if (health.phase === 'stopping') reply.header('connection', 'close')
    const vary = reply.getHeader('vary')
    // A handler that names another field must not take Origin away.
    if (typeof vary === 'string' && !/\borigin\b/i.test(vary)) reply.header('vary', `${vary}, Origin`)
    if (responseTime) reply.header('x-response-time', durationText(reply))
    done()
  })
}

function durationText(reply: FastifyReply): string {
  return `${Math.round(reply.elapsedTime)}ms`
}
