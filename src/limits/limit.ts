import type { LimitClass } from '../route/limit-class.ts'

export type { LimitClass }

/** The store's answer about one request. */
export interface LimitDecision {
  readonly allowed: boolean
  /** Requests left before the next refusal. */
  readonly remaining: number
  /** Milliseconds until a refused request would pass; 0 when allowed. */
  readonly retryAfterMs: number
}

/** One bucket that a request takes from. */
export interface LimitCheck {
  /** The class name; part of the bucket's identity. */
  readonly name: string
  readonly limit: LimitClass
  /** Whose bucket: an address or an account, already normalised. */
  readonly key: string
}

/** Where the buckets live. Decides all checks of a request in one atomic step. */
export interface LimitStore {
  /** Takes one from every bucket, or from none: a refused request consumes nothing. */
  consume(checks: readonly LimitCheck[], nowMs: number): LimitDecision | Promise<LimitDecision>
}
