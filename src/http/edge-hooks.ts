import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Problem } from '../errors/index.ts'
import {
  banStep,
  clientAddressStep,
  connectionQuotaStep,
  cookieStep,
  corsStep,
  crossSiteStep,
  headStep,
  hostStep,
  loadStep,
  offeredStep,
  type Step,
  stoppingStep,
} from './arrival.ts'
import { type CompletionParts, logCompletion, noteProblem, observeEnd } from './completion-log.ts'
import { corsFor } from './cors.ts'
import type { EdgeOptions, OptionalHeaders } from './edge-options.ts'
import type { IsTrusted } from './forwarded.ts'
import type { HealthRegistry } from './health.ts'
import { hostCheck } from './host.ts'
import type { EdgeLimits } from './limits.ts'
import { offerOf } from './offered.ts'
import { problemOf } from './problem-of.ts'
import { sendProblem } from './problem-reply.ts'
import { RequestLog } from './request-log.ts'
import { RequestState } from './request-state.ts'
import type { LoadShedder } from './shed.ts'

/** What the parts of one edge share. */
export interface EdgeParts {
  readonly options: EdgeOptions
  readonly completion: CompletionParts
  readonly limits: EdgeLimits
  readonly isTrusted: IsTrusted
  readonly health: HealthRegistry
  readonly shedder: LoadShedder
  /** Puts the security headers on a reply that was not made by our own server: an injected one. */
  readonly dressStep: Step
}

type Refuse = (problem: Problem) => void

// The order is the security model. Nothing of the body has been read before the last of these has passed.
export function installSteps(fastify: FastifyInstance, parts: EdgeParts): void {
  const { options, limits, health, shedder } = parts
  const offer = offerOf(fastify)
  const { tracer, unrouted } = options.watchers ?? {}
  const arrival: readonly Step[] = [
    parts.dressStep,
    ...namingSteps(options.headers ?? {}),
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
  const answerUnrouted = [offeredStep(offer)]

  fastify.addHook('onRequest', (request, reply, done) => {
    begin(request, reply, parts)
    if (tracer !== undefined) request.state.trace = tracer.startRequest(request.headers, request.method)
    if (isOver(arrival, request, reply, done)) return
    if (!request.is404) {
      done()
      return
    }
    const answer = (error?: Error): void => {
      if (error !== undefined) done(error)
      else if (!isOver(answerUnrouted, request, reply, done)) done()
    }
    // Limits count also what no route takes.
    if (unrouted === undefined) answer()
    else unrouted(request, reply, answer)
  })
}

function begin(request: FastifyRequest, reply: FastifyReply, parts: EdgeParts): void {
  const log = new RequestLog(parts.options.logger, request)
  request.state = new RequestState()
  request.log = log
  reply.log = log
  observeEnd(request, reply, parts.completion)
}

function nobody(): undefined {
  return undefined
}

/** Runs steps until one answers or refuses; `true` when nothing is left to do. */
function isOver(
  steps: readonly Step[],
  request: FastifyRequest,
  reply: FastifyReply,
  refuse: Refuse,
): boolean {
  try {
    for (const step of steps) if (step(request, reply)) return true
    return false
  } catch (error) {
    refuse(problemOf(error))
    return true
  }
}

function namingSteps({ requestId = false, apiVersion }: OptionalHeaders): readonly Step[] {
  if (!requestId && apiVersion === undefined) return []
  return [
    (request, { raw }) => {
      if (requestId) raw.setHeader('x-request-id', request.id)
      if (apiVersion !== undefined) raw.setHeader('api-version', apiVersion)
      return false
    },
  ]
}

/** Answers a target that the router itself refuses, so that no hook has run. */
export function refuseUnrouted(
  error: Error,
  request: FastifyRequest,
  reply: FastifyReply,
  parts: EdgeParts,
): void {
  const { logger, bannedForMs = nobody } = parts.options
  request.state = new RequestState()
  request.log = new RequestLog(logger, request)
  const steps = [parts.dressStep, clientAddressStep(parts.isTrusted), banStep(bannedForMs)]
  const answer = (problem: Problem): void => {
    noteProblem(request, problem)
    sendProblem(reply, problem)
    logCompletion(request, reply, 0, parts.completion)
  }
  if (!isOver(steps, request, reply, answer)) answer(problemOf(error))
}
