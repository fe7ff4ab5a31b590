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
): Route {
  return routeOf({ address, spec, handler, place: placeAbove(ownRoute), isOwn: true })
}
