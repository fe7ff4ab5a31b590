/**
 * How a bucket counts. `gcra` and `token-bucket` let `burst` through at once and refill evenly; `sliding-window` lets
 * no window of that length, wherever it begins, hold more than `count`.
 */
export type LimitAlgorithm = 'gcra' | 'sliding-window' | 'token-bucket'

/** What a function sees that says whose bucket a request takes from. Nothing of it has been validated. */
export interface LimitSubject {
  /** The client's address, in its one spelling. */
  readonly address: string
  /** The account, once a credential has proved it. */
  readonly account?: string | undefined
  readonly session?: string | undefined
  readonly tenant?: string | undefined
  /** The API key by its id. */
  readonly apiKey?: string | undefined
  /** `GET /api/notes/:id` */
  readonly route?: string | undefined
  /** The path parameters as they came. */
  readonly params?: Readonly<Record<string, string>>
}

/** A key of the application's own. Its name stands in the plan, and its function cannot be read. */
export interface LimitKey {
  readonly name: string
  /** Whose bucket; `null` where this request has none, and is not counted by this rule. It must not throw. */
  readonly of: (subject: LimitSubject) => string | null
}

/**
 * Whose requests are counted together. `address` is an IPv4 address or the /64 of an IPv6 address, `network` its /48 (an
 * IPv4 address stands alone). A rule by something that a request does not have, such as the account of a stranger, does not count it.
 */
export type LimitBy =
  | 'address'
  | 'network'
  | 'account'
  | 'account+address'
  | 'session'
  | 'tenant'
  | 'api-key'
  | 'route'
  | LimitKey

/** So many in a window, for each of whom it counts. */
export interface LimitRule {
  /** How many requests; more exactly, how much of their cost. */
  readonly count: number
  /** The window in seconds. */
  readonly windowSeconds: number
  /** Each of these has a bucket of its own, and a request takes from all; `['address', 'account']` unless given. */
  readonly by?: readonly LimitBy[]
  /** `gcra` unless given. */
  readonly algorithm?: LimitAlgorithm
  /** How many at once, for `gcra` and `token-bucket`; `count` unless given. */
  readonly burst?: number
  /** `failures`: a request that ends well (a status below 400, or 503) gets back what it took. */
  readonly counts?: 'requests' | 'failures'
}

/** Delays requests before they would be refused. */
export interface SlowDown {
  /** How many of the bucket pass without a delay, from 0 to `count`. */
  readonly after: number
  /** The delay of the last one before refusal, in milliseconds; those between have their share of it. */
  readonly maxDelayMs: number
}

/**
 * A limit class: one rule, and what else is decided in the same step.
 *
 * @example per('minute', 60, { by: ['account'], and: { daily: per('day', 5_000) } })
 */
export interface LimitClass extends LimitRule {
  /** Further rules by name, decided in the same step: a request that one refuses takes from none. */
  readonly and?: Readonly<Record<string, LimitRule>>
  readonly slowDown?: SlowDown
  /** How many requests may be under way at once, for each account or else address, on each node. */
  readonly concurrentCount?: number
  /**
   * What counts while the shared store does not answer: this node's `share` of the count, or, for what guards secrets,
   * the `strict` half of it.
   */
  readonly outage?: 'share' | 'strict'
}
