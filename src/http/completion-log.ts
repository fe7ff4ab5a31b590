import { type FastifyReply, type FastifyRequest, LogController } from 'fastify'
import type { Problem } from '../errors/index.ts'
import { isProbe } from './arrival.ts'
import type { ObservedRequest, ObserveRequest } from './observed.ts'

const targetChars = 2_048
const userAgentChars = 512

const problems = new WeakMap<FastifyRequest, Problem>()

/** Notes why a request was refused, for its line in the log; an error nobody foresaw gets a line of its own. */
export function noteProblem(request: FastifyRequest, problem: Problem): void {
  problems.set(request, problem)
  if (problem.status < 500 || problem.cause === undefined) return
  request.log.error({ err: problem.cause, problem: problem.code }, 'request failed')
}

/** Writes the one line of a request: what was asked, how it ended, how long it took, for whom. */
export function logCompletion(
  request: FastifyRequest,
  reply: FastifyReply,
  durationMs: number,
  observe: ObserveRequest | undefined,
): void {
  if (request.isNoted) return
  request.isNoted = true
  const status = reply.raw.statusCode
  const problem = problems.get(request)
  const length = Number(reply.raw.getHeader('content-length'))
  const line = {
    method: request.method,
    // The pattern, not the path: a path can hold what only its owner should know.
    route: request.routeOptions.url ?? null,
    status,
    durationMs: Math.round(durationMs * 10) / 10,
    clientAddress: request.clientAddress,
    ...(Number.isInteger(length) ? { bytes: length } : {}),
    ...(problem === undefined ? {} : { problem: problem.code, reason: problem.reason }),
  }
  request.log[levelOf(request, status, problem)](line, 'request completed')
  const { trace } = request
  if (observe === undefined && trace === undefined) return
  const seen = observed(request, status, durationMs, problem)
  observe?.(seen)
  trace?.end(seen)
}

/**
 * Has the request noted also when its client leaves before the reply. Fastify tells only of replies that went out:
 * whoever resets the connection at once would be in no log and before no detector, though the request is carried out.
 *
 * @see OWASP ASVS 5.0 §16.2.1
 */
export function observeUnsent(
  request: FastifyRequest,
  reply: FastifyReply,
  observe: ObserveRequest | undefined,
): void {
  const { raw } = reply
  const note = (): void => logCompletion(request, reply, reply.elapsedTime, observe)
  raw.once('close', () => {
    if (raw.writableFinished) return
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
  })
}

function observed(
  request: FastifyRequest,
  status: number,
  durationMs: number,
  problem: Problem | undefined,
): ObservedRequest {
  const { caller, headers, raw } = request
  return {
    method: request.method,
    route: request.routeOptions.url ?? null,
    target: (raw.url ?? '').slice(0, targetChars),
    status,
    durationMs,
    problem: problem?.code ?? null,
    reason: problem?.reason ?? null,
    address: request.clientAddress,
    userAgent: (headers['user-agent'] ?? '').slice(0, userAgentChars),
    requestId: request.id,
    userId: caller?.id ?? null,
    sessionId: caller?.session?.id ?? null,
    ...(request.isForeignOrigin ? { isForeignOrigin: true } : {}),
    ...(headers['sec-fetch-site'] === 'cross-site' ? { isCrossSite: true } : {}),
  }
}

function levelOf(
  request: FastifyRequest,
  status: number,
  problem: Problem | undefined,
): 'error' | 'warn' | 'info' | 'debug' {
  // Turning requests away is what a busy or stopping server is meant to do; it is no error of its own.
  if (status >= 500) return problem !== undefined && problem.cause === undefined ? 'warn' : 'error'
  if (status >= 400) return 'warn'
  // An orchestrator asks every second; its lines would bury the others.
  return isProbe(request) ? 'debug' : 'info'
}

/** Fastify's log lines replaced by ours: one per request, without URL and headers. */
export class CompletionLog extends LogController {
  readonly #observe: ObserveRequest | undefined

  constructor(observe?: ObserveRequest) {
    super({ requestIdLogLabel: 'requestId' })
    this.#observe = observe
  }

  override incomingRequest(): void {}

  override requestCompleted(_error: unknown, request: FastifyRequest, reply: FastifyReply): void {
    logCompletion(request, reply, reply.elapsedTime, this.#observe)
  }

  override defaultErrorLog(): void {}

  override routeNotFound(): void {}
}
