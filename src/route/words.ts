import type { GeneratedAlways } from 'kysely'
import type { Resource, RowAction } from '../data/resource.ts'
import { type Access, type Caller, type KnownAccess, knownAccess, type Nobody, openAccess } from './access.ts'
import type { Address } from './address.ts'
import type { LimitClass } from './limit-class.ts'
import { placeAbove } from './place.ts'
import {
  type Context,
  type Result,
  type Route,
  type RouteSpec,
  type RowGiven,
  routeOf,
  type SpecCheck,
} from './route.ts'

/** What an application says about itself once: its resources, roles and limit classes. */
export interface Vocabulary<
  Resources extends readonly Resource[] = readonly Resource[],
  Role extends string = string,
  Limit extends string = string,
> {
  /** Every table that requests may touch. */
  readonly resources: Resources
  /** The names of the roles. */
  readonly roles: readonly Role[]
  /** The limit classes by name. */
  readonly limits: Readonly<Record<Limit, LimitClass>>
}

/** The tables of the resources as Kysely sees them: columns the server fills cannot be written. */
export type TablesOf<Resources extends readonly Resource[]> = {
  readonly [R in Resources[number] as R['table']]: ColumnsOf<R>
}

type ColumnsOf<R> =
  R extends Resource<string, string, infer Row, infer Filled>
    ? { [Column in keyof Row]: Column extends Filled ? GeneratedAlways<Row[Column]> : Row[Column] }
    : never

/** The words an application's routes are written in, typed by its vocabulary. */
export interface Words<Tables, Role extends string, Limit extends string, R extends Resource> {
  /**
   * Declares a route: its address, who may call it, what it takes and gives, how often, and its handler.
   *
   * @example
   * route('GET /api/notes/:id', { access: owns(Note), params: NoteId, output: NoteView, limit: 'read' }, ({ note }) => note)
   * @see OWASP ASVS 5.0 §8.2.1, §2.2.1
   */
  readonly route: <const A extends Address, const S extends RouteSpec<Limit>>(
    address: A,
    spec: S & SpecCheck<A, S>,
    handler: (context: Context<A, S, Tables>) => Result<S>,
  ) => Route
  /** Anyone may call it, for the reason given; the reason is listed for the reviewer. */
  readonly open: (reason: string) => Access<Nobody>
  /** Anyone with valid credentials. */
  readonly signedIn: () => KnownAccess<Caller<Role>>
  /** Anyone who holds one of the roles. */
  readonly role: (...roles: readonly [Role, ...Role[]]) => KnownAccess<Caller<Role>>
  /**
   * Whoever the row rules let do this: reading for GET, deleting for DELETE, updating otherwise; `'owner'` for
   * the owner alone. Where the address has `:id` the row is loaded and handed over; a row that is absent and a
   * row that is not the caller's are one and the same 404.
   */
  readonly owns: <Owned extends R>(
    resource: Owned,
    action?: RowAction,
  ) => KnownAccess<RowGiven<Caller<Role>, Owned>>
  /** The vocabulary itself, for `createApp`. */
  readonly vocabulary: Vocabulary
}

/**
 * Makes the words of one application. Call it once and import the words where routes are written.
 *
 * @example
 * export const { route, open, signedIn, role, owns, vocabulary } = words({
 *   resources: [Note],
 *   roles: ['admin', 'editor'],
 *   limits: { read: per('minute', 300), write: per('minute', 60) },
 * })
 */
export function words<
  const Resources extends readonly Resource[],
  const Role extends string,
  const Limit extends string,
>(
  vocabulary: Vocabulary<Resources, Role, Limit>,
): Words<TablesOf<Resources>, Role, Limit, Resources[number]> {
  type Tables = TablesOf<Resources>
  function route<const A extends Address, const S extends RouteSpec<Limit>>(
    address: A,
    spec: S & SpecCheck<A, S>,
    handler: (context: Context<A, S, Tables>) => Result<S>,
  ): Route {
    return routeOf({ address, spec, handler, place: placeAbove(route) })
  }
  return {
    route,
    open: (reason) => openAccess(reason),
    signedIn: () => knownAccess({ kind: 'signed-in' }),
    role: (...roles) => knownAccess({ kind: 'role', roles }),
    owns: (resource, action) => knownAccess({ kind: 'owns', resource, action }),
    vocabulary,
  }
}
