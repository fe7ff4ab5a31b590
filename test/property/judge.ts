import type { Resource, RowAction, RowRule, Scope } from '../../src/data/index.ts'
import { type Cell, type Row, type Rows, rowsOf, type Table, tableOf } from './world.ts'

/**
 * The row rules in plain code, written from their description and not from the compiler: one row is held against
 * them, with the rows of every other table at hand.
 */
export class Judge {
  readonly #tables: readonly Table[]
  readonly #rows: Rows
  readonly #scope: Scope

  constructor(tables: readonly Table[], rows: Rows, scope: Scope) {
    this.#tables = tables
    this.#rows = rows
    this.#scope = scope
  }

  /** What of the whole database the caller may read; columns that are withheld have no value there. */
  readable(): Rows {
    return new Map(
      this.#tables.map(({ name }) => [
        name,
        rowsOf(this.#rows, name)
          .filter((row) => this.may('read', name, row))
          .map((row) => this.given(name, row)),
      ]),
    )
  }

  /** The columns of a table that the caller is not given. */
  withheld(table: string): string[] {
    const { readableBy } = tableOf(this.#tables, table).resource.columns
    return Object.entries(readableBy).flatMap(([column, allowed]) =>
      allowed.some((role) => this.#scope.roles.includes(role)) ? [] : [column],
    )
  }

  /** A row as the caller is given it. */
  given(table: string, row: Row): Row {
    return { ...row, ...Object.fromEntries(this.withheld(table).map((column) => [column, null])) }
  }

  /** The keys of a table's rows that the caller may change in a way, now. */
  keys(action: 'update' | 'delete' | 'transfer', table: string): Cell[] {
    const { key } = tableOf(this.#tables, table)
    return rowsOf(this.#rows, table).flatMap((row) =>
      this.mayNow(action, table, row) ? [row[key] ?? null] : [],
    )
  }

  /** Whether the caller may change a row in a way, and it still is as the client saw it. */
  mayNow(action: 'update' | 'delete' | 'transfer', table: string, row: Row): boolean {
    return this.may(action, table, row) && this.#isAsExpected(table, row)
  }

  /** The row that `If-Match` names can be changed only while it has the revision that the client saw. */
  #isAsExpected(table: string, row: Row): boolean {
    const { expected } = this.#scope
    if (expected?.table !== table) return true
    const { resource, key } = tableOf(this.#tables, table)
    const revision = Object.entries(resource.server).find(([, fill]) => fill === 'revision')?.[0]
    return revision === undefined || row[key] !== expected.key || row[revision] === expected.revision
  }

  /** Whether the caller may do something to a row. */
  may(action: RowAction | 'transfer', table: string, row: Row): boolean {
    const { resource } = tableOf(this.#tables, table)
    if (!this.#isInTenant(resource, row)) return false
    if (resource.owner.kind === 'shared') return action === 'read'
    if (this.#isLifted(resource, row) || this.#owns(resource, row)) return true
    return this.#rulesFor(resource, action).some((rule) => this.#holds(rule, resource, row))
  }

  /** Whether the caller may add a row, which says already whose it is. */
  mayInsert(table: string, row: Row): boolean {
    const { resource } = tableOf(this.#tables, table)
    const { insert, owner } = resource
    if (owner.kind === 'through' && !this.#owns(resource, row)) return false
    return insert.length === 0 || insert.some((rule) => this.#holds(rule, resource, row))
  }

  #rulesFor({ grants, transfer }: Resource, action: RowAction | 'transfer'): readonly RowRule[] {
    if (action === 'owner') return []
    if (action === 'transfer') return transfer ?? []
    // Who may change or delete a row may read it.
    if (action === 'read') return [...grants.read, ...grants.update, ...grants.delete]
    return grants[action]
  }

  #isInTenant({ tenant }: Resource, row: Row): boolean {
    if (tenant === undefined) return true
    const { tenantId } = this.#scope
    return tenantId !== null && row[tenant] === tenantId
  }

  #isLifted({ table, key }: Resource, row: Row): boolean {
    const lifted = this.#scope.lifted.get(table)
    return lifted === 'all' || (lifted !== undefined && row[key] === lifted.key)
  }

  #owns({ owner }: Resource, row: Row): boolean {
    if (owner.kind === 'shared') return false
    if (owner.kind === 'column') return this.#isCaller(row[owner.column])
    return this.#mayParent('owner', owner, row)
  }

  #isCaller(cell: Cell | undefined): boolean {
    return this.#scope.userId !== null && cell === this.#scope.userId
  }

  #mayParent(
    action: RowAction,
    link: { readonly table: string; readonly column: string },
    row: Row,
  ): boolean {
    const named = row[link.column] ?? null
    const { key } = tableOf(this.#tables, link.table)
    const parent = rowsOf(this.#rows, link.table).find((candidate) => candidate[key] === named)
    return named !== null && parent !== undefined && this.may(action, link.table, parent)
  }

  #holds(rule: RowRule, resource: Resource, row: Row): boolean {
    const { userId, roles } = this.#scope
    if (userId === null) return false
    switch (rule.kind) {
      case 'caller-is':
        return this.#isCaller(row[rule.column])
      case 'caller-has':
        return rule.roles.some((role) => roles.includes(role))
      case 'any-caller':
        return true
      case 'column':
        return compares(row[rule.column] ?? null, rule.operator, rule.value)
      case 'through':
        return this.#mayParent(rule.action, rule, row)
      case 'granted':
        return rowsOf(this.#rows, rule.table).some(
          (grant) =>
            this.#isInTenant(tableOf(this.#tables, rule.table).resource, grant) &&
            grant[rule.row] !== null &&
            grant[rule.row] === row[resource.key] &&
            this.#isCaller(grant[rule.user]) &&
            Object.entries(rule.where).every(([column, value]) => grant[column] === value),
        )
      case 'any':
        return rule.of.some((part) => this.#holds(part, resource, row))
      case 'all':
        return rule.of.every((part) => this.#holds(part, resource, row))
      default:
        return rule satisfies never
    }
  }
}

/** A comparison as SQL makes it: with no value on the left nothing is true, but the question whether there is one. */
function compares(left: Cell, operator: string, right: Cell): boolean {
  if (right === null) return (left === null) === (operator === '=')
  if (left === null) return false
  switch (operator) {
    case '=':
      return left === right
    case '<>':
      return left !== right
    case '<':
      return left < right
    case '<=':
      return left <= right
    case '>':
      return left > right
    case '>=':
      return left >= right
    default:
      throw new RangeError(`an operator that rules do not have: ${operator}`)
  }
}
