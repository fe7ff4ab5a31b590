import type { Kysely } from 'kysely'
import type { Mistake } from '../base/mistake.ts'
import type { Pager, Resource } from '../data/index.ts'
import type { HandlerEvent } from '../events/index.ts'
import type { InputOf, OutputOf, Schema } from '../schema/standard.ts'
import type { Access, Principal } from './access.ts'
import type { Address, ParameterOf } from './address.ts'
import type { Exchange } from './exchange.ts'
import type { LimitClass } from './limit-class.ts'
import type { RouteCost } from './limit-of.ts'
import type { Place } from './place.ts'

/** What a route declares about itself: who, what in, what out, how often. */
export interface RouteSpec<Limit extends string = string> {
  /** Who may call it: a value of one of the access words. */
  readonly access: Access<unknown>
  /** The path parameters; required when the address has any. */
  readonly params?: Schema
  /** The query parameters; numbers and booleans are read from their text. */
  readonly query?: Schema
  /** The JSON body. */
  readonly body?: Schema
  /** What it gives; everything else is dropped. `noContent` for nothing. */
  readonly output: Schema
  /** How often: the name of a limit class, or one for this route alone: `per('minute', 10)`. */
  readonly limit: Limit | LimitClass
  /** How much of its limit one request takes; 1 unless given. A page of a hundred rows can cost more than one of ten. */
  readonly cost?: RouteCost
  /** The success status, where 200 (201 for POST, 204 for no content) is not right. */
  readonly status?: 200 | 201 | 202
  /**
   * Whether the client may, or must, send an `Idempotency-Key`: then a request that is sent again is not carried out
   * again, it gets the first reply. The handler runs in one transaction with it.
   */
  readonly idempotency?: 'optional' | 'required'
}

/** The members a specification may have. */
export type RouteMember = keyof RouteSpec

/** What else must hold of a specification; a violation reads as a sentence at the member. */
export type SpecCheck<A extends Address, S> = UnknownMembers<S> & ParamsCheck<ParameterOf<A>, S>

type UnknownMembers<S> = {
  readonly [K in Exclude<keyof S, RouteMember>]: Mistake<`a route has no member "${K & string}"`>
}

type ParamsCheck<Name extends string, S> = [Name] extends [never]
  ? S extends { readonly params: Schema }
    ? { readonly params: 'the address has no parameters' }
    : unknown
  : S extends { readonly params: infer P }
    ? [Exclude<Name, keyof OutputOf<P>>] extends [never]
      ? unknown
      : { readonly params: `params must describe "${Exclude<Name, keyof OutputOf<P>>}"` }
    : { readonly params: Schema }

/** What every handler is given, whatever its route declares. */
export interface HandlerTools<Tables> {
  /** The database, already limited to the rows this caller may touch. */
  readonly db: Kysely<Tables>
  /**
   * Runs in one transaction: all of it is kept or nothing. Where the database asks one of two transactions to
   * give way it is run again, so it must do nothing that cannot be done twice.
   */
  readonly transaction: <T>(run: (db: Kysely<Tables>) => Promise<T>) => Promise<T>
  /** Reads one page of a query, with a cursor that only this caller can go on with. */
  readonly page: Pager
  /** The request's id, as it stands in the log. */
  readonly requestId: string
  /**
   * Emits a security event: of the catalogue, or the application's own, `app_…`. Who has asked, from where and for
   * what is filled in. It never throws and never makes the request wait.
   *
   * @example emit({ event: 'sensitive_read', details: { record: row.id } })
   */
  readonly emit: (event: HandlerEvent) => void
}

/** What a handler is given; it follows from the access and the schemas of its route. */
export type Context<A extends Address, S extends RouteSpec, Tables> = Flat<
  Given<S['access'], ParameterOf<A>> & Validated<S> & HandlerTools<Tables>
>

// Inferred once more so that messages and hovers show the members instead of this alias.
type Flat<T> = T extends infer U ? { readonly [K in keyof U]: U[K] } : never

type Given<X, Parameter> =
  X extends Access<infer Gives>
    ? Gives extends RowGiven<infer Who, infer R>
      ? Who & RowOf<R, Parameter>
      : Gives
    : never

type RowOf<R, Parameter> =
  R extends Resource<infer Name, string, infer Row>
    ? 'id' extends Parameter
      ? { readonly [N in Name]: Row }
      : unknown
    : unknown

/** What `owns(…)` gives: the caller and, where the address has `:id`, the row. */
export interface RowGiven<Who, R> {
  readonly who: Who
  readonly resource: R
}

type Validated<S> = {
  readonly [Part in Extract<keyof S, 'params' | 'query' | 'body'>]: OutputOf<S[Part]>
}

/** What a handler returns: a value that the output schema takes, or a promise of it. */
export type Result<S extends RouteSpec> = InputOf<S['output']> | Promise<InputOf<S['output']>>

declare const brand: unique symbol

/** A declared route. Opaque: it is made by `route()`, and read back through the plan. */
export interface Route {
  readonly [brand]: 'route'
}

/** A route as it was written, before the boot gate has looked at it; any member may be wrong. */
export interface RouteRecord {
  readonly address: string
  readonly spec: Partial<RouteSpec>
  /** Called with exactly what the declaration promises; see {@link callHandler}. */
  readonly handler: (context: never) => unknown
  readonly place: Place
  /** True for a route of Holdfast's own, whose handler sees the exchange. */
  readonly isOwn?: boolean
  /** True for a route of Holdfast's own where somebody gets who has to authenticate again. No member of a spec. */
  readonly standsStepUp?: boolean
}

/** What the pipeline hands to any handler. */
export interface HandlerContext {
  readonly user?: Principal
  readonly params?: unknown
  readonly query?: unknown
  readonly body?: unknown
  readonly db: Kysely<never>
  readonly transaction: <T>(run: (db: Kysely<never>) => Promise<T>) => Promise<T>
  readonly page: Pager
  readonly requestId: string
  readonly emit: (event: HandlerEvent) => void
  /** Only for routes of Holdfast's own. */
  readonly exchange?: Exchange
  readonly [row: string]: unknown
}

/**
 * Calls a route's handler. `route()` has typed it by its declaration and the pipeline builds the context from the
 * same declaration, which no type can express for all routes at once: this is the one place that joins the two.
 */
export function callHandler(record: RouteRecord, context: HandlerContext): unknown {
  return (record.handler as (context: HandlerContext) => unknown)(context)
}

const records = new WeakMap<object, RouteRecord>()

/** Makes a route of its record. */
export function routeOf(record: RouteRecord): Route {
  // The brand exists for the compiler only; the record is reachable through recordOf alone.
  const made = Object.freeze({}) as Route
  records.set(made, Object.freeze(record))
  return made
}

/** The record of a route; `undefined` for anything that `route()` did not make. */
export function recordOf(route: unknown): RouteRecord | undefined {
  return typeof route === 'object' && route !== null ? records.get(route) : undefined
}
