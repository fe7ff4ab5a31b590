import type { ProblemCode } from '../errors/index.ts'
import type { ObservedRequest } from '../http/index.ts'
import { probeOf } from './probes.ts'
import { isScannerAgent, isScannerPath } from './scanners.ts'
import type { SessionWatch } from './session-watch.ts'
import type { Signal, SignalName } from './signal.ts'

/** What is looked at beside the request itself. */
export interface RequestView {
  readonly sessions: SessionWatch | undefined
  /** Paths and patterns that nobody has a reason to ask for, in lower case. */
  readonly trapRoutes: ReadonlySet<string>
  /** Names of query parameters that no form shows. */
  readonly trapFields: readonly string[]
}

/** Takes what was seen. */
export type TakeSignal = (signal: Signal) => void

const inputProblems: ReadonlySet<ProblemCode | null> = new Set([
  'BAD_REQUEST',
  'JSON_REFUSED',
  'VALIDATION_FAILED',
  'UNSUPPORTED_MEDIA_TYPE',
] as const)

// Honest clients run into these all the time: a token that has expired, an edit that came too late, a limit.
const everyday: ReadonlySet<number> = new Set([401, 408, 409, 412, 428, 429])

// A page of another site can make its visitors ask for anything, by an image or a link, without a session. Whoever was
// lured must not be banned for it, nor an office around them: what they ask for counts only where nobody is banned. It
// is not ignored, because a scanner can say the same of itself.
function weakerOf(name: SignalName): SignalName {
  if (name === 'sql-evident') return 'sql-likely'
  return name === 'injection-evident' ? 'injection-likely' : name
}

/** Tells of everything in a request that some detector counts. For an ordinary one that is nothing, and cheap. */
export function signalsOf(request: ObservedRequest, view: RequestView, atMs: number, take: TakeSignal): void {
  const { problem, status, target, userAgent, sessionId, address } = request
  // Banned: it was not looked at, so there is nothing in it to count.
  if (problem === 'ABNORMAL_USAGE') return
  const tell = (name: SignalName, what: string): void => take(signalFrom(request, name, what, atMs))
  if (sessionId !== null && view.sessions?.sees({ sessionId, address, userAgent, atMs }) === true)
    tell('session-moved', sessionId)
  const probe = probeOf(target)
  const isLured = request.isCrossSite === true && request.userId === null
  if (probe !== undefined) tell(isLured ? weakerOf(probe.signal) : probe.signal, probe.part)
  if (isScannerAgent(userAgent)) tell('scanner-agent', userAgent)
  if (request.isForeignOrigin === true) tell('origin-refused', address)
  if (!isLured && isTrapped(request, view)) tell('honeytoken-touched', target)
  if (status >= 400 && status < 500) refusalSignals(request, isLured, tell)
  // 501, for a method that no server of ours knows.
  else if (problem === 'NOT_IMPLEMENTED') tell('method-refused', request.method)
}

function refusalSignals(
  request: ObservedRequest,
  isLured: boolean,
  tell: (name: SignalName, what: string) => void,
): void {
  const { problem, status, target, userId, route, method, address } = request
  if (!isLured && problem === 'NOT_FOUND' && route === null) {
    const path = pathOf(target)
    tell('path-missed', path)
    if (isScannerPath(path)) tell('scanner-path', path)
  }
  if (!isLured && problem === 'NOT_FOUND' && route?.includes(':') === true)
    tell(userId === null ? 'object-missed-by-stranger' : 'object-missed', pathOf(target))
  // Strangers are asked to log in: only of an account it is known that it may not.
  if (problem === 'FORBIDDEN' && userId !== null && route !== null)
    tell('route-forbidden', `${method} ${route}`)
  if (problem === 'METHOD_NOT_ALLOWED') tell('method-refused', method)
  if (problem === 'CROSS_SITE_REFUSED') tell('cross-site-refused', address)
  if (inputProblems.has(problem))
    tell(userId === null ? 'input-refused-of-stranger' : 'input-refused', pathOf(target))
  if (!everyday.has(status))
    tell(userId === null ? 'request-refused-of-stranger' : 'request-refused', pathOf(target))
}

function signalFrom(request: ObservedRequest, name: SignalName, what: string, atMs: number): Signal {
  const { address, userId, sessionId, route, method } = request
  return {
    name,
    atMs,
    address,
    account: userId,
    session: sessionId,
    route: route === null ? null : `${method} ${route}`,
    what,
  }
}

function pathOf(target: string): string {
  const query = target.indexOf('?')
  return (query === -1 ? target : target.slice(0, query)).toLowerCase()
}

function isTrapped(request: ObservedRequest, { trapFields, trapRoutes }: RequestView): boolean {
  const hasField = trapFields.length > 0 && hasTrapField(request.target, trapFields)
  return hasField || (trapRoutes.size > 0 && isTrapRoute(request, trapRoutes))
}

function isTrapRoute({ target, route }: ObservedRequest, traps: ReadonlySet<string>): boolean {
  return (route !== null && traps.has(route.toLowerCase())) || traps.has(pathOf(target))
}

function hasTrapField(target: string, fields: readonly string[]): boolean {
  const query = target.indexOf('?')
  if (query === -1) return false
  const names = new URLSearchParams(target.slice(query + 1))
  return fields.some((field) => names.has(field))
}
