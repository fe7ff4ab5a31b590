import type { LimitClass } from './limit-class.ts'

/** A limit class by the name under which its buckets are kept. */
export interface NamedLimit {
  readonly name: string
  readonly limit: LimitClass
}

/**
 * How much of its limit one request of a route takes: so much, or one for each `per` of what a query parameter asks for.
 *
 * @example cost: 10
 * @example cost: { query: 'limit', per: 25 } // a page of 100 takes 4
 */
export type RouteCost = number | CostOf

/** A cost that follows a query parameter. */
export interface CostOf {
  /** The query parameter, a whole number with a maximum and a default. */
  readonly query: string
  /** One for each so many, rounded up. */
  readonly per: number
}
