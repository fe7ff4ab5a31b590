import type { IncomingHttpHeaders } from 'node:http'
import type { Attributes, Span, Tracer } from '@opentelemetry/api'
import type { ObservedRequest } from '../http/index.ts'

/** Spans of requests, for an application that has registered a provider of traces. */
export interface Traces {
  /**
   * Begins the span of a request, as a child of what `traceparent` names where the application has registered a
   * propagator. It never throws.
   *
   * @returns `undefined` when nobody records it: no provider, or not sampled and with nothing to pass on
   */
  startRequest(headers: IncomingHttpHeaders, method: string): RequestTrace | undefined
}

/** The span of one request. */
export interface RequestTrace {
  /** Runs the handler in the context of the span: what the application begins in there is a child of it. */
  run<T>(work: () => T): T
  /** Ends the span with what came of the request. It never throws. */
  end(observed: ObservedRequest): void
}

/** What is told of the server. Of clients nothing is told. */
export interface TracesOptions {
  /** The public origin, for `url.scheme`, `server.address` and `server.port`. */
  readonly origin: () => string
  readonly version: string
}

type Api = typeof import('@opentelemetry/api')

// The key by which copies of @opentelemetry/api find each other; the same for every version 1.
const apiKey = Symbol.for('opentelemetry.js.api.1')
const knownMethods: ReadonlySet<string> = new Set([
  ...['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'CONNECT'],
])

/**
 * Spans through the public API package of OpenTelemetry, once the application has registered a provider: before the
 * server starts, as OpenTelemetry asks for anyway. Without one nothing is loaded and nothing is done; to load the
 * package would cost each server 10 ms and 8 MB.
 *
 * @returns `undefined` without a provider, and where the package is not installed
 * @see https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-server-span
 */
export async function openTraces(options: TracesOptions): Promise<Traces | undefined> {
  if (!isProviderThere()) return undefined
  const api = await import('@opentelemetry/api').catch(() => undefined)
  if (api === undefined) return undefined
  const tracer = api.trace.getTracer('holdfast', options.version)
  const server = serverAttributes(options)
  return {
    startRequest(headers, method) {
      try {
        return started(api, { tracer, attributes: server() }, headers, method)
      } catch {
        return undefined
      }
    },
  }
}

function isProviderThere(): boolean {
  const globals: unknown = Reflect.get(globalThis, apiKey)
  return typeof globals === 'object' && globals !== null && Reflect.get(globals, 'trace') !== undefined
}

interface Start {
  readonly tracer: Tracer
  readonly attributes: Attributes
}

function started(
  api: Api,
  { tracer, attributes }: Start,
  headers: IncomingHttpHeaders,
  method: string,
): RequestTrace | undefined {
  const known = knownMethods.has(method) ? method : '_OTHER'
  const parent = api.propagation.extract(api.ROOT_CONTEXT, carrierOf(api, headers))
  const span = tracer.startSpan(
    known === '_OTHER' ? 'HTTP' : known,
    { kind: api.SpanKind.SERVER, attributes: { 'http.request.method': known, ...attributes } },
    parent,
  )
  // What is not sampled is still passed on, so that the services behind do not sample it either.
  if (!span.isRecording() && !api.isSpanContextValid(span.spanContext())) return undefined
  const context = api.trace.setSpan(parent, span)
  return {
    run: (work) => api.context.with(context, work),
    end: (observed) => ended(api, span, observed),
  }
}

// Baggage is left out: it would be passed on to the services behind as if the application had written it.
function carrierOf(api: Api, headers: IncomingHttpHeaders): Record<string, string> {
  const carrier: Record<string, string> = {}
  for (const field of api.propagation.fields()) {
    const value = headers[field.toLowerCase()]
    if (typeof value === 'string' && field !== 'baggage') carrier[field] = value
  }
  return carrier
}

function ended(api: Api, span: Span, observed: ObservedRequest): void {
  try {
    if (span.isRecording()) {
      const { method, route, status } = observed
      if (route !== null) span.updateName(`${knownMethods.has(method) ? method : 'HTTP'} ${route}`)
      span.setAttributes(attributesOf(observed))
      // A refusal is the client's error and no failure of the server, says the convention.
      if (status >= 500) span.setStatus({ code: api.SpanStatusCode.ERROR })
    }
    span.end()
  } catch {
    // An exporter that fails must not fail a request that has been answered.
  }
}

// Neither path nor query: both can hold what only its owner should know. The route says what was asked. Neither address
// nor user: spans leave for a service that is not held to the rules of the trail.
function attributesOf({ route, status, problem }: ObservedRequest): Attributes {
  return {
    'http.response.status_code': status,
    ...(route === null ? {} : { 'http.route': route }),
    ...(status >= 500 ? { 'error.type': problem ?? String(status) } : {}),
  }
}

/** Made anew only when the origin changes: with a free port, it is known once the server listens. */
function serverAttributes({ origin }: TracesOptions): () => Attributes {
  let known = ''
  let attributes: Attributes = {}
  return () => {
    const now = origin()
    if (now === known) return attributes
    const { protocol, hostname, port } = new URL(now)
    known = now
    const scheme = protocol.slice(0, -1)
    attributes = {
      'url.scheme': scheme,
      'server.address': hostname,
      'server.port': Number(port || (scheme === 'https' ? 443 : 80)),
    }
    return attributes
  }
}
