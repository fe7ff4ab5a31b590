import type { ServerResponse } from 'node:http'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { Problem } from '../errors/index.ts'
import { type EventName, isEventName } from '../events/index.ts'
import { gatekeeper, markedConfig, type PipelineServices } from '../http/index.ts'
import { decide, type LimitClass, type RoutePlan, roleAccess } from '../route/index.ts'
import { administratorRole } from '../users/index.ts'
import { builtinLimits } from './builtin.ts'

/** Events as they come, and a place to go on from. */
export interface EventBatch {
  /** Where to go on after these; the id of a server-sent event. */
  readonly cursor: string
  readonly events: readonly object[]
}

/** What the stream is fed from. */
export interface EventFollowing {
  /** The cursor that the client had reached; `undefined` for events from now on. */
  readonly from: string | undefined
  readonly event: EventName | undefined
  readonly onBatch: (batch: EventBatch) => void
  readonly onFailure: (error: unknown) => void
}

/**
 * Begins to follow the audit trail.
 *
 * @returns ends it
 * @throws VALIDATION_FAILED for a cursor that is none
 */
export type FollowEvents = (following: EventFollowing) => () => void

/** What the stream is served with. */
export interface StreamServing {
  readonly follow: () => FollowEvents
  readonly limit: LimitClass | undefined
  readonly services: PipelineServices
  /** How often a silent stream says that it is there and looks whether its reader still may, in milliseconds. */
  readonly beatMs?: number
}

const path = '/api/admin/events/stream'
// Each holds a socket and asks the database four times a second.
const streamCount = 20
// A reader that does not keep up is better off coming again with its last id.
const waitingBytes = 1_048_576
const defaultBeatMs = 15_000

/**
 * Registers the live stream of events: server-sent events, which a browser's `EventSource` resumes by itself with
 * `Last-Event-ID`. The credential is looked at again and again while it runs: a stream does not outlive its session.
 *
 * @see WHATWG HTML §9.2 (server-sent events); OWASP ASVS 5.0 §7.4.1
 */
export function serveEventStream(fastify: FastifyInstance, serving: StreamServing): RoutePlan {
  const { services } = serving
  const access = roleAccess(administratorRole).rule
  const limit = { name: 'admin', limit: serving.limit ?? builtinLimits.admin }
  const plan: RoutePlan = {
    method: 'GET',
    path,
    access: { kind: 'role', roles: [administratorRole] },
    limit: limit.name,
    status: 200,
    schemas: {},
    source: 'holdfast',
    origin: 'holdfast',
  }
  const running = new Set<Stream>()
  fastify.addHook('preClose', async () => {
    for (const stream of running) stream.end()
  })
  const isAllowed = async ({ headers }: FastifyRequest): Promise<boolean> => {
    const { authorization, cookie } = headers
    const user = await services.identify({ authorization, cookie })
    try {
      return user !== null && decide(access, user).kind === 'known'
    } catch {
      return false
    }
  }
  fastify.route({
    method: 'GET',
    url: path,
    config: markedConfig(plan),
    exposeHeadRoute: false,
    onRequest: gatekeeper({ access, limit }, services),
    handler: async (request, reply) => {
      const event = eventOf(request.query)
      if (running.size >= streamCount)
        throw new Problem('UNAVAILABLE', 'as many streams as may run', { headers: { 'retry-after': '10' } })
      const stream = new Stream(reply.raw, () => isAllowed(request), serving.beatMs ?? defaultBeatMs)
      const stop = serving.follow()({
        from: lastIdOf(request),
        event,
        onBatch: (batch) => stream.send(batch),
        onFailure: (err) => request.log.warn({ err }, 'the stream of events could not read on'),
      })
      running.add(stream)
      stream.onEnd(() => {
        stop()
        running.delete(stream)
      })
      reply.hijack()
      stream.begin()
    },
  })
  return plan
}

/** One reader. */
class Stream {
  readonly #raw: ServerResponse
  readonly #isAllowed: () => Promise<boolean>
  readonly #beat: NodeJS.Timeout

  constructor(raw: ServerResponse, isAllowed: () => Promise<boolean>, beatMs: number) {
    this.#raw = raw
    this.#isAllowed = isAllowed
    this.#beat = setInterval(() => void this.#beatOnce(), beatMs)
    this.#beat.unref()
    this.onEnd(() => clearInterval(this.#beat))
  }

  onEnd(listener: () => void): void {
    this.#raw.once('close', listener)
  }

  begin(): void {
    this.#raw.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      // A proxy that collects the reply would show it when it is over.
      'x-accel-buffering': 'no',
    })
    this.#write('retry: 2000\n\n')
  }

  send({ cursor, events }: EventBatch): void {
    if (events.length === 0) this.#write(`id: ${cursor}\n\n`)
    const last = events.length - 1
    // The id stands on the last of a batch: one that was cut in its middle comes again whole, and none is missed. Each
    // event has an id of its own by which its reader knows it.
    const text = events.map((event, index) => {
      const id = index === last ? `id: ${cursor}\n` : ''
      return `${id}event: security-event\ndata: ${JSON.stringify(event)}\n\n`
    })
    this.#write(text.join(''))
  }

  end(): void {
    this.#raw.end()
  }

  async #beatOnce(): Promise<void> {
    // A credential that cannot be looked at counts as none: whoever has one comes again.
    const isAllowed = await this.#isAllowed().catch(() => false)
    if (isAllowed) this.#write(': still here\n\n')
    else this.end()
  }

  #write(text: string): void {
    if (this.#raw.writableEnded || this.#raw.destroyed) return
    if (this.#raw.writableLength > waitingBytes) this.#raw.destroy()
    else this.#raw.write(text)
  }
}

function eventOf(query: unknown): EventName | undefined {
  const entries = typeof query === 'object' && query !== null ? Object.entries(query) : []
  const [first, ...others] = entries
  if (first === undefined) return undefined
  const [name, value] = first
  if (others.length === 0 && name === 'event' && typeof value === 'string' && isEventName(value)) return value
  throw new Problem('VALIDATION_FAILED', 'the query of the stream does not fit', {
    errors: [{ path: '/query', message: 'takes `event` alone, the name of an event' }],
  })
}

function lastIdOf({ headers }: FastifyRequest): string | undefined {
  const field = headers['last-event-id']
  const id = Array.isArray(field) ? field.join() : field
  return id === undefined || id === '' ? undefined : id
}
