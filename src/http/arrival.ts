import type { FastifyReply, FastifyRequest } from 'fastify'
import { Problem } from '../errors/index.ts'
import { bannedProblem } from './banned.ts'
import { repeatedGuardedCookie } from './cookies.ts'
import type { Cors } from './cors.ts'
import { isCrossSite, type TrustedOrigins } from './csrf.ts'
import type { EdgeOptions } from './edge-options.ts'
import { clientAddressOf, type IsTrusted } from './forwarded.ts'
import type { HealthRegistry } from './health.ts'
import type { HostFacts, HostVerdict } from './host.ts'
import type { EdgeLimits } from './limits.ts'
import { allowOf, notOffered, type Offer } from './offered.ts'
import { queryRefusal } from './query.ts'
import { headRefusal } from './request-head.ts'
import type { LoadShedder } from './shed.ts'

/**
 * One thing the edge does to every request. It throws a Problem to refuse it.
 *
 * @returns `true` when it has answered the request itself.
 */
export type Step = (request: FastifyRequest, reply: FastifyReply) => boolean

const retryLater: Readonly<Record<string, string>> = { 'retry-after': '5' }

/** Probes come by address, and must be answered while everything else is turned away. */
function isProbe(request: FastifyRequest): boolean {
  return isProbeRoute(request.routeOptions.url)
}

/** Whether a pattern is the one of a probe. */
export function isProbeRoute(pattern: string | null | undefined): boolean {
  return pattern === '/health/live' || pattern === '/health/ready'
}

// An operator who comes to see why the server is busy must not be turned away because it is.
function isConsole(request: FastifyRequest): boolean {
  const pattern = request.routeOptions.url
  return pattern === '/console' || pattern?.startsWith('/console/') === true
}

/** Notes the client's address. The one of a socket stays the same, and is read once. */
export function clientAddressStep(isTrusted: IsTrusted): Step {
  const peers = new WeakMap<object, string>()
  return (request) => {
    const { socket } = request.raw
    const forwarded = request.headers['x-forwarded-for']
    if (forwarded !== undefined) {
      const field = Array.isArray(forwarded) ? forwarded.join(',') : forwarded
      request.state.clientAddress = clientAddressOf(socket.remoteAddress, field, isTrusted)
      return false
    }
    let peer = peers.get(socket)
    if (peer === undefined) {
      peer = clientAddressOf(socket.remoteAddress, undefined, isTrusted)
      peers.set(socket, peer)
    }
    request.state.clientAddress = peer
    return false
  }
}

/**
 * Refuses whoever is banned, before anything else is looked at: no host, no route, no limit and nothing of the body.
 * Probes are no exception, or a banned client would have a door left; an orchestrator belongs into NEVER_BANNED.
 *
 * @see OWASP ASVS 5.0 §2.4.1, §15.3.4
 */
export function banStep(bannedForMs: NonNullable<EdgeOptions['bannedForMs']>): Step {
  return (request, reply) => {
    const forMs = bannedForMs(request.state.clientAddress)
    if (forMs === undefined) return false
    reply.raw.setHeader('connection', 'close')
    throw bannedProblem(forMs)
  }
}

/** Closes a connection after so many requests; what was sent behind the last one is not carried out. */
export function connectionQuotaStep(limits: EdgeLimits): Step {
  const served = new WeakMap<object, { count: number }>()
  return ({ raw: { socket } }, reply) => {
    let place = served.get(socket)
    if (place === undefined) {
      place = { count: 0 }
      served.set(socket, place)
    }
    const count = ++place.count
    if (count >= limits.requestsPerConnectionCount) reply.raw.setHeader('connection', 'close')
    if (count > limits.requestsPerConnectionCount) {
      throw new Problem('UNAVAILABLE', 'requests per connection', { headers: retryLater })
    }
    return false
  }
}

/** Turns requests away while the server stops; those that come now came over a connection that was open before. */
export function stoppingStep(health: HealthRegistry): Step {
  return (request, reply) => {
    if (health.phase !== 'stopping') return false
    reply.raw.setHeader('connection', 'close')
    if (isProbe(request)) return false
    throw new Problem('STOPPING', 'stopping', { headers: retryLater })
  }
}

/** Turns requests away while the event loop is late. */
export function loadStep(shedder: LoadShedder): Step {
  return (request) => {
    if (!shedder.isOverloaded() || isProbe(request) || isConsole(request)) return false
    shedder.countShed()
    throw new Problem('OVERLOADED', `event loop late by ${Math.round(shedder.delayMs)} ms`, {
      headers: retryLater,
    })
  }
}

/** Holds target, header fields and query against the limits. */
export function headStep(limits: EdgeLimits): Step {
  return (request) => {
    const refusal = headRefusal(request.raw, limits)
    if (refusal !== undefined) throw refusal
    const reason = queryRefusal(request.query)
    if (reason !== undefined) throw new Problem('BAD_REQUEST', `query: ${reason}`)
    return false
  }
}

/** Refuses requests for another host. */
export function hostStep(check: (facts: HostFacts) => HostVerdict): Step {
  return (request) => {
    const { raw } = request
    const { host } = raw.headers
    const verdict = check({ host, target: raw.url ?? '', localPort: raw.socket.localPort })
    if (verdict === 'ours') return false
    // A probe comes by address, and an old one sends no Host at all.
    if (isProbe(request) && (host !== undefined || raw.httpVersion === '1.0')) return false
    if (verdict === 'malformed') throw new Problem('BAD_REQUEST', 'host missing or malformed')
    if (verdict === 'misdirected') throw new Problem('MISDIRECTED_REQUEST', 'another host')
    return false
  }
}

/** Refuses a planted twin of a guarded cookie. */
export function cookieStep(request: FastifyRequest): boolean {
  const { cookie } = request.headers
  const repeated = cookie === undefined ? undefined : repeatedGuardedCookie(cookie)
  if (repeated !== undefined) throw new Problem('BAD_REQUEST', 'repeated guarded cookie')
  return false
}

/** Grants what CORS grants, and answers preflights from the registered routes. */
export function corsStep(cors: Cors, offer: Offer): Step {
  return (request, reply) => {
    const { origin } = request.headers
    if (origin === undefined) return false
    const requested = request.headers['access-control-request-method']
    if (request.method !== 'OPTIONS' || requested === undefined) {
      for (const [name, value] of cors.grant(origin)) reply.raw.setHeader(name, value)
      return false
    }
    request.state.isForeignOrigin = cors.grant(origin).length === 0
    const target = request.raw.url ?? ''
    const methods = offer.methodsAt(target)
    if (methods.length === 0) throw notOffered(request.method, target, offer)
    for (const [name, value] of cors.grantPreflight(origin, requested, methods))
      reply.raw.setHeader(name, value)
    reply.code(204).header('allow', allowOf(methods)).send()
    return true
  }
}

/** Refuses what another site makes a browser do with its user's cookies. */
export function crossSiteStep(trusted: TrustedOrigins): Step {
  return (request) => {
    const { method, headers } = request
    const { cookie, authorization, origin } = headers
    // Neither can anything be changed without a method that does, nor acts a browser by itself without a cookie.
    if (method === 'GET' || cookie === undefined) return false
    const fetchSite = headers['sec-fetch-site']
    const facts = {
      method,
      hasCookie: true,
      hasAuthorization: authorization !== undefined,
      fetchSite: Array.isArray(fetchSite) ? fetchSite.join() : fetchSite,
      origin,
    }
    if (isCrossSite(facts, trusted))
      throw new Problem('CROSS_SITE_REFUSED', `sec-fetch-site ${facts.fetchSite}`)
    return false
  }
}

/** Answers what no route takes, and OPTIONS, before any of the body is read. */
export function offeredStep(offer: Offer): Step {
  return (request, reply) => {
    if (!request.is404) return false
    const target = request.raw.url ?? ''
    const methods = request.method === 'OPTIONS' ? offer.methodsAt(target) : []
    if (methods.length === 0) throw notOffered(request.method, target, offer)
    reply.code(204).header('allow', allowOf(methods)).send()
    return true
  }
}
