import type { LimitClass } from '../route/limit-class.ts'

export type { LimitClass }

/** One bucket that a request takes from. */
export interface LimitCheck {
  /** The class name; part of the bucket's identity. It comes from the configuration, never from a request. */
  readonly name: string
  readonly limit: LimitClass
  /** Whose bucket: `address:…` or `account:…`, already normalised, so that one client has one spelling. */
  readonly key: string
}

/** How one bucket stands after a decision. */
export interface BucketState {
  readonly name: string
  readonly limit: LimitClass
  /** Requests that it would let through at this moment. */
  readonly remaining: number
  /** Milliseconds until it lets the next one through; 0 when it would now. */
  readonly waitMs: number
}

/** The store's answer about one request. */
export interface LimitDecision {
  readonly allowed: boolean
  /** Requests left before the next refusal, in the bucket with the fewest. */
  readonly remaining: number
  /** Milliseconds until a refused request would pass; 0 when allowed. */
  readonly retryAfterMs: number
  /** The buckets of the checks, in their order. */
  readonly buckets: readonly BucketState[]
}

/** Where the buckets live. Decides all checks of a request in one atomic step. */
export interface LimitStore {
  /**
   * Takes one from every bucket, or from none: a refused request consumes nothing.
   *
   * @param checks At least one.
   * @param nowMs Milliseconds on a clock that does not step back; any epoch. A clock that does step back refuses for
   * as long as it went back, and lets nothing through that it should not.
   */
  consume(checks: readonly LimitCheck[], nowMs: number): LimitDecision | Promise<LimitDecision>
}
