import type { AliasableExpression, Expression, Kysely, SqlBool } from 'kysely'
import type { Scope } from '../../src/data/index.ts'
import type { Change, MadeInsert, NewCell } from './inserts.ts'
import type { Judge } from './judge.ts'
import { eb, type Source } from './making.ts'
import { isFilled } from './target.ts'
import type { Cell, Column, Row, Table, Tables } from './world.ts'

/** What an insert has to do, by plain code. */
export type ExpectedInsert =
  | {
      readonly is: 'done'
      readonly after: readonly Row[]
      /** What it returns, or how many rows it has changed. */
      readonly answer: readonly Row[]
      /** Whether a row in the way is one that the caller may not change: policies refuse the whole statement then. */
      readonly isBlocked: boolean
    }
  /** Nothing is changed, and the query fails: a value that must be unique is taken, or the rules refuse a row. */
  | { readonly is: 'failed' }
  | { readonly is: 'refused' }
  /** The databases differ about it. */
  | { readonly is: 'open' }

/** Who inserts, into what, and where sub-queries of the insert are answered. */
export interface Inserting {
  readonly scope: Scope
  readonly judge: Judge
  /** Holds what the caller may read. */
  readonly readable: Kysely<Tables>
  /** Every row of the table. */
  readonly before: readonly Row[]
  /** ISO 8601. */
  readonly now: string
}

/** What a key that the server makes is written as, once the answers are compared. */
export const madeKey = '(made by the server)'

/** Does an insert in plain code: stamps, rules and conflicts row by row. */
export async function expectedInsert(insert: MadeInsert, inserting: Inserting): Promise<ExpectedInsert> {
  const { table, conflict, rows } = insert
  const { scope, judge, readable } = inserting
  const { resource } = table
  if (scope.userId === null || resource.owner.kind === 'shared') return { is: 'refused' }
  if (resource.tenant !== undefined && scope.tenantId === null) return { is: 'refused' }
  const given = (await newRows(insert, inserting)).map((row) => stamped(row, table, inserting))
  // An insert of values says how many rows there must be; what the rules take out of it is a failure.
  const mayMiss = rows.kind === 'select' || conflict?.change?.where !== undefined || isIgnoring(insert)
  let after = inserting.before
  const changed: Row[] = []
  let isBlocked = false
  for (const row of given) {
    if (!judge.mayInsert(table.name, row)) {
      if (mayMiss) continue
      return { is: 'failed' }
    }
    const inTheWay = collisions(table, after, row)
    const [there, ...more] = inTheWay
    if (there === undefined) {
      after = [...after, row]
      changed.push(row)
      continue
    }
    if (isIgnoring(insert) && conflict?.on === undefined) continue
    const on = conflict?.on
    if (on === undefined || !inTheWay.every((other) => other[on] === row[on])) {
      // One value is taken that the conflict is about and one that it is not.
      const isBoth = on !== undefined && inTheWay.some((other) => other[on] === row[on])
      return { is: isBoth || more.length > 0 ? 'open' : 'failed' }
    }
    if (collidesElsewhere(table, there, row, on)) return { is: 'open' }
    if (conflict?.change === undefined) continue
    if (!judge.may('update', table.name, there)) isBlocked = true
    const mayChange = judge.mayNow('update', table.name, there)
    const next = mayChange ? await changedRow(table, conflict.change, { there, row }, inserting) : undefined
    if (next === undefined) {
      if (mayMiss) continue
      return { is: 'failed' }
    }
    after = after.map((other) => (other === there ? next : other))
    changed.push(next)
  }
  const { returning } = insert
  if (returning === undefined)
    return { is: 'done', after, answer: [{ changed: String(changed.length) }], isBlocked }
  const answer: Row[] = []
  for (const row of changed) {
    answer.push(
      await readable
        .selectNoFrom(returning(valuesOf(table, table.name, judge.given(table.name, row))))
        .executeTakeFirstOrThrow(),
    )
  }
  return { is: 'done', after, answer, isBlocked }
}

function isIgnoring({ conflict }: MadeInsert): boolean {
  return conflict !== undefined && conflict.change === undefined
}

async function newRows({ rows, table }: MadeInsert, { readable }: Inserting): Promise<Row[]> {
  if (rows.kind === 'values') {
    const made: Row[] = []
    for (const row of rows.rows) made.push(await evaluated(readable, row, table))
    return made
  }
  const found = await readable.executeQuery<Row>(rows.query.compile())
  return found.rows.map((row) =>
    Object.fromEntries(rows.columns.map(([from, to]) => [to, stored(table, to, row[from] ?? null)])),
  )
}

/** The values of expressions, asked of what the caller may read. */
async function evaluated(
  readable: Kysely<Tables>,
  cells: Readonly<Record<string, NewCell>>,
  table: Table,
): Promise<Row> {
  const made: Record<string, Cell> = {}
  for (const [name, cell] of Object.entries(cells)) {
    made[name] = isExpression(cell) ? stored(table, name, await answerOf(readable, cell)) : cell
  }
  return made
}

function isExpression(cell: NewCell): cell is AliasableExpression<Cell> {
  return typeof cell === 'object' && cell !== null
}

async function answerOf(readable: Kysely<Tables>, expression: AliasableExpression<Cell>): Promise<Cell> {
  const row = await readable.selectNoFrom(expression.as('value')).executeTakeFirstOrThrow()
  return row.value
}

/** As the column holds it: PostgreSQL gives large whole numbers as text. */
function stored(table: Table, name: string, cell: Cell): Cell {
  const column = table.columns.find((one) => one.name === name)
  return column?.type === 'integer' && cell !== null ? Number(cell) : cell
}

/** A new row with every column: those that were not given, and those that only the server knows. */
function stamped(given: Row, { columns, resource }: Table, { scope, now }: Inserting): Row {
  const { owner, tenant, server } = resource
  const cell = ({ name }: Column): Cell => {
    if (owner.kind === 'column' && owner.column === name) return scope.userId
    if (tenant === name) return scope.tenantId
    if (!isFilled(server, name)) return given[name] ?? null
    if (server[name] === 'uuid') return madeKey
    return server[name] === 'revision' ? 1 : now
  }
  return Object.fromEntries(columns.map((column) => [column.name, cell(column)]))
}

/** The rows whose unique values a new row has. */
function collisions({ key, unique }: Table, rows: readonly Row[], row: Row): Row[] {
  return rows.filter(
    (other) =>
      (other[key] === row[key] && row[key] !== madeKey) ||
      (unique !== undefined && row[unique] !== null && other[unique] === row[unique]),
  )
}

function collidesElsewhere({ key, unique }: Table, there: Row, row: Row, on: string): boolean {
  return [key, unique].some(
    (name) => name !== undefined && name !== on && row[name] !== null && there[name] === row[name],
  )
}

/** The row in the way as the conflict leaves it; `undefined` when its condition does not hold. */
async function changedRow(
  table: Table,
  change: Change,
  { there, row }: { readonly there: Row; readonly row: Row },
  { readable, now }: Inserting,
): Promise<Row | undefined> {
  const old = valuesOf(table, table.name, there)
  const excluded = valuesOf(table, 'excluded', row)
  if (change.where !== undefined && !(await holds(readable, change.where(old, excluded)))) return undefined
  const set = await evaluated(readable, change.set(old, excluded), table)
  const stamps: Record<string, Cell> = {}
  for (const [column, fill] of Object.entries(table.resource.server)) {
    if (fill === 'changed') stamps[column] = now
    if (fill === 'revision') stamps[column] = there[column] === null ? null : Number(there[column]) + 1
  }
  return { ...there, ...set, ...stamps }
}

async function holds(readable: Kysely<Tables>, condition: Expression<SqlBool>): Promise<boolean> {
  const answer = eb
    .case()
    .when(condition)
    .then(eb.cast<Cell>(eb.val(1), 'integer'))
    .end()
  return Number(await answerOf(readable, answer)) === 1
}

/** A row as a source: its columns are values. */
function valuesOf(table: Table, alias: string, row: Row): Source {
  return {
    alias,
    columns: table.columns,
    refer: (name) => {
      const column = table.columns.find((one) => one.name === name)
      return eb.cast<Cell>(eb.val(row[name] ?? null), column?.type === 'integer' ? 'integer' : 'text')
    },
  }
}
