import type { Expression, SqlBool } from 'kysely'
import { condition } from './expressions.ts'
import { eb, literal, type Making, openSight, type Sight, type Source, source } from './making.ts'
import { type From, madeSource, pairOf, plannedSource } from './sources.ts'
import {
  creatorOf,
  type Delete,
  freeColumns,
  isWithheldFromSome,
  type MadeWrite,
  onlyRows,
  type Returned,
  type Returning,
  returned,
  settingOf,
  settings,
  targetOf,
  type Update,
  whileChanging,
} from './target.ts'
import { type Cell, type Column, type Row, type Table, users } from './world.ts'

/** An update of one table: set to values, expressions and sub-queries, from other sources, returning something. */
export function update(making: Making): MadeWrite {
  const { choices } = making
  const table = targetOf(making)
  const { at, name } = nameOf(making, table)
  const target = source(at, table.columns)
  const { creator, sight } = creatorOf(making, 12)
  const { columns, isTransfer } = columnsToSet(making, table)
  let query = creator.updateTable(name)
  const from = choices.chance(25) ? beside(making, sight, target) : undefined
  if (from !== undefined) {
    making.has('update from')
    query = query.from(from.from).where(from.pair)
  }
  const near = from === undefined ? [target] : [target, from.source]
  const setting = {
    ...whileChanging(making, sight, table),
    near: from?.isOne === true ? near : [target],
    isQualified: from !== undefined,
  }
  const changed = query.set({
    ...settings(making, setting, table, columns),
    ...(isTransfer ? { owner: literal(making, users) } : {}),
    ...(making.reference === undefined ? {} : stamps(making.reference.now, table, at)),
  })
  const where = choices.chance(75) ? [condition(making, { ...sight, near })] : []
  const only = onlyRows(making, table, at, isTransfer ? ['update', 'transfer'] : ['update'])
  const filtered = [...where, ...only].reduce((narrowed, part) => narrowed.where(part), changed)
  const answer = answerOf(making, sight, { table, target, isAlone: from === undefined })
  if (answer === 'nothing') return counting(table, filtered)
  if (answer === 'all') return giving(making, table, filtered.returningAll(), table.columns)
  return giving(making, table, filtered.returning(answer.selections), answer.columns)
}

/** A delete from one table; with other sources beside it where the database has that. */
export function remove(making: Making): MadeWrite {
  const { choices } = making
  const table = targetOf(making)
  const { at, name } = nameOf(making, table)
  const target = source(at, table.columns)
  const { creator, sight } = creatorOf(making, 12)
  let query: Delete<unknown> = creator.deleteFrom(name)
  const using = choices.chance(20) ? beside(making, sight, target) : undefined
  if (using !== undefined) {
    if (making.dialect === 'sqlite') making.mustRefuse('delete using, which SQLite does not have')
    making.has('delete using')
    query = query.using(using.from).where(using.pair)
  }
  const near = using === undefined ? [target] : [target, using.source]
  const where = choices.chance(75) ? [condition(making, { ...sight, near })] : []
  const only = onlyRows(making, table, at, ['delete'])
  const filtered = [...where, ...only].reduce((narrowed, part) => narrowed.where(part), query)
  const answer = answerOf(making, sight, { table, target, isAlone: using === undefined })
  if (answer === 'nothing') return counting(table, filtered)
  if (answer === 'all') return giving(making, table, filtered.returningAll(), table.columns)
  return giving(making, table, filtered.returning(answer.selections), answer.columns)
}

function nameOf({ choices }: Making, { name }: Table): { readonly at: string; readonly name: string } {
  return choices.chance(25) ? { at: 'x', name: `${name} as x` } : { at: name, name }
}

function columnsToSet(
  making: Making,
  table: Table,
): { readonly columns: readonly Column[]; readonly isTransfer: boolean } {
  const { choices } = making
  const free = freeColumns(table)
  const first = choices.any(free)
  const columns = new Set(first === undefined ? [] : [first, ...choices.some(free, 20)])
  const fixed = table.columns.filter(({ name }) => settingOf(table, name) === 'never')
  const wrong = choices.chance(6) ? choices.any(fixed) : undefined
  if (wrong !== undefined) {
    making.mustRefuse('a column that no query may set')
    columns.add(wrong)
  }
  const canMove = table.columns.some(({ name }) => settingOf(table, name) === 'transfer')
  const isTransfer = canMove && choices.chance(40)
  if (isTransfer) making.has('transfer')
  return { columns: [...columns], isTransfer }
}

/** A source beside the one that is changed, and how their rows belong together. */
interface Beside {
  readonly from: From
  readonly source: Source
  readonly pair: Expression<SqlBool>
  /** Whether it has one row at most for each row that is changed. */
  readonly isOne: boolean
}

function beside(making: Making, sight: Sight, target: Source): Beside | undefined {
  const { choices } = making
  const parents = making.tables.flatMap(({ name, key, columns }) => {
    const keys = columns.find((column) => column.name === key)
    const link = target.columns.find((column) => column.values === keys?.values)
    return name === target.alias || link === undefined ? [] : [{ name, key, columns, link }]
  })
  const parent = choices.chance(50) ? choices.any(parents) : undefined
  if (parent !== undefined) {
    const joined = source('y', parent.columns)
    const pair = eb(joined.refer(parent.key), '=', target.refer(parent.link.name))
    return { from: `${parent.name} as y`, source: joined, pair, isOne: true }
  }
  const planned = plannedSource(making, sight, new Set([target.alias]))
  const { from, source: joined } = madeSource(making, sight, planned)
  const pair = pairOf(making, [target], joined)
  return pair === undefined ? undefined : { from, source: joined, pair, isOne: false }
}

/** What the server sets beside: in the reference, where nothing does so by itself. */
function stamps(now: string, { resource }: Table, at: string): Record<string, Cell | Expression<Cell>> {
  return Object.fromEntries(
    Object.entries(resource.server).flatMap(([column, fill]): [string, Cell | Expression<Cell>][] => {
      if (fill === 'changed') return [[column, now]]
      return fill === 'revision' ? [[column, eb(eb.ref(`${at}.${column}`), '+', 1)]] : []
    }),
  )
}

/** What a change gives back. With other sources beside, `*` would be theirs as well. */
function answerOf(
  making: Making,
  sight: Sight,
  { table, target, isAlone }: { readonly table: Table; readonly target: Source; readonly isAlone: boolean },
): 'nothing' | 'all' | Returned {
  const kind = making.choices.weighted({ nothing: 4, all: isAlone ? 2 : 0, some: 3 })
  if (kind !== 'some') return kind
  making.has('returning')
  // A new value of a column that is withheld cannot be looked at here.
  const open = { ...target, columns: target.columns.filter(({ name }) => !isWithheldFromSome(table, name)) }
  if (making.dialect === 'sqlite' && target.alias !== table.name) {
    // There, what is returned does not know the alias; and a sub-query could take the bare name for its own.
    const bare: Source = { ...open, refer: (column) => eb.ref(column) }
    return returned(making, { ...sight, near: [bare], depth: 0 })
  }
  return returned(making, {
    ...whileChanging(making, { ...sight, depth: 1 }, table),
    near: [open],
    isQualified: !isAlone,
  })
}

function giving(making: Making, table: Table, query: Returning, columns: readonly Column[]): MadeWrite {
  const run = async () => givenOf(making, table, await query.execute())
  return { table, giving: { query, columns }, run, compile: () => query.compile() }
}

/** In the reference, what a change has set in a column that the caller is not given is taken out by plain code. */
function givenOf({ reference }: Making, { name }: Table, rows: readonly Row[]): readonly Row[] {
  const withheld = reference?.judge.withheld(name) ?? []
  return rows.map((row) =>
    Object.fromEntries(
      Object.entries(row).map(([column, cell]) => [column, withheld.includes(column) ? null : cell]),
    ),
  )
}

function counting(table: Table, query: Update<unknown> | Delete<unknown>): MadeWrite {
  const run = async () => (await query.execute()).map(counted)
  return { table, giving: undefined, run, compile: () => query.compile() }
}

/** How many rows were changed, as a row. */
export function counted(result: unknown): Row {
  if (typeof result !== 'object' || result === null) throw new RangeError('a change without a result')
  const counts = Object.entries(result).filter(([name]) =>
    /^num(Updated|Deleted|InsertedOrUpdated)Rows$/.test(name),
  )
  return { changed: counts.map(([, count]) => String(count)).join() }
}

/** A change in front of a select of what it has returned, where the database has that. */
export function changeInWith(making: Making): MadeWrite {
  const write = making.choices.chance(40) ? remove(making) : update(making)
  if (write.giving === undefined) return write
  const { query, columns } = write.giving
  const changed = source(
    'changed',
    columns.filter(({ name }) => !isWithheldFromSome(write.table, name)),
  )
  const sight: Sight = { ...openSight, depth: 2, near: [changed] }
  making.has('change in with')
  const select = making.db
    .with('changed', () => query)
    .selectFrom('changed')
    .selectAll('changed')
  const narrowed = making.choices.chance(50) ? select.where(condition(making, sight)) : select
  const run = async () => givenOf(making, write.table, await narrowed.execute())
  return { ...write, run, compile: () => narrowed.compile() }
}
