import type { ColumnType, GeneratedAlways } from 'kysely'
import type { Secret } from '../base/index.ts'
import type { Resource, RowAction } from '../data/resource.ts'
import {
  type Access,
  type Caller,
  type KnownAccess,
  knownAccess,
  type Nobody,
  openAccess,
  permissionAccess,
  roleAccess,
  signedInAccess,
} from './access.ts'
import type { Address } from './address.ts'
import { type DefaultLimit, defaultLimitClasses } from './default-limits.ts'
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
  Permission extends string = string,
> {
  /** Every table that requests may touch. */
  readonly resources: Resources
  /** The names of the roles. */
  readonly roles: readonly Role[]
  /** The limit classes by name. */
  readonly limits: Readonly<Record<Limit, LimitClass>>
  /** What roles may do, by permission: `{ 'notes:publish': ['admin', 'editor'] }`. */
  readonly permissions?: Readonly<Record<Permission, readonly NoInfer<Role>[]>>
}

/** What an application says, with what goes without saying left out. */
export interface Declared<
  Resources extends readonly Resource[],
  Role extends string,
  Limit extends string,
  Permission extends string,
> extends Omit<Vocabulary<Resources, Role, Limit, Permission>, 'limits'> {
  /**
   * The application's limit classes by name. `read`, `write`, `auth`, `upload` and `expensive` are there without being
   * named; one of the same name takes the place of the default.
   */
  readonly limits?: Readonly<Record<Limit, LimitClass>>
}

/** The tables of the resources as Kysely sees them: columns the server fills cannot be written. */
export type TablesOf<Resources extends readonly Resource[]> = {
  readonly [R in Resources[number] as R['table']]: ColumnsOf<R>
}

type ColumnsOf<R> =
  R extends Resource<string, string, infer Row, infer Filled, infer Tagged>
    ? { [Column in keyof Row]: ColumnAs<Row[Column], Column & string, Filled, Tagged> }
    : never

/** A column as it is selected, inserted and updated. */
type ColumnAs<Value, Column extends string, Filled, Tagged> = Column extends Filled
  ? `transfer:${Column}` extends Tagged
    ? ColumnType<Value, never, Value>
    : GeneratedAlways<Value>
  : Value extends Secret<infer Plain>
    ? ColumnType<Value, Plain, Plain>
    : `once:${Column}` extends Tagged
      ? ColumnType<Value, Value, never>
      : Value

/** The words an application's routes are written in, typed by its vocabulary. */
export interface Words<
  Tables,
  Role extends string,
  Limit extends string,
  R extends Resource,
  Permission extends string = never,
> {
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
   * Anyone who holds a role with this permission.
   *
   * @example access: permission('notes:publish')
   * @see OWASP ASVS 5.0 §8.1.1
   */
  readonly permission: (name: Permission) => KnownAccess<Caller<Role>>
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
  const All extends readonly Resource[],
  const Role extends string,
  const Limit extends string = never,
  const May extends string = never,
>(
  given: Declared<All, Role, Limit, May>,
): Words<TablesOf<All>, Role, Limit | DefaultLimit, All[number], May> {
  type Tables = TablesOf<All>
  const vocabulary = { ...given, limits: { ...defaultLimitClasses, ...given.limits } }
  function route<const A extends Address, const S extends RouteSpec<Limit | DefaultLimit>>(
    address: A,
    spec: S & SpecCheck<A, S>,
    handler: (context: Context<A, S, Tables>) => Result<S>,
  ): Route {
    return routeOf({ address, spec, handler, place: placeAbove(route) })
  }
  return {
    route,
    open: (reason) => openAccess(reason),
    signedIn: signedInAccess,
    role: roleAccess,
    permission: (name) => permissionAccess(name, permissionRoles(vocabulary.permissions, name)),
    owns: (resource, action) => knownAccess({ kind: 'owns', resource, action }),
    vocabulary,
  }
}

/** The roles that hold a permission; none for one that is not declared, which the boot gate refuses. */
function permissionRoles<Role extends string>(
  permissions: Readonly<Record<string, readonly Role[]>> | undefined,
  name: string,
): readonly Role[] {
  return permissions !== undefined && Object.hasOwn(permissions, name) ? (permissions[name] ?? []) : []
}
