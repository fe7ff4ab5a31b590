import type { FastifyBaseLogger, FastifyReply, FastifyRequest } from 'fastify'
import type { EdgeLimits } from './limits.ts'
import type { ObserveRequest } from './observed.ts'
import type { ShedParts, ShedSettings } from './shed.ts'
import type { TlsFiles } from './tls.ts'
import type { RequestTracer } from './traced.ts'

/** What the edge must know. Everything comes checked from the settings. */
export interface EdgeOptions {
  /** The one public origin. */
  readonly origin: URL
  /** Outside production the loopback names count as hosts too. Nothing else depends on it. */
  readonly mode: 'development' | 'test' | 'production'
  /** Addresses and CIDR ranges whose forwarding headers count. */
  readonly trustedProxies: readonly string[]
  /** Origins that CORS grants access to, exactly. */
  readonly allowedOrigins: readonly string[]
  /**
   * For how long an address is still banned, in milliseconds; `undefined` for one that is not. It is asked for every
   * request before anything else, so it must answer from memory.
   */
  readonly bannedForMs?: ((address: string) => number | undefined) | undefined
  /** Who looks at requests. */
  readonly watchers?: EdgeWatchers | undefined
  readonly logger: FastifyBaseLogger
  /** The certificate of the TLS listener; without it the listener is plain, and a proxy speaks TLS. */
  readonly tls?: TlsFiles | undefined
  /** Milliseconds between two looks at the certificate files; 5,000 unless given. */
  readonly tlsPollMs?: number
  /** Limits that differ from the default. */
  readonly limits?: Partial<EdgeLimits>
  /** Optional reply headers, all off. */
  readonly headers?: OptionalHeaders
  /** When to turn requests away; the parts are for tests. */
  readonly shedding?: { readonly settings: ShedSettings; readonly parts?: ShedParts }
}

/** Calls `done` with an error to refuse the request for something else. */
export type UnroutedHook = (
  request: FastifyRequest,
  reply: FastifyReply,
  done: (error?: Error) => void,
) => void

/** Who looks at requests. */
export interface EdgeWatchers {
  /** Told of every request once its reply is out: metrics and detectors. */
  readonly observe?: ObserveRequest | undefined
  /** Begins a span for each request. */
  readonly tracer?: RequestTracer | undefined
  /** Takes a request that no route answers, before it is refused for that: to count it. */
  readonly unrouted?: UnroutedHook | undefined
}

/** Reply headers that are off unless asked for, because each tells a stranger something. */
export interface OptionalHeaders {
  /** `x-request-id`: the id that stands in the log. */
  readonly requestId?: boolean
  /** `x-response-time`: milliseconds. */
  readonly responseTime?: boolean
  /** `api-version`: this text. */
  readonly apiVersion?: string
}
