import type { IncomingHttpHeaders } from 'node:http'
import type { ObservedRequest } from './observed.ts'

/** Begins spans of requests, where somebody records them. */
export interface RequestTracer {
  /** @returns `undefined` when nobody records this one */
  startRequest(headers: IncomingHttpHeaders, method: string): TracedRequest | undefined
}

/** The span of one request. Nothing of it throws. */
export interface TracedRequest {
  /** Runs the handler in the context of the span. */
  run<T>(work: () => T): T
  /** Ends the span with what came of the request. */
  end(observed: ObservedRequest): void
}
