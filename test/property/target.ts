import type {
  AliasableExpression,
  AliasedExpression,
  DeleteQueryBuilder,
  Expression,
  QueryCreator,
  SqlBool,
  UpdateQueryBuilder,
} from 'kysely'
import { rulesOf } from '../../src/data/index.ts'
import { value } from './expressions.ts'
import { eb, literal, type Making, openSight, type Sight } from './making.ts'
import { withNames } from './selects.ts'
import {
  type Cell,
  type Column,
  integers,
  type Row,
  type Table,
  type Tables,
  tableOf,
  words,
} from './world.ts'

/** An update of any table. */
export type Update<Answer> = UpdateQueryBuilder<Tables, string, string, Answer>

/** A delete from any table. */
export type Delete<Answer> = DeleteQueryBuilder<Tables, string, Answer>

/** A change that gives rows, which can stand in front of another query where the database has that. */
export type Returning = Update<Row> | Delete<Row>

/** A query that changes rows, ready to run. */
export interface MadeWrite {
  readonly table: Table
  /** The query and the columns of its rows, when it gives rows. */
  readonly giving: { readonly query: Returning; readonly columns: readonly Column[] } | undefined
  /** Runs it: the rows it returns, or how many it has changed. */
  readonly run: () => Promise<readonly Row[]>
  readonly compile: () => { readonly sql: string; readonly parameters: readonly unknown[] }
}

/** A table to change: rarely one whose rows are shared, which no query changes. */
export function targetOf({ choices, tables, mayRefuse, mustRefuse }: Making): Table {
  const owned = tables.filter(({ resource }) => resource.owner.kind !== 'shared')
  const found = choices.any(owned.length > 0 && !choices.chance(5) ? owned : tables)
  if (found === undefined) throw new RangeError('a schema without tables')
  if (found.resource.owner.kind === 'shared') mustRefuse('a change of shared rows')
  // Nothing that a write compares or stores may tell what such a column holds; the safe side refuses more than that.
  if (Object.keys(found.resource.columns.readableBy).length > 0) mayRefuse('a column that is withheld')
  return found
}

/** What may be done to a column by an update. */
export function settingOf({ resource, key }: Table, column: string): 'free' | 'transfer' | 'never' {
  const { owner, tenant, server, transfer, columns } = resource
  if (owner.kind === 'column' && owner.column === column) return transfer === undefined ? 'never' : 'transfer'
  const isPlace = owner.kind === 'through' && owner.column === column
  const isFixed = column === key || column === tenant || columns.writeOnce.includes(column)
  return isPlace || isFixed || isFilled(server, column) ? 'never' : 'free'
}

/** True for a column that the server fills, whatever a query says. */
export function isFilled(server: Table['resource']['server'], column: string): boolean {
  const fill = server[column]
  return fill !== undefined && fill !== 'handler'
}

/** The columns that a query may change, without those whose values must differ from row to row. */
export function freeColumns(table: Table): readonly Column[] {
  return table.columns.filter(({ name }) => settingOf(table, name) === 'free' && name !== table.unique)
}

/**
 * What can be named where a row is changed. SQLite changes row by row, and a sub-query there sees the rows before
 * changed already: it leaves alone every table that can be read differently by then.
 */
export function whileChanging({ dialect, tables }: Making, sight: Sight, { name: changing }: Table): Sight {
  if (dialect === 'postgres') return sight
  const avoided = new Set(
    tables.filter(({ name }) => dependsOn(tables, name, changing)).map(({ name }) => name),
  )
  return { ...sight, named: [], avoided, depth: avoided.size === tables.length ? 0 : sight.depth }
}

/** Whether who may read a table can depend on the rows of another. */
function dependsOn(tables: readonly Table[], name: string, other: string, seen = new Set<string>()): boolean {
  if (name === other) return true
  if (seen.has(name)) return false
  seen.add(name)
  const { resource } = tableOf(tables, name)
  const asked = rulesOf(resource).flatMap((rule) =>
    rule.kind === 'granted' || rule.kind === 'through' ? [rule.table] : [],
  )
  const parents = resource.owner.kind === 'through' ? [resource.owner.table] : []
  return [...asked, ...parents].some((table) => dependsOn(tables, table, other, seen))
}

/** True for a column that only callers with some role are given. */
export function isWithheldFromSome({ resource }: Table, column: string): boolean {
  return column in resource.columns.readableBy
}

/** A `with` clause in front of a write, sometimes. */
export function creatorOf(making: Making, percent: number): { creator: QueryCreator<Tables>; sight: Sight } {
  const sight: Sight = { ...openSight, depth: 2 }
  if (!making.choices.chance(percent)) return { creator: making.db, sight }
  making.has('with before a write')
  const { creator, named } = withNames(making, sight)
  return { creator, sight: { ...sight, named } }
}

/** What the plain rules add to a write of the reference: only these rows. */
export function onlyRows(
  { reference }: Making,
  table: Table,
  at: string,
  actions: readonly ('update' | 'delete' | 'transfer')[],
): Expression<SqlBool>[] {
  if (reference === undefined) return []
  const [first = [], ...others] = actions.map((action) => reference.judge.keys(action, table.name))
  const keys = first.filter((key) => others.every((list) => list.includes(key)))
  const key = eb.ref(`${at}.${table.key}`)
  return [keys.length === 0 ? eb(key, 'is', null) : eb(key, 'in', keys)]
}

/** What columns are set to, by one who may. */
export function settings(
  making: Making,
  sight: Sight,
  table: Table,
  columns: readonly Column[],
): Record<string, Cell | AliasableExpression<Cell>> {
  const { choices } = making
  return Object.fromEntries(
    columns.map((column) => [
      column.name,
      // Of a column that is withheld, a null that was set could not be told from one that is not given.
      !isWithheldFromSome(table, column.name) && choices.chance(50)
        ? value(making, sight, column)
        : literal(making, column.values),
    ]),
  )
}

/** Expressions that a write returns, and what they are like. */
export interface Returned {
  readonly selections: readonly AliasedExpression<Cell, string>[]
  readonly columns: readonly Column[]
}

/** What a write returns, in expressions. */
export function returned(making: Making, sight: Sight): Returned {
  const { choices } = making
  const columns = Array.from({ length: 1 + choices.below(2) }, (): Column => {
    const name = `c${making.nextNumber()}`
    return choices.chance(60)
      ? { name, type: 'text', values: words }
      : { name, type: 'integer', values: integers }
  })
  return { columns, selections: columns.map((column) => value(making, sight, column).as(column.name)) }
}
