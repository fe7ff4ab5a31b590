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

/** The caller owns the row of another resource that this row points at. */
export interface ThroughRule {
  readonly kind: 'through'
  /** The parent's table. */
  readonly table: string
  /** The column here that holds the parent's key. */
  readonly column: string
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

/**
 * An allow-only rule about rows, as data that compiles to a SQL predicate.
 *
 * Rules only ever widen what the owner may do; there is no deny and no order to get wrong.
 */
export type RowRule = CallerIsRule | ThroughRule | GrantedRule

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
  /** Who besides the owner may read, update or delete. */
  readonly grants: Readonly<Record<'read' | 'update' | 'delete', readonly RowRule[]>>
  /** The columns that Holdfast fills itself (the owner among them); for the compiler only, absent at run time. */
  readonly filled?: Filled
}

type ColumnOf<S extends Schema> = keyof OutputOf<S> & string

/** Who owns the rows: a column of theirs, or a parent or nobody. */
type OwnerOf<S extends Schema> = ColumnOf<S> | Extract<Ownership, { kind: 'through' | 'shared' }>

/** The declaration of a resource, as an application writes it. */
export interface ResourceDeclaration<S extends Schema, Owner extends OwnerOf<S>, Fills> {
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
  /** Who else may read a row. */
  readonly read?: RowRule | readonly RowRule[]
  /** Who else may change a row; also lets them read it. */
  readonly update?: RowRule | readonly RowRule[]
  /** Who else may delete a row; also lets them read it. */
  readonly delete?: RowRule | readonly RowRule[]
}

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
>(
  name: Name,
  table: Table,
  declaration: ResourceDeclaration<S, Owner, Fills>,
): Resource<Name, Table, OutputOf<S>, FilledColumn<Fills> | Extract<Owner, string>> {
  return Object.freeze({
    name,
    table,
    row: declaration.row as Schema<unknown, OutputOf<S>>,
    key: declaration.key ?? 'id',
    owner: ownershipOf(declaration.owner),
    server: declaration.server,
    grants: {
      read: [...listOf(declaration.read), ...listOf(declaration.update), ...listOf(declaration.delete)],
      update: listOf(declaration.update),
      delete: listOf(declaration.delete),
    },
  })
}

function ownershipOf(owner: string | Ownership): Ownership {
  return typeof owner === 'string' ? { kind: 'column', column: owner } : owner
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
 * Whoever owns the parent row owns this one too.
 *
 * @param table The parent's table; its resource says who owns it.
 * @param column The column here that holds the parent's key.
 * @example owner: through('notes', 'noteId')
 */
export function through(table: string, column: string): ThroughRule {
  return { kind: 'through', table, column }
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
