import type { AliasableExpression, AliasedExpression, Expression, InsertQueryBuilder, SqlBool } from 'kysely'
import { counted } from './changes.ts'
import { Choices } from './choices.ts'
import { condition, value } from './expressions.ts'
import {
  eb,
  literal,
  type Making,
  openSight,
  type Select,
  type Sight,
  type Source,
  source,
} from './making.ts'
import { mostRows } from './schema.ts'
import { select } from './selects.ts'
import {
  creatorOf,
  freeColumns,
  isFilled,
  isWithheldFromSome,
  type MadeWrite,
  returned,
  settingOf,
  targetOf,
  whileChanging,
} from './target.ts'
import type { Cell, Column, Row, Table, Tables } from './world.ts'

/** A cell of a new row: a value, or an expression that gives one. */
export type NewCell = Cell | AliasableExpression<Cell>

/** Where new rows come from. */
export type NewRows =
  | { readonly kind: 'values'; readonly rows: readonly Readonly<Record<string, NewCell>>[] }
  /** The columns of the select and of the table, in the same order. */
  | {
      readonly kind: 'select'
      readonly query: Select
      readonly columns: readonly (readonly [string, string])[]
    }

/** What happens to a row that is there already. */
export interface Conflict {
  /** The column whose values collide; `undefined` for any. */
  readonly on: string | undefined
  /** What the row there is changed to; `undefined` where nothing is done. */
  readonly change: Change | undefined
}

/** A change of a row that is in the way of a new one. */
export interface Change {
  /** What is set. The two rows are sources, so that they can be columns in a query and values in the reference. */
  readonly set: (there: Source, excluded: Source) => Readonly<Record<string, NewCell>>
  readonly where: ((there: Source, excluded: Source) => Expression<SqlBool>) | undefined
}

/** An insert, and what plain code needs to know to do the same. */
export interface MadeInsert extends MadeWrite {
  readonly rows: NewRows
  readonly conflict: Conflict | undefined
  /** What it returns of a row, which is a source here as in {@link Change}; `undefined` when it gives a count. */
  readonly returning: ((row: Source) => readonly AliasedExpression<Cell, string>[]) | undefined
  /** The query, when it returns something. */
  readonly answering: Insert<Row> | undefined
}

type Insert<Answer> = InsertQueryBuilder<Tables, string, Answer>

/** An insert of values. */
export function insertValues(making: Making): MadeInsert {
  const { choices } = making
  const table = targetOf(making)
  const columns = columnsToGive(making, table)
  const count = choices.chance(40) ? 2 + choices.below(2) : 1
  const places = [choices.below(mostRows), choices.below(mostRows)]
  const row = (index: number): Record<string, NewCell> => {
    const given = columns.filter(({ name }) => index === 0 || name === table.key || !choices.chance(3))
    if (given.length < columns.length) making.mayRefuse('rows that do not name the same columns')
    const place = (places[making.variant] ?? 0) + index
    return Object.fromEntries(given.map((column) => [column.name, newCell(making, table, column, place)]))
  }
  const rows = Array.from({ length: count }, (_, index) => row(index))
  const query = making.db.insertInto(table.name).values(rows)
  return finished(making, table, query, { kind: 'values', rows })
}

/** An insert of what a select gives. */
export function insertSelected(making: Making): MadeInsert {
  const table = targetOf(making)
  const columns = columnsToGive(making, table).filter(({ name }) => name !== table.unique)
  const { creator, sight } = creatorOf(making, 20)
  const made = columns.some(({ name }) => name === table.key)
    ? keyedSelect(making, table, columns)
    : select(making, sight, columns)
  const pairs = columns.map((column, index) => [made.columns[index]?.name ?? '', column.name] as const)
  const query = creator
    .insertInto(table.name)
    .columns(columns.map(({ name }) => name))
    .expression(made.query)
  making.has('insert from select')
  // What is inserted, under the same common table expressions.
  const given = creator
    .with(
      (name) => name('given').materialized(),
      () => made.query,
    )
    .selectFrom('given')
    .selectAll()
  return finished(making, table, query, { kind: 'select', query: given, columns: pairs })
}

/** An insert in front of a select of what it has returned, where the database has that. */
export function insertInWith(making: Making): MadeInsert {
  const insert = making.choices.chance(40) ? insertSelected(making) : insertValues(making)
  const { answering } = insert
  if (answering === undefined) return insert
  making.has('insert in with')
  if (insert.rows.kind === 'values')
    making.mayRefuse('an insert whose rows the rules decide about, not by itself')
  const select = making.db
    .with('made', () => answering)
    .selectFrom('made')
    .selectAll()
  return { ...insert, run: () => select.execute(), compile: () => select.compile() }
}

/** Some columns of a new row; the key where the server does not make it. */
function columnsToGive(making: Making, table: Table): Column[] {
  const { choices } = making
  const { server, owner, tenant, insert } = table.resource
  const isServers = ({ name }: Column): boolean =>
    isFilled(server, name) || name === tenant || (owner.kind === 'column' && name === owner.column)
  const own = table.columns.filter((column) => !isServers(column))
  const omitted = insert.length > 0 ? 3 : 12
  const given = own.filter(
    ({ name }) => [table.key, 'parent', 'n'].includes(name) || !choices.chance(omitted),
  )
  const wrong = choices.chance(5) ? choices.any(table.columns.filter(isServers)) : undefined
  if (wrong !== undefined) making.mustRefuse('a new row that sets a column of the server')
  if (insert.length > 0 && given.length < own.length) making.mayRefuse('a new row without a column of a rule')
  return wrong === undefined ? given : [...given, wrong]
}

function newCell(making: Making, table: Table, column: Column, place: number): NewCell {
  const { choices } = making
  if (column.name === table.key) {
    // Of one insert, no two rows have the same key; some have one that is taken.
    const isTaken = choices.chance(25)
    return isTaken ? (column.values[place % mostRows] ?? null) : `${table.name}n${place}`
  }
  if (column.name === table.unique) {
    return choices.chance(30) ? null : (column.values[place % column.values.length] ?? null)
  }
  if (!choices.chance(15)) return literal(making, column.values)
  making.has('expression in values')
  return value(making, whileChanging(making, { ...openSight, depth: 2 }, table), column)
}

/** A select whose keys differ from row to row: those of one table, as they are or made new. */
function keyedSelect(making: Making, table: Table, columns: readonly Column[]) {
  const { choices, tables } = making
  const isSame = choices.chance(40)
  const from = isSame ? table : (choices.any(tables) ?? table)
  const rows = source('s', from.columns)
  const sight: Sight = { ...openSight, depth: 2, near: [rows] }
  const made = columns.map((column, index) => ({ ...column, name: `k${index}` }))
  const key = rows.refer(from.key)
  const selections = columns.map((column, index) => {
    const name = `k${index}`
    if (column.name !== table.key) return value(making, sight, column).as(name)
    return isSame ? key.as(name) : eb(key, '||', 'new').as(name)
  })
  let query: Select = making.db.selectFrom(`${from.name} as s`).select(selections)
  if (choices.chance(60)) query = query.where(condition(making, sight))
  return { query, columns: made }
}

function finished(making: Making, table: Table, query: Insert<unknown>, rows: NewRows): MadeInsert {
  const { choices } = making
  const conflict = conflictOf(making, table, rows)
  const there = source(table.name, table.columns)
  const excluded = source('excluded', table.columns)
  const complete = conflict === undefined ? query : withConflict(query, conflict, there, excluded)
  const kind = choices.weighted({ nothing: 4, all: 3, some: 3, expressions: 2 })
  const made = { table, giving: undefined, rows, conflict, compile: () => complete.compile() }
  if (kind === 'nothing')
    return {
      ...made,
      returning: undefined,
      answering: undefined,
      run: async () => (await complete.execute()).map(counted),
    }
  making.has('returning')
  const names = table.columns.map(({ name }) => name)
  const columns = kind === 'some' ? names.filter((name) => name === table.key || choices.chance(40)) : names
  const again = repeating(making, choices.aside(60))
  const selections = (row: Source): readonly AliasedExpression<Cell, string>[] => {
    if (kind !== 'expressions') return columns.map((name) => row.refer(name).as(name))
    // Nobody knows the key beforehand where the server makes it.
    const known = {
      ...row,
      columns: row.columns.filter(({ name }) => table.resource.server[name] !== 'uuid'),
    }
    const open: Sight = { ...openSight, depth: 1, near: [known], isQualified: true }
    const sight = whileChanging(making, open, table)
    return returned(again(), sight).selections
  }
  const answering =
    kind === 'all'
      ? complete.returningAll()
      : complete.returning(selections(source(table.name, table.columns)))
  return {
    ...made,
    returning: selections,
    answering,
    run: () => answering.execute(),
    compile: () => answering.compile(),
  }
}

/** Makes something several times from the same decisions. */
function repeating(making: Making, numbers: readonly number[]): () => Making {
  const first = making.nextNumber() * 1_000
  return () => {
    let number = first
    return { ...making, choices: new Choices(numbers), nextNumber: () => number++ }
  }
}

function conflictOf(making: Making, table: Table, rows: NewRows): Conflict | undefined {
  const { choices } = making
  if (!choices.chance(rows.kind === 'values' ? 35 : 30)) return undefined
  const isFilledKey = isFilled(table.resource.server, table.key)
  const unique = rows.kind === 'values' ? table.unique : undefined
  const on = choices.chance(25)
    ? undefined
    : choices.chance(50)
      ? (unique ?? table.key)
      : isFilledKey
        ? unique
        : table.key
  if (on === undefined || choices.chance(30)) {
    making.has('on conflict do nothing')
    return { on, change: undefined }
  }
  making.has('on conflict do update')
  const free = freeColumns(table)
  const first = choices.any(free)
  const columns = new Set(first === undefined ? [] : [first, ...choices.some(free, 20)])
  const wrong = choices.chance(6)
    ? choices.any(table.columns.filter(({ name }) => settingOf(table, name) !== 'free'))
    : undefined
  if (wrong !== undefined) {
    making.mustRefuse('a conflict that sets a column that no query may set')
    columns.add(wrong)
  }
  const setting = repeating(making, choices.aside(60))
  const hasWhere = choices.chance(40)
  const filtering = repeating(making, choices.aside(60))
  const sight = (there: Source, excluded: Source): Sight =>
    whileChanging(making, { ...openSight, depth: 1, near: [there, excluded] }, table)
  return {
    on,
    change: {
      set: (there, excluded) => {
        const inside = setting()
        return Object.fromEntries(
          [...columns].map((column) => {
            if (isWithheldFromSome(table, column.name)) return [column.name, literal(inside, column.values)]
            const isExcluded = inside.choices.chance(50)
            return [
              column.name,
              isExcluded ? excluded.refer(column.name) : value(inside, sight(there, excluded), column),
            ]
          }),
        )
      },
      where: hasWhere ? (there, excluded) => condition(filtering(), sight(there, excluded)) : undefined,
    },
  }
}

function withConflict(
  query: Insert<unknown>,
  { on, change }: Conflict,
  there: Source,
  excluded: Source,
): Insert<unknown> {
  return query.onConflict((conflict) => {
    const where = on === undefined ? conflict : conflict.column(on)
    if (change === undefined) return where.doNothing()
    const updating = where.doUpdateSet(change.set(there, excluded))
    return change.where === undefined ? updating : updating.where(change.where(there, excluded))
  })
}
