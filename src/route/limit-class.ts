/** A limit class: at most `count` requests in any window of `windowSeconds`, for each address and each account. */
export interface LimitClass {
  /** How many requests. */
  readonly count: number
  /** The window in seconds. */
  readonly windowSeconds: number
}
