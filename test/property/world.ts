import type { Resource, Scope } from '../../src/data/index.ts'

/** What a column holds. */
export type Cell = string | number | null

/** A row of any table. */
export type Row = Readonly<Record<string, Cell>>

/** Every table's columns, as the compiler sees them: the names are made at run time. */
export type Tables = Record<string, Record<string, Cell>>

/** The rows of a whole database, by table. */
export type Rows = ReadonlyMap<string, readonly Row[]>

/** A column that a query can name. */
export interface Column {
  readonly name: string
  readonly type: 'text' | 'integer'
  /** Values that are likely there. Two columns with the same list can be compared with some hope of a match. */
  readonly values: readonly Cell[]
}

/** A table with its rules. */
export interface Table {
  readonly name: string
  readonly columns: readonly Column[]
  readonly key: string
  /** A column beside the key whose values are unique; nulls are not. */
  readonly unique: string | undefined
  readonly resource: Resource
}

/** A generated application: tables, rules, rows, and two who ask. */
export interface World {
  readonly tables: readonly Table[]
  readonly rows: Rows
  readonly callers: readonly [Scope, Scope]
}

/** What "now" is for columns that hold the time of a change. */
export const nowMs: number = Date.UTC(2030, 0, 1)

export const users: readonly [string, ...string[]] = ['u1', 'u2', 'u3']
export const tenants: readonly [string, ...string[]] = ['t1', 't2']
export const roles: readonly [string, ...string[]] = ['r1', 'r2']
export const modes: readonly [string, ...string[]] = ['r', 'w']
// Lower-case letters and digits only: every collation agrees about their order.
export const words: readonly [string, ...string[]] = ['a', 'b', 'c', 'ab']
export const integers: readonly [number, ...number[]] = [0, 1, 2, 10, -1]
export const times: readonly [string, ...string[]] = ['2029', '2030']

/** The table of a name. */
export function tableOf(tables: readonly Table[], name: string): Table {
  const found = tables.find((table) => table.name === name)
  if (found === undefined) throw new RangeError(`no table ${name}`)
  return found
}

/** The rows of a table. */
export function rowsOf(rows: Rows, table: string): readonly Row[] {
  return rows.get(table) ?? []
}
