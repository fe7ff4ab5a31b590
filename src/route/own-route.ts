import type { Address } from './address.ts'
import type { Exchange } from './exchange.ts'
import { placeAbove } from './place.ts'
import { type Context, type Result, type Route, type RouteSpec, routeOf, type SpecCheck } from './route.ts'

/**
 * Declares a route of Holdfast's own: as `route()` does, and its handler also sees the exchange.
 *
 * @example ownRoute('POST /api/auth/logout', { access: signedIn(), output: noContent, limit: 'auth' }, ({ exchange }) => …)
 */
export function ownRoute<const A extends Address, const S extends RouteSpec>(
  address: A,
  spec: S & SpecCheck<A, S>,
  handler: (context: Context<A, S, never> & { readonly exchange: Exchange }) => Result<S>,
  options: OwnRouteOptions = {},
): Route {
  return routeOf({ address, spec, handler, place: placeAbove(ownRoute), isOwn: true, ...options })
}

/** What only routes of Holdfast's own can be. */
export interface OwnRouteOptions {
  /** True where somebody gets who has to authenticate again: to do so, and to log out. */
  readonly standsStepUp?: boolean
}
