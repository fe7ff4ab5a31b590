/**
 * A limit class: `count` requests at once, and one more every `windowSeconds / count` seconds, for each address and
 * each account. Over a long time that is `count` in a window.
 */
export interface LimitClass {
  /** How many requests. */
  readonly count: number
  /** The window in seconds. */
  readonly windowSeconds: number
}
