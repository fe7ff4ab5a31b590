import { type FastifyReply, type FastifyRequest, LogController } from 'fastify'
import type { Problem } from '../errors/index.ts'
import type { WriteSafeLine } from '../observe/index.ts'
import { isProbeRoute } from './arrival.ts'
import type { ObservedRequest, ObserveRequest } from './observed.ts'
import { RequestLog } from './request-log.ts'
import { HardenedReply } from './response.ts'

const targetChars = 2_048
const userAgentChars = 512

const problems = new WeakMap<FastifyRequest, Problem>()

/** Notes why a request was refused, for its line in the log; an error nobody foresaw gets a line of its own. */
export function noteProblem(request: FastifyRequest, problem: Problem): void {
  problems.set(request, problem)
  if (problem.status < 500 || problem.cause === undefined) return
  request.log.error({ err: problem.cause, problem: problem.code }, 'request failed')
}

/** Who is told of requests that are over. */
export interface CompletionParts {
  readonly observe?: ObserveRequest | undefined
  /** The short way into the log; without it each line goes the long one. */
  readonly writeSafe?: WriteSafeLine | undefined
}

/** Writes the one line of a request: what was asked, how it ended, how long it took, for whom. */
export function logCompletion(
  request: FastifyRequest,
  reply: FastifyReply,
  durationMs: number,
  { observe, writeSafe }: CompletionParts,
): void {
  const { state } = request
  if (state.isNoted) return
  state.isNoted = true
  const status = reply.raw.statusCode
  const problem = problems.get(request)
  const route = state.pattern ?? request.routeOptions.url ?? null
  const end = { route, status, durationMs, bytes: bytesOf(reply), problem }
  // What the reason of a refusal says may be a client's words.
  const isPlain = status < 400 && problem === undefined && isOurs(request)
  if (writeSafe !== undefined && isPlain && !isProbeRoute(route)) writeSafe(safeFields(request, end), message)
  else writeLine(request, end)
  const { trace } = state
  if (observe === undefined && trace === undefined) return
  const seen = observed(request, end)
  observe?.(seen)
  trace?.end(seen)
}

/** A plugin's route may have a level of its own, and its hooks may put fields into the log of a request. */
function isOurs({ state: { pattern }, log }: FastifyRequest): boolean {
  return pattern !== undefined && log instanceof RequestLog && !log.isChanged
}

const message = 'request completed'

/** How a request ended. */
interface Completion {
  /** The pattern, not the path: a path can hold what only its owner should know. */
  readonly route: string | null
  readonly status: number
  readonly durationMs: number
  readonly bytes: number | undefined
  readonly problem: Problem | undefined
}

function writeLine(request: FastifyRequest, { route, status, durationMs, bytes, problem }: Completion): void {
  const line = {
    method: request.method,
    route,
    status,
    durationMs: tenths(durationMs),
    clientAddress: request.state.clientAddress,
    ...(bytes === undefined ? {} : { bytes }),
    ...(problem === undefined ? {} : { problem: problem.code, reason: problem.reason }),
  }
  request.log[levelOf(route, status, problem)](line, message)
}

/** The same fields as text. All are the server's own words: no client can put anything into them. */
function safeFields(
  { id, method, state: { clientAddress } }: FastifyRequest,
  { route, status, durationMs, bytes }: Completion,
): string {
  const size = bytes === undefined ? '"' : `","bytes":${bytes}`
  return `"requestId":"${id}${middleOf(method, route, status)}${tenthsText(durationMs)},"clientAddress":"${clientAddress}${size}`
}

/** `0.4`: one digit, which costs less than a number of any length. */
function tenthsText(durationMs: number): string {
  const count = Math.round(durationMs * 10)
  const digit = count % 10
  return digit === 0 ? String(count / 10) : `${(count - digit) / 10}.${digit}`
}

const middles = new Map<string, Map<number, string>>()

/**
 * What is the same in all lines of one route, method and status, written once. Patterns come from declarations, so there
 * is a bounded number of them.
 */
function middleOf(method: string, route: string | null, status: number): string {
  const name = `${method} ${route ?? ''}`
  let texts = middles.get(name)
  if (texts === undefined) {
    texts = new Map()
    middles.set(name, texts)
  }
  let text = texts.get(status)
  if (text === undefined) {
    text = `","method":"${method}","route":${JSON.stringify(route)},"status":${status},"durationMs":`
    texts.set(status, text)
  }
  return text
}

function bytesOf(reply: FastifyReply): number | undefined {
  const { raw } = reply
  if (raw instanceof HardenedReply && raw.bodyBytes !== undefined) return raw.bodyBytes
  const bytes = Number(reply.getHeader('content-length'))
  return Number.isInteger(bytes) ? bytes : undefined
}

function tenths(durationMs: number): number {
  return Math.round(durationMs * 10) / 10
}

/**
 * Has the request noted once its reply is out, and also when its client leaves before: whoever resets the connection at
 * once would be in no log and before no detector, though the request is carried out.
 *
 * @see OWASP ASVS 5.0 §16.2.1
 */
export function observeEnd(request: FastifyRequest, reply: FastifyReply, parts: CompletionParts): void {
  const { raw } = reply
  const note = (): void => logCompletion(request, reply, performance.now() - request.state.startedMs, parts)
  if (raw instanceof HardenedReply)
    raw.on('close', () => {
      if (raw.writableFinished) note()
      else noteUnsent(request, reply, note)
    })
  // One of `inject` has no client that could leave.
  else raw.on('finish', note)
}

function noteUnsent(request: FastifyRequest, { raw }: FastifyReply, note: () => void): void {
  request.log.info({ clientAddress: request.state.clientAddress }, 'request aborted by the client')
  if (raw.writableEnded) {
    note()
    return
  }
  // Its handler still runs; what comes of it is known once it would reply.
  raw.end = new Proxy(raw.end, {
    apply(end, self, given) {
      raw.end = end
      const ended: unknown = Reflect.apply(end, self, given)
      note()
      return ended
    },
  })
}

function observed(
  request: FastifyRequest,
  { route, status, durationMs, problem }: Completion,
): ObservedRequest {
  const { state, headers, raw } = request
  const { caller, clientAddress, isForeignOrigin } = state
  const seen: ObservedRequest = {
    method: request.method,
    route,
    target: (raw.url ?? '').slice(0, targetChars),
    status,
    durationMs,
    problem: problem?.code ?? null,
    reason: problem?.reason ?? null,
    address: clientAddress,
    userAgent: (headers['user-agent'] ?? '').slice(0, userAgentChars),
    requestId: request.id,
    userId: caller?.id ?? null,
    sessionId: caller?.session?.id ?? null,
  }
  const isCrossSite = headers['sec-fetch-site'] === 'cross-site'
  if (!isForeignOrigin && !isCrossSite) return seen
  return {
    ...seen,
    ...(isForeignOrigin ? { isForeignOrigin: true } : {}),
    ...(isCrossSite ? { isCrossSite: true } : {}),
  }
}

function levelOf(
  route: string | null,
  status: number,
  problem: Problem | undefined,
): 'error' | 'warn' | 'info' | 'debug' {
  // Turning requests away is what a busy or stopping server is meant to do; it is no error of its own.
  if (status >= 500) return problem !== undefined && problem.cause === undefined ? 'warn' : 'error'
  if (status >= 400) return 'warn'
  // An orchestrator asks every second; its lines would bury the others.
  return isProbeRoute(route) ? 'debug' : 'info'
}

/** Fastify's own lines about requests, left out: ours has everything, without URL and headers. */
export class QuietLog extends LogController {
  override incomingRequest(): void {}

  override requestCompleted(): void {}

  override defaultErrorLog(): void {}

  override routeNotFound(): void {}
}
