import type { Secret } from '../base/index.ts'
import type { Mistake } from '../base/mistake.ts'
import { Problem } from '../errors/index.ts'
import type { OutputOf, Schema } from '../schema/standard.ts'

/** How the server fills a column that is never taken from input. */
export type ServerFill =
  /** A UUIDv7, at insert. */
  | 'uuid'
  /** The time of insert, ISO 8601 in UTC with milliseconds. */
  | 'created'
  /** The time of the last change, ISO 8601 in UTC with milliseconds. */
  | 'changed'
  /** A whole number, 1 at insert and one more at each change; the row's ETag is made of it. */
  | 'revision'
  /** Whatever a handler's own code puts there. */
  | 'handler'

/** The caller is named by the column of the row itself. */
export interface CallerIsRule {
  readonly kind: 'caller-is'
  readonly column: string
}

/** The caller may do something to the row of another resource that this row points at. */
export interface ThroughRule {
  readonly kind: 'through'
  /** The parent's table. */
  readonly table: string
  /** The column here that holds the parent's key. */
  readonly column: string
  /** What the caller must be allowed to do to the parent; its owner only, unless said otherwise. */
  readonly action: RowAction
}

/** A row of another table names both this row and the caller. */
export interface GrantedRule {
  readonly kind: 'granted'
  readonly table: string
  /** The column there that holds this row's key. */
  readonly row: string
  /** The column there that names the caller. */
  readonly user: string
  /** Fixed values that the grant must have. */
  readonly where: Readonly<Record<string, string | number>>
}

/** The caller holds one of these roles. */
export interface CallerHasRule {
  readonly kind: 'caller-has'
  readonly roles: readonly string[]
}

/** Every signed-in caller, inside the tenant where the resource has one. */
export interface AnyCallerRule {
  readonly kind: 'any-caller'
  readonly reason: string
}

/** What a row's own column is compared with. */
export type ColumnOperator = '=' | '<>' | '<' | '<=' | '>' | '>='

/** The row has a fixed value in a column. A comparison with `null` asks whether there is a value at all. */
export interface ColumnRule {
  readonly kind: 'column'
  readonly column: string
  readonly operator: ColumnOperator
  readonly value: string | number | null
}

/** Any of them (`any`), or each of them (`all`). */
export interface CombinedRule {
  readonly kind: 'any' | 'all'
  readonly of: readonly RowRule[]
}

/**
 * An allow-only rule about rows, as data: the same one becomes a SQL predicate, a policy of PostgreSQL, a filter of
 * another ORM and an explanation.
 *
 * Rules only ever widen what the owner may do; there is no deny and no order to get wrong.
 */
export type RowRule =
  | CallerIsRule
  | CallerHasRule
  | AnyCallerRule
  | ColumnRule
  | ThroughRule
  | GrantedRule
  | CombinedRule

/** What may be done to a row. `owner` is the strictest: grants do not count. */
export type RowAction = 'read' | 'update' | 'delete' | 'owner'

/** Who owns the rows of a table. */
export type Ownership =
  | { readonly kind: 'column'; readonly column: string }
  | { readonly kind: 'through'; readonly table: string; readonly column: string }
  /** Nobody: everyone may read, no request may write. */
  | { readonly kind: 'shared'; readonly reason: string }

/** A table whose rows have an owner, and the rules about who else may touch them. */
export interface Resource<
  Name extends string = string,
  Table extends string = string,
  Row = unknown,
  Filled extends string = string,
  Tagged extends string = string,
> {
  /** The word handlers know one row by: `note`. */
  readonly name: Name
  /** The table: `notes`. */
  readonly table: Table
  /** The schema of a row, also the list of its columns. */
  readonly row: Schema<unknown, Row>
  /** The primary key column. */
  readonly key: string
  readonly owner: Ownership
  /** Columns that no input may set, and how the server fills them. */
  readonly server: Readonly<Record<string, ServerFill>>
  /** The column that holds the tenant: a wall that no rule reaches over. */
  readonly tenant: string | undefined
  /** Who besides the owner may read, update or delete. */
  readonly grants: Readonly<Record<'read' | 'update' | 'delete', readonly RowRule[]>>
  /** What must hold of a new row, beside its owner being the caller; one of these, when there are any. */
  readonly insert: readonly RowRule[]
  /** Who besides the owner may give a row to another owner; `undefined` when nobody may, not even the owner. */
  readonly transfer: readonly RowRule[] | undefined
  /** What is special about single columns. */
  readonly columns: ColumnTags
  /** The columns that Holdfast fills itself (the owner among them); for the compiler only, absent at run time. */
  readonly filled?: Filled
  /** Columns with a limit of their own, such as `once:slug` and `transfer:ownerId`; for the compiler only. */
  readonly tagged?: Tagged
}

/** What is special about single columns of a resource. One declaration; everything that handles a row reads it. */
export interface ColumnTags {
  /** Set when the row is inserted, and never again. */
  readonly writeOnce: readonly string[]
  /** Never part of a reply: a query gives it as a `Secret`, an output that names it is refused at boot. */
  readonly secret: readonly string[]
  /** About a person: kept out of the log, and part of what is exported and erased. */
  readonly personal: readonly string[]
  /** Ciphertext in the database, plain in `db`. */
  readonly encrypted: readonly string[]
  /** Encrypted columns that can be searched for by equality, and the column that holds their blind index. */
  readonly lookup: Readonly<Record<string, string>>
  /** Columns that only callers with one of these roles are given; others get `null`. */
  readonly readableBy: Readonly<Record<string, readonly string[]>>
}

type ColumnOf<S extends Schema> = keyof OutputOf<S> & string

/** Who owns the rows: a column of theirs, or a parent or nobody. */
type OwnerOf<S extends Schema> = ColumnOf<S> | ThroughRule | Extract<Ownership, { kind: 'shared' }>

/** Who may give a row to another owner: its owner, and whoever the rules name. */
export type Handover = 'owner' | RowRule | readonly RowRule[]

/** What a declaration says of single columns. */
export interface TaggedColumns<S extends Schema, Once extends ColumnOf<S>, Secrets extends ColumnOf<S>> {
  /** Columns that are set at insert and never again. */
  readonly writeOnce?: readonly Once[]
  /** Columns that no reply may hold. */
  readonly secret?: readonly Secrets[]
  /** Columns about a person. */
  readonly personal?: readonly ColumnOf<S>[]
  /** Columns that are ciphertext in the database. */
  readonly encrypted?: readonly ColumnOf<S>[]
  /** Encrypted columns to be found by equality: the column of the table that holds the blind index. */
  readonly lookup?: { readonly [Column in ColumnOf<S>]?: string }
  /** Columns that only callers with one of these roles are given. */
  readonly readableBy?: { readonly [Column in ColumnOf<S>]?: readonly string[] }
}

/** The declaration of a resource, as an application writes it. */
export interface ResourceDeclaration<
  S extends Schema,
  Owner extends OwnerOf<S>,
  Fills,
  Tenant extends ColumnOf<S>,
  Once extends ColumnOf<S>,
  Secrets extends ColumnOf<S>,
  Transfer extends Handover,
> extends TaggedColumns<S, Once, Secrets> {
  /** The schema of one row; any Standard Schema. */
  readonly row: S
  /** The column that holds the owner's id, {@link through} a parent row, or {@link shared} with a reason. */
  readonly owner: Owner
  /** Columns the server fills; no input schema may name them. */
  readonly server: Fills & {
    readonly [Column in keyof Fills]: Column extends ColumnOf<S>
      ? ServerFill
      : Mistake<`the row has no column "${Column & string}"`>
  }
  /** The primary key; `id` unless said otherwise. */
  readonly key?: ColumnOf<S>
  /** The column that holds the tenant: rows of another tenant do not exist, whatever a rule says. */
  readonly tenant?: Tenant
  /** Who else may read a row. */
  readonly read?: RowRule | readonly RowRule[]
  /** Who else may change a row; also lets them read it. */
  readonly update?: RowRule | readonly RowRule[]
  /** Who else may delete a row; also lets them read it. */
  readonly delete?: RowRule | readonly RowRule[]
  /** What must hold of a new row besides; any one of them. A caller always owns what they insert. */
  readonly insert?: RowRule | readonly RowRule[]
  /** Who may give a row to another owner: its owner, and whoever these rules name. Nobody unless said. */
  readonly transfer?: Transfer
}

/** A row as handlers get it: secret columns wrapped. */
type RowOf<S extends Schema, Secrets> = [Secrets] extends [never]
  ? OutputOf<S>
  : {
      [Column in keyof OutputOf<S>]: Column extends Secrets
        ? Secret<OutputOf<S>[Column]>
        : OutputOf<S>[Column]
    }

/** The limits of single columns, for the compiler. */
type TagsOf<Once extends string, Owner, Transfer> =
  | `once:${Once}`
  | ([Transfer] extends [never] ? never : `transfer:${Extract<Owner, string>}`)

/** The columns of `Fills` that Holdfast fills without the handler. */
export type FilledColumn<Fills> = {
  [Column in keyof Fills]: Fills[Column] extends 'handler' ? never : Column & string
}[keyof Fills]

/**
 * Declares a table and who may touch its rows. `owner` is required: rows that belong to nobody say so with
 * {@link shared} and a reason.
 *
 * @example
 * export const Note = resource('note', 'notes', {
 *   row: NoteRow,
 *   owner: 'ownerId',
 *   server: { id: 'uuid', createdAt: 'created', updatedAt: 'changed', revision: 'revision' },
 *   read: granted('note_shares', { row: 'noteId', user: 'userId' }),
 * })
 * @see OWASP ASVS 5.0 §8.2.2, OWASP API1:2023
 */
export function resource<
  const Name extends string,
  const Table extends string,
  S extends Schema,
  const Owner extends OwnerOf<S>,
  const Fills extends Readonly<Record<string, ServerFill>>,
  const Tenant extends ColumnOf<S> = never,
  const Once extends ColumnOf<S> = never,
  const Secrets extends ColumnOf<S> = never,
  const Transfer extends Handover = never,
>(
  name: Name,
  table: Table,
  declaration: ResourceDeclaration<S, Owner, Fills, Tenant, Once, Secrets, Transfer>,
): Resource<
  Name,
  Table,
  RowOf<S, Secrets>,
  FilledColumn<Fills> | Extract<Owner, string> | Tenant,
  TagsOf<Once, Owner, Transfer>
> {
  const { transfer } = declaration
  return Object.freeze({
    name,
    table,
    // The schema is of what is stored; the type is of what a query gives.
    row: declaration.row as unknown as Schema<unknown, RowOf<S, Secrets>>,
    key: declaration.key ?? 'id',
    owner: ownershipOf(declaration.owner),
    tenant: declaration.tenant,
    server: declaration.server,
    grants: {
      read: [...listOf(declaration.read), ...listOf(declaration.update), ...listOf(declaration.delete)],
      update: listOf(declaration.update),
      delete: listOf(declaration.delete),
    },
    insert: listOf(declaration.insert),
    transfer: transfer === undefined || transfer === 'owner' ? transfer && [] : listOf(transfer),
    columns: {
      writeOnce: declaration.writeOnce ?? [],
      secret: declaration.secret ?? [],
      personal: declaration.personal ?? [],
      encrypted: declaration.encrypted ?? [],
      lookup: presentOf<string>(declaration.lookup),
      readableBy: presentOf<readonly string[]>(declaration.readableBy),
    },
  })
}

function presentOf<T>(declared: Readonly<Record<string, T | undefined>> | undefined): Record<string, T> {
  const present: Record<string, T> = {}
  for (const [column, given] of Object.entries(declared ?? {}))
    if (given !== undefined) present[column] = given
  return present
}

function ownershipOf(owner: string | ThroughRule | Extract<Ownership, { kind: 'shared' }>): Ownership {
  if (typeof owner === 'string') return { kind: 'column', column: owner }
  return owner.kind === 'shared' ? owner : { kind: 'through', table: owner.table, column: owner.column }
}

/**
 * Rows that belong to nobody: every caller may read them, no request may write them.
 *
 * @param reason Why that is right; listed for the reviewer.
 * @example resource('country', 'countries', { row, owner: shared('Reference data, the same for everyone.'), server: {} })
 */
export function shared(reason: string): Extract<Ownership, { kind: 'shared' }> {
  return { kind: 'shared', reason }
}

/**
 * Whoever may do something to the parent row. As `owner`: whoever owns the parent owns this row too.
 *
 * @param table The parent's table; its resource says who owns it.
 * @param column The column here that holds the parent's key.
 * @param action What the caller must be allowed to do to the parent; its owner only, unless said otherwise.
 * @example owner: through('notes', 'noteId')
 * @example insert: through('notes', 'noteId', 'read') // comment on what you may read
 */
export function through(table: string, column: string, action: RowAction = 'owner'): ThroughRule {
  return { kind: 'through', table, column, action }
}

/**
 * Rows that another table grants to the caller (sharing).
 *
 * @param table The table of grants.
 * @param columns `row` names this row's key there, `user` the caller; `where` narrows by fixed values.
 * @example update: granted('note_shares', { row: 'noteId', user: 'userId', where: { permission: 'write' } })
 */
export function granted(
  table: string,
  columns: {
    readonly row: string
    readonly user: string
    readonly where?: Readonly<Record<string, string | number>>
  },
): GrantedRule {
  return { kind: 'granted', table, row: columns.row, user: columns.user, where: columns.where ?? {} }
}

/**
 * Rows whose own column names the caller.
 *
 * @example read: callerIs('userId')
 */
export function callerIs(column: string): CallerIsRule {
  return { kind: 'caller-is', column }
}

/**
 * Callers who hold one of these roles.
 *
 * @example read: callerHas('support', 'admin')
 */
export function callerHas(...roles: readonly [string, ...string[]]): CallerHasRule {
  return { kind: 'caller-has', roles }
}

/**
 * Every signed-in caller; with a `tenant`, every one of the same tenant.
 *
 * @param reason Why that is right; listed for the reviewer.
 * @example read: anyCaller('The price list is for every customer.')
 */
export function anyCaller(reason: string): AnyCallerRule {
  return { kind: 'any-caller', reason }
}

/**
 * Rows with a fixed value in a column: the custom predicate. Combine it with {@link allOf} and {@link anyOf}.
 *
 * @param value `=` and `<>` take `null` as well: whether the column has a value.
 * @example read: allOf(anyCaller('Published is for everyone.'), where('status', '=', 'published'))
 */
export function where(column: string, operator: ColumnOperator, value: string | number | null): ColumnRule {
  return { kind: 'column', column, operator, value }
}

/** Any one of the rules is enough. @example anyOf(callerIs('editorId'), callerHas('admin')) */
export function anyOf(...of: readonly [RowRule, ...RowRule[]]): CombinedRule {
  return { kind: 'any', of }
}

/** Every one of the rules must hold. @example allOf(callerHas('editor'), where('status', '=', 'draft')) */
export function allOf(...of: readonly [RowRule, ...RowRule[]]): CombinedRule {
  return { kind: 'all', of }
}

function listOf(rules: RowRule | readonly RowRule[] | undefined): readonly RowRule[] {
  if (rules === undefined) return []
  return 'kind' in rules ? [rules] : rules
}

/** The resource of a table. @throws INTERNAL when no resource declares it: a query there has no owner to hold it to. */
export function resourceOf(resources: readonly Resource[], table: string): Resource {
  const found = resources.find((candidate) => candidate.table === table)
  if (found === undefined)
    throw new Problem(
      'INTERNAL',
      `the table "${table}" is no resource; declare it with resource() and an owner`,
    )
  return found
}
