import './request.ts'
import { type FastifyInstance, type FastifyRequest, fastify as makeFastify } from 'fastify'
import { randomId } from '../crypto/index.ts'
import { Problem } from '../errors/index.ts'
import { safeLines } from '../observe/index.ts'
import { noteProblem, QuietLog } from './completion-log.ts'
import { isJsonType, isPlainEncoding } from './content-type.ts'
import { Deadlines } from './deadlines.ts'
import { type EdgeParts, installSteps, refuseUnrouted } from './edge-hooks.ts'
import type { EdgeOptions, OptionalHeaders } from './edge-options.ts'
import { countForeignHooks } from './foreign-hooks.ts'
import { trustOf } from './forwarded.ts'
import { secureCheck } from './headers.ts'
import { createHealth, type HealthRegistry } from './health.ts'
import { lazyCompilers } from './lazy-compilers.ts'
import { defaultLimits, type EdgeLimits } from './limits.ts'
import { createNodeServer } from './node-server.ts'
import { isTimed } from './pipeline/mark.ts'
import { problemOf } from './problem-of.ts'
import { sendProblem } from './problem-reply.ts'
import { queryParser } from './query.ts'
import { dressInjected, HardenedReply, hardenedReplies } from './response.ts'
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
  const parts: EdgeParts = {
    options,
    completion: { observe: options.watchers?.observe, writeSafe: safeLines(options.logger) },
    limits,
    isTrusted,
    health: createHealth({
      checkTimeoutMs,
      onFailure: (check, error) => options.logger.warn({ check, err: error }, 'not ready'),
    }),
    shedder: createShedder(settings, shedParts),
    dressStep: (request, { raw }) => {
      if (!(raw instanceof HardenedReply)) dressInjected(raw, isSecure(request.raw))
      return false
    },
  }
  const fastify = instanceOf(parts, isSecure)
  const routes = collectRoutes(fastify)
  limitHandlers(fastify, limits.handlerTimeoutMs)
  decorateRequests(fastify)
  installSteps(fastify, parts)
  installJson(fastify, limits)
  installErrors(fastify, options.headers ?? {})
  installReplies(fastify, parts)
  const deadlines = new Deadlines(limits.handlerTimeoutMs)
  fastify.decorate('edge', {
    deadlines,
    foreignHooks: countForeignHooks(fastify),
    isPlain: options.headers?.responseTime !== true,
  })
  fastify.addHook('onReady', async () => parts.health.serve())
  fastify.addHook('onClose', async () => parts.shedder.stop())
  return { fastify, routes, health: parts.health, shedder: parts.shedder }
}

function instanceOf(parts: EdgeParts, isSecure: ReturnType<typeof secureCheck>): FastifyInstance {
  const { options, limits } = parts
  const { logger, tls, tlsPollMs = defaultTlsPollMs } = options
  const replies = hardenedReplies({ isSecure, isStopping: () => parts.health.phase === 'stopping' })
  const fastify = makeFastify({
    serverFactory: (handler) => createNodeServer(handler, { limits, replies, logger, tls, tlsPollMs }),
    clientErrorHandler: socketErrorHandler(replies, logger),
    frameworkErrors: (error, request, reply) => refuseUnrouted(error, request, reply, parts),
    // Each request gets a log of ours, see RequestLog; with one of its own, Fastify would make two for it.
    logger: false,
    logController: new QuietLog(),
    schemaController: { compilersFactory: lazyCompilers() },
    // Never the client's: an id from outside could repeat, lie, or carry anything into the log.
    requestIdHeader: false,
    genReqId: randomId,
    // Fastify's own reading of forwarding headers stays off; forwarded.ts does it.
    trustProxy: false,
    allowErrorHandlerOverride: false,
    return503OnClosing: false,
    exposeHeadRoutes: true,
    bodyLimit: limits.bodyBytes,
    routerOptions: {
      caseSensitive: true,
      ignoreTrailingSlash: false,
      ignoreDuplicateSlashes: false,
      allowUnsafeRegex: false,
      maxParamLength: limits.parameterChars,
      querystringParser: queryParser(limits.queryParameterCount),
    },
  })
  fastify.log = logger
  return fastify
}

function decorateRequests(fastify: FastifyInstance): void {
  // The first hook gives each its own.
  fastify.decorateRequest('state')
  fastify.decorateRequest('clientAddress', {
    getter() {
      return this.state.clientAddress
    },
  })
  fastify.decorateRequest('caller', {
    getter() {
      return this.state.caller
    },
  })
}

/** Cuts off handlers that are none of ours; those see to it themselves. */
function limitHandlers(fastify: FastifyInstance, handlerTimeoutMs: number): void {
  fastify.addHook('onRoute', (route) => {
    if (!isTimed(route.config ?? {})) route.handlerTimeout ??= handlerTimeoutMs
  })
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
    // Routes of an application were held to this before their body was read.
    if (!isPlainEncoding(request.headers['content-encoding'])) {
      done(new Problem('UNSUPPORTED_MEDIA_TYPE', 'content encoding'))
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
    if (responseTime) reply.header('x-response-time', durationText(request))
    sendProblem(reply, problem)
  })
  // Reached through reply.callNotFound() only; unrouted requests are answered before.
  fastify.setNotFoundHandler((request, reply) => {
    const problem = new Problem('NOT_FOUND', 'callNotFound')
    noteProblem(request, problem)
    sendProblem(reply, problem)
  })
}

// The body stopped before its end and the socket is gone: not an error of ours, whatever was thrown.
function isAborted({ raw }: FastifyRequest): boolean {
  return raw.destroyed && !raw.complete
}

function installReplies(fastify: FastifyInstance, { options }: EdgeParts): void {
  if (options.headers?.responseTime !== true) return
  fastify.addHook('onSend', (request, reply, _payload, done) => {
    reply.header('x-response-time', durationText(request))
    done()
  })
}

function durationText({ state }: FastifyRequest): string {
  return `${Math.round(performance.now() - state.startedMs)}ms`
}
