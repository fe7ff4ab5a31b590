import type { ProblemCode } from '../errors/index.ts'

/**
 * A request whose reply is out: what the log, the metrics and the detectors see of it. Headers and body are no part of
 * it, and neither is the query's text anywhere but in {@link ObservedRequest.target}.
 */
export interface ObservedRequest {
  readonly method: string
  /** The pattern, `/api/notes/:id`; `null` when no route takes the request. */
  readonly route: string | null
  /** The target as it came, at most 2,048 characters. Hold it against rules; do not store, log or emit it. */
  readonly target: string
  readonly status: number
  readonly durationMs: number
  /** Why it was refused; `null` when it was not. */
  readonly problem: ProblemCode | null
  /** The reason of the refusal in fixed words, as it stands in the log. */
  readonly reason: string | null
  /** The client's address, normalised. */
  readonly address: string
  /** At most 512 characters. Hold it against rules; do not store, log or emit it. */
  readonly userAgent: string
  readonly requestId: string
  /** Who has asked, where the credential proved it. */
  readonly userId: string | null
  readonly sessionId: string | null
  /** Set for a preflight of an origin that CORS does not grant anything. */
  readonly isForeignOrigin?: true
  /** Set when the browser says that a page of another site made it ask. */
  readonly isCrossSite?: true
}

/** Told of every request once its reply is out. It never throws. */
export type ObserveRequest = (request: ObservedRequest) => void
