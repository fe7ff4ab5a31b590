import { AsyncLocalStorage } from 'node:async_hooks'
import { spawnSync } from 'node:child_process'
import {
  type Context,
  type ContextManager,
  context,
  isValidSpanId,
  isValidTraceId,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  type TextMapPropagator,
  TraceFlags,
  trace,
} from '@opentelemetry/api'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ObservedRequest } from '../http/index.ts'
import { openTraces, type Traces, type TracesOptions } from './index.ts'

const parentTrace = '0af7651916cd43dd8448eb211c80319c'
const parentSpan = 'b7ad6b7169203331'
const traceparent = `00-${parentTrace}-${parentSpan}-01`

const observed: ObservedRequest = {
  method: 'GET',
  route: '/api/notes/:id',
  target: '/api/notes/7?token=canary',
  status: 200,
  durationMs: 3,
  problem: null,
  reason: null,
  address: '203.0.113.77',
  userAgent: 'canary-agent',
  requestId: 'r1',
  userId: 'canary-user',
  sessionId: 'canary-session',
}

describe('without a provider', () => {
  it('there is nothing', async () => {
    expect(await openTraces(options())).toBeUndefined()
  })

  it('a propagator alone does not change that', async () => {
    propagation.setGlobalPropagator(w3c)
    expect(await openTraces(options())).toBeUndefined()
    propagation.disable()
  })

  it('the package is not loaded either', () => {
    const script = `
      import { createRequire } from 'node:module'
      import { openTraces } from ${JSON.stringify(new URL('./index.ts', import.meta.url).href)}
      const traces = await openTraces({ origin: () => 'http://127.0.0.1', version: '1' })
      const paths = Object.keys(createRequire(import.meta.url).cache)
      console.log(traces, paths.some((path) => path.includes('opentelemetry')))`
    const run = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      encoding: 'utf8',
      timeout: 60_000,
    })
    expect(run).toMatchObject({ status: 0, signal: null, stdout: 'undefined false\n' })
  })
})

describe('with the provider of an application', () => {
  let exporter: InMemorySpanExporter

  beforeEach(() => {
    exporter = new InMemorySpanExporter()
    const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })
    trace.setGlobalTracerProvider(provider)
    context.setGlobalContextManager(new LocalContexts())
    propagation.setGlobalPropagator(w3c)
  })

  afterEach(() => {
    trace.disable()
    context.disable()
    propagation.disable()
  })

  it('a request is one span of a server, by the conventions', async () => {
    const traces = await opened()
    traces.startRequest({}, 'GET')?.end(observed)
    const [span] = exporter.getFinishedSpans()
    expect(span).toMatchObject({ name: 'GET /api/notes/:id', kind: SpanKind.SERVER })
    expect(span?.status.code).toBe(SpanStatusCode.UNSET)
    expect(span?.attributes).toEqual({
      'http.request.method': 'GET',
      'http.response.status_code': 200,
      'http.route': '/api/notes/:id',
      'url.scheme': 'https',
      'server.address': 'api.example.com',
      'server.port': 443,
    })
  })

  it('V16.2.5 tells of nobody and of nothing that was sent', async () => {
    const quiet = await opened()
    quiet.startRequest({ 'user-agent': 'canary-agent', baggage: 'a=canary' }, 'canary')?.end({
      ...observed,
      method: 'canary',
      route: null,
    })
    const told = ({ name, attributes }: { name: string; attributes: object }): string =>
      JSON.stringify([name, attributes])
    const [span] = exporter.getFinishedSpans()
    expect(span && told(span)).not.toMatch(/canary|203\.0\.113|\/7/)
    expect(span).toMatchObject({ name: 'HTTP', attributes: { 'http.request.method': '_OTHER' } })
  })

  it('goes on with the trace of whoever calls, and gives its handler the context', async () => {
    const traces = await opened()
    const request = traces.startRequest({ traceparent }, 'POST')
    await request?.run(async () => {
      await new Promise((resolve) => setImmediate(resolve))
      trace.getTracer('application').startSpan('own work').end()
    })
    request?.end({ ...observed, method: 'POST' })
    const spans = exporter.getFinishedSpans()
    const [own, server] = [spans.find(named('own work')), spans.find(named('POST /api/notes/:id'))]
    expect(server?.spanContext().traceId).toBe(parentTrace)
    expect(server?.parentSpanContext?.spanId).toBe(parentSpan)
    expect(own?.parentSpanContext?.spanId).toBe(server?.spanContext().spanId)
  })

  it('V2.2.1 begins a trace of its own where the field is malformed', async () => {
    const traces = await opened()
    for (const field of [
      '',
      'x',
      `${traceparent}${'0'.repeat(9_000)}`,
      `00-${'0'.repeat(32)}-${parentSpan}-01`,
    ])
      traces.startRequest({ traceparent: field }, 'GET')?.end(observed)
    const ids = exporter.getFinishedSpans().map((span) => span.spanContext().traceId)
    expect(ids).toHaveLength(4)
    for (const id of ids) expect(isValidTraceId(id) && id !== parentTrace).toBe(true)
  })

  it('does not take over the baggage of a client', async () => {
    let asked: readonly string[] = []
    propagation.disable()
    propagation.setGlobalPropagator({
      inject: () => undefined,
      fields: () => ['traceparent', 'baggage'],
      extract(into, carrier) {
        asked = Object.keys(carrier ?? {})
        return into
      },
    })
    const traces = await opened()
    traces.startRequest({ traceparent, baggage: 'tenant=other' }, 'GET')
    expect(asked).toEqual(['traceparent'])
  })

  it('is an error for a failure of the server, and none for a refusal', async () => {
    const traces = await opened()
    traces.startRequest({}, 'GET')?.end({ ...observed, status: 404, problem: 'NOT_FOUND' })
    traces.startRequest({}, 'GET')?.end({ ...observed, status: 500, problem: 'INTERNAL' })
    const [refused, failed] = exporter.getFinishedSpans()
    expect(refused?.status.code).toBe(SpanStatusCode.UNSET)
    expect(failed).toMatchObject({
      status: { code: SpanStatusCode.ERROR },
      attributes: { 'error.type': 'INTERNAL' },
    })
  })

  it('an SDK that throws fails no request', async () => {
    const traces = await opened()
    trace.disable()
    trace.setGlobalTracerProvider({
      getTracer: () => {
        throw new TypeError('a broken SDK')
      },
    })
    propagation.disable()
    propagation.setGlobalPropagator({
      inject: () => undefined,
      fields: () => ['traceparent'],
      extract: () => {
        throw new TypeError('a broken propagator')
      },
    })
    expect(traces.startRequest({ traceparent }, 'GET')).toBeUndefined()
  })
})

function options(): TracesOptions {
  return { origin: () => 'https://api.example.com', version: '1.2.3' }
}

async function opened(): Promise<Traces> {
  const traces = await openTraces(options())
  expect.assert(traces !== undefined)
  return traces
}

function named(name: string) {
  return (span: { readonly name: string }): boolean => span.name === name
}

/** What an application takes from the SDK of Node: context that follows asynchronous work. */
class LocalContexts implements ContextManager {
  readonly #storage = new AsyncLocalStorage<Context>()

  active(): Context {
    return this.#storage.getStore() ?? ROOT_CONTEXT
  }

  with<A extends unknown[], F extends (...args: A) => ReturnType<F>>(
    within: Context,
    run: F,
    self?: ThisParameterType<F>,
    ...args: A
  ): ReturnType<F> {
    return this.#storage.run(within, () => run.call(self, ...args))
  }

  bind<T>(_within: Context, target: T): T {
    return target
  }

  enable(): this {
    return this
  }

  disable(): this {
    return this
  }
}

/** Reads `traceparent` as the W3C says. */
const w3c: TextMapPropagator = {
  inject: () => undefined,
  fields: () => ['traceparent', 'tracestate'],
  extract(into, carrier, getter) {
    const field = String(getter.get(carrier, 'traceparent') ?? '')
    const [, traceId, spanId] = /^00-([0-9a-f]{32})-([0-9a-f]{16})-0[01]$/.exec(field) ?? []
    if (traceId === undefined || spanId === undefined) return into
    if (!isValidTraceId(traceId) || !isValidSpanId(spanId)) return into
    return trace.setSpanContext(into, { traceId, spanId, traceFlags: TraceFlags.SAMPLED, isRemote: true })
  },
}
