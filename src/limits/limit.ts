import type { Places } from './concurrency.ts'
import type { LimitPolicy } from './policy.ts'

export type {
  LimitAlgorithm,
  LimitBy,
  LimitClass,
  LimitKey,
  LimitRule,
  LimitSubject,
} from '../route/limit-class.ts'

/** One bucket that a request takes from. */
export interface LimitCheck {
  readonly policy: LimitPolicy
  /** Whose bucket: `address:…` or `account:…`, already normalised, so that one client has one spelling. */
  readonly key: string
  /** How much the request takes; 1 unless given. A whole number above zero. */
  readonly cost?: number
}

/** How one bucket stands after a decision. */
export interface BucketState {
  readonly policy: LimitPolicy
  /** Requests that it would let through at this moment. */
  readonly remaining: number
  /** Milliseconds until it lets one through: this one where it was refused, the next one where it was taken; 0 for now. */
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
   * Takes from every bucket, or from none: a refused request consumes nothing.
   *
   * @param checks At least one; all of one group.
   * @param nowMs Milliseconds on a clock that does not step back; any epoch. A clock that does step back refuses for
   * as long as it went back, and lets nothing through that it should not. A store that nodes share has a clock of its
   * own and does not look at this one.
   */
  consume(checks: readonly LimitCheck[], nowMs: number): LimitDecision | Promise<LimitDecision>
  /** Gives back what {@link consume} took: the request did not count after all. It never makes anybody wait. */
  refund(checks: readonly LimitCheck[], nowMs: number): void
  /** Whether these would be refused now, as far as this process knows without asking anybody; takes nothing. */
  refusedMs(checks: readonly LimitCheck[], nowMs: number): number
  /**
   * Where the class of a name counts what is under way, for a store that several threads share; without it each limiter
   * counts for itself.
   */
  placesFor?(name: string): Places
  /** Lets go of connections. */
  close(): Promise<void>
}
