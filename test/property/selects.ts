import type { AliasableExpression, QueryCreator } from 'kysely'
import { condition, value } from './expressions.ts'
import {
  apart,
  eb,
  literal,
  type MadeSelect,
  type Making,
  type Named,
  openSight,
  type Select,
  type Sight,
  type Source,
  source,
} from './making.ts'
import { type From, join, madeSource, type PlannedSource, plannedSource } from './sources.ts'
import { type Cell, type Column, integers, type Tables, words } from './world.ts'

/** A select that is a whole query. */
export function wholeSelect(making: Making): MadeSelect {
  if (!making.choices.chance(4)) return select(making, openSight, [])
  making.has('select without from')
  const sight: Sight = { ...openSight, depth: 2 }
  const columns = wantedOf(making, []).map((column) => ({ ...column, name: `c${making.nextNumber()}` }))
  const selections = columns.map((column) => value(making, sight, column).as(column.name))
  return { query: making.db.selectNoFrom(selections), columns, isOrdered: false }
}

/**
 * A select of any shape.
 *
 * @param wanted What its columns have to be like; none for whatever it gives.
 */
export function select(making: Making, sight: Sight, wanted: readonly Column[]): MadeSelect {
  const { choices } = making
  const isOutermost = sight === openSight
  const hasNames = sight.depth > 1 && choices.chance(isOutermost ? 30 : 12)
  const { creator, named } = hasNames ? withNames(making, sight) : { creator: making.db, named: sight.named }
  const inside = { ...sight, named }
  const start = (from: From | From[]): Select => creator.selectFrom(from)
  if (sight.depth <= 0 || !choices.chance(12))
    return arranged(making, plainSelect(making, inside, wanted, start), { isOutermost, isOne: true })
  return arranged(making, combined(making, inside, wanted, start), { isOutermost, isOne: false })
}

/** `with … as (…)` in front of a query: each sees those before it. */
export function withNames(
  making: Making,
  sight: Sight,
): { creator: QueryCreator<Tables>; named: readonly Named[] } {
  const { choices } = making
  if (choices.chance(12)) return withRecursion(making, sight)
  let creator: QueryCreator<Tables> = making.db
  let named = sight.named
  const names: string[] = []
  for (let left = 1 + choices.below(2); left > 0; left--) names.push(nameFor(making, names))
  for (const [index, name] of names.entries()) {
    making.has(named.some((other) => other.name === name) ? 'shadowed with' : 'with')
    // In SQLite a body sees itself and those after it, and a circle instead of what the name means outside.
    const hidden = making.dialect === 'sqlite' ? names.slice(index) : []
    const seen = named.filter((other) => !hidden.includes(other.name))
    const body = select(making, { ...apart(sight), named: seen }, [])
    // The columns can have names of their own.
    const renamed = choices.chance(25)
    const columns = renamed
      ? body.columns.map((column, place) => ({ ...column, name: `${name}c${place}` }))
      : body.columns
    const list = renamed ? `${name}(${columns.map((column) => column.name).join(', ')})` : name
    creator = creator.with(list, () => body.query)
    named = [...named.filter((other) => other.name !== name), { name, columns }]
  }
  return { creator, named }
}

/** `with recursive`: rows of one table, and rows of another that are alike in a number, again and again. */
function withRecursion(
  making: Making,
  sight: Sight,
): { creator: QueryCreator<Tables>; named: readonly Named[] } {
  const { choices, tables } = making
  making.has('recursive with')
  const name = nameFor(making, [])
  const columns: readonly Column[] = [
    { name: 'k0', type: 'text', values: words },
    { name: 'k1', type: 'integer', values: integers },
  ]
  const part = (alias: string, more: readonly Source[]) => {
    const table = choices.any(tables.filter((one) => one.columns.some((column) => column.name === 'a')))
    const rows = source(alias, table?.columns ?? [])
    const query = making.db
      .selectFrom(`${table?.name} as ${alias}`)
      .select([eb.ref(`${alias}.a`).as('k0'), eb.ref(`${alias}.n`).as('k1')])
    const inside = { ...apart(sight), near: [rows, ...more] }
    return { query, where: choices.chance(60) ? condition(making, inside, 1) : undefined }
  }
  const base = part('f', [])
  const first = base.where === undefined ? base.query : base.query.where(base.where)
  const next = part('g', [source(name, columns)])
  const joined = next.query.innerJoin(name, 'g.n', `${name}.k1`)
  const again = next.where === undefined ? joined : joined.where(next.where)
  // Without "all": what has been found already is not looked at again, so that there is an end.
  const creator = making.db.withRecursive(name, () => first.union(again))
  return { creator, named: [...sight.named.filter((other) => other.name !== name), { name, columns }] }
}

function nameFor(making: Making, taken: readonly string[]): string {
  const { choices } = making
  if (choices.chance(3)) {
    making.mustRefuse('a common table expression with the name of a table')
    return choices.any(making.tables)?.name ?? ''
  }
  const name = choices.pick(['w', 'v', 'x'])
  return taken.includes(name) ? `w${making.nextNumber()}` : name
}

function plainSelect(
  making: Making,
  sight: Sight,
  wanted: readonly Column[],
  start: (from: From | From[]) => Select,
): MadeSelect {
  const { choices } = making
  const { planned, others, seen } = plannedSources(making, sight)
  const first = madeSource(making, seen, planned)
  const near: Source[] = [first.source]
  // A join after a comma does not see what stands before the comma.
  const beside = others.length === 1 && choices.chance(15) ? others.shift() : undefined
  const second = beside === undefined ? undefined : madeSource(making, seen, beside)
  if (second !== undefined) {
    making.has('two sources in from')
    near.push(second.source)
  }
  let query = start(second === undefined ? first.from : [first.from, second.from])
  for (const other of others) {
    const joined = join(making, query, { ...seen, near }, other)
    query = joined.query
    near.push(joined.source)
  }
  const inside = { ...seen, near }
  if (choices.chance(60)) query = query.where(condition(making, inside))
  const kind = choices.weighted({
    plain: 6,
    all: wanted.length === 0 ? 3 : 0,
    grouped: 2,
    window: 2,
    whole: 1,
  })
  switch (kind) {
    case 'all':
      return everything(making, query, near)
    case 'plain':
      return columnsOf(making, query, wantedOf(making, wanted), (column) => value(making, inside, column))
    case 'grouped':
      return grouped(making, query, inside, wantedOf(making, wanted))
    case 'window':
      return columnsOf(making, query, wantedOf(making, wanted), (column) => windowed(making, inside, column))
    case 'whole':
      making.has('aggregate')
      return columnsOf(making, query, wantedOf(making, wanted), (column) => aggregate(making, inside, column))
    default:
      return kind satisfies never
  }
}

/** The sources of a query, and what it sees: a name that it gives away itself means nothing outside any more. */
function plannedSources(
  making: Making,
  sight: Sight,
): { planned: PlannedSource; others: PlannedSource[]; seen: Sight } {
  const taken = new Set<string>()
  const next = (): PlannedSource => {
    const planned = plannedSource(making, sight, taken)
    taken.add(planned.alias)
    return planned
  }
  const planned = next()
  const others: PlannedSource[] = []
  for (let percent = 45; percent > 0 && making.choices.chance(percent); percent -= 20) others.push(next())
  return { planned, others, seen: { ...sight, far: sight.far.filter(({ alias }) => !taken.has(alias)) } }
}

/** `select *`, of one source. */
function everything(making: Making, query: Select, near: readonly Source[]): MadeSelect {
  const [first] = near
  if (first === undefined) throw new RangeError('a select without sources')
  making.has('select all')
  const all =
    near.length === 1 && making.choices.chance(50) ? query.selectAll() : query.selectAll(first.alias)
  return { query: all, columns: first.columns, isOrdered: false }
}

/** The columns that are asked for; a few of any kind where none are. */
function wantedOf({ choices }: Making, wanted: readonly Column[]): readonly Column[] {
  if (wanted.length > 0) return wanted
  return Array.from({ length: 1 + choices.below(3) }, () =>
    choices.chance(60)
      ? { name: '', type: 'text', values: words }
      : { name: '', type: 'integer', values: integers },
  )
}

function columnsOf(
  making: Making,
  query: Select,
  wanted: readonly Column[],
  make: (column: Column) => AliasableExpression<Cell>,
): MadeSelect {
  const columns = wanted.map((column) => ({ ...column, name: `c${making.nextNumber()}` }))
  const selections = columns.map((column) => make(column).as(column.name))
  return { query: query.select(selections), columns, isOrdered: false }
}

function aggregate(making: Making, sight: Sight, { type, values }: Column): AliasableExpression<Cell> {
  const { choices } = making
  // An aggregate of an outer query's column would belong to the outer query.
  const own: Sight = { ...sight, far: [], depth: 0 }
  const of = value(making, own, { type, values })
  if (type === 'text') return choices.chance(50) ? eb.fn.max<Cell>(of) : eb.fn.min<Cell>(of)
  const kind = choices.pick(['count', 'distinct', 'sum', 'max', 'filtered'])
  switch (kind) {
    case 'count':
      return eb.fn.countAll<number>()
    case 'distinct':
      return eb.fn.agg<Cell>('count', [of]).distinct()
    case 'sum':
      return eb.fn.agg<Cell>('sum', [of])
    case 'max':
      return eb.fn.max<Cell>(of)
    case 'filtered':
      making.has('filtered aggregate')
      return eb.fn.agg<Cell>('count', [of]).filterWhere(condition(making, own, 1))
    default:
      return kind satisfies never
  }
}

/** A group by one or two columns, aggregates of the rest, and a condition on a group. */
function grouped(making: Making, query: Select, sight: Sight, wanted: readonly Column[]): MadeSelect {
  const { choices } = making
  making.has('group by')
  const places = sight.near.flatMap((source) => source.columns.map((column) => ({ source, column })))
  const groups = [choices.any(places), choices.chance(40) ? choices.any(places) : undefined]
  const by = groups.flatMap((place) => (place === undefined ? [] : [place]))
  const made = columnsOf(making, query, wanted, (column) => {
    const alike = by.find((place) => place.column.type === column.type)
    return alike !== undefined && choices.chance(60)
      ? asRef(alike.source, alike.column)
      : aggregate(making, sight, column)
  })
  const references = by.map(({ source, column }) => `${source.alias}.${column.name}`)
  let groupedQuery = made.query.groupBy(references)
  if (choices.chance(50)) {
    making.has('having')
    const most = Number(literal(making, integers))
    groupedQuery = groupedQuery.having(eb(eb.fn.countAll<number>(), choices.pick(['>', '<=', '<>']), most))
  }
  return { ...made, query: groupedQuery }
}

function asRef(source: Source, column: Column): AliasableExpression<Cell> {
  return eb.ref(`${source.alias}.${column.name}`)
}

/** A value over a window whose answer does not depend on the order of rows that are alike. */
function windowed(making: Making, sight: Sight, column: Column): AliasableExpression<Cell> {
  const { choices } = making
  const places = sight.near.flatMap((source) => source.columns.map((one) => `${source.alias}.${one.name}`))
  const by = choices.any(places) ?? ''
  const order = choices.any(places) ?? ''
  if (column.type === 'text' || choices.chance(30)) return value(making, sight, column)
  making.has('window')
  const of = choices.pick(['rank', 'dense_rank', 'count', 'sum'])
  const call =
    of === 'count' || of === 'sum'
      ? eb.fn.agg<Cell>(of, [value(making, { ...sight, depth: 0 }, column)])
      : eb.fn.agg<Cell>(of)
  const isOrdered = of === 'rank' || of === 'dense_rank' || choices.chance(50)
  const isDivided = choices.chance(50)
  return call.over((over) => {
    const divided = isDivided ? over.partitionBy(by) : over
    return isOrdered ? divided.orderBy(order) : divided
  })
}

/** Two selects of the same kind of rows in one. */
function combined(
  making: Making,
  sight: Sight,
  wanted: readonly Column[],
  start: (from: From | From[]) => Select,
): MadeSelect {
  const kind = making.choices.pick(['union', 'unionAll', 'intersect', 'except'])
  making.has(kind)
  // SQLite (3.53) loses a condition of a "union all" in which there is a right or full join.
  const canJoinOuter = making.canJoinOuter && (making.dialect !== 'sqlite' || kind !== 'unionAll')
  const inside = { ...making, canJoinOuter }
  const left = plainSelect(inside, sight, wanted, start)
  const right = plainSelect(inside, { ...sight, depth: sight.depth - 1 }, left.columns, (from) =>
    making.db.selectFrom(from),
  )
  return { ...left, query: left.query[kind](right.query) }
}

/** Rows once each, in order, and some of them. */
function arranged(
  making: Making,
  made: MadeSelect,
  { isOutermost, isOne }: { readonly isOutermost: boolean; readonly isOne: boolean },
): MadeSelect {
  const { choices } = making
  let { query } = made
  const isDistinct = choices.chance(12)
  if (isDistinct) {
    making.has('distinct')
    query = query.distinct()
  }
  if (!choices.chance(isOutermost ? 35 : 15)) return { ...made, query }
  // By every column: rows that are alike in all of them can change places unseen.
  for (const { name } of made.columns) query = query.orderBy(name, choices.chance(30) ? 'desc' : 'asc')
  const [first] = made.columns
  if (making.dialect === 'postgres' && isOne && !isDistinct && first !== undefined && choices.chance(15)) {
    making.has('distinct on')
    query = query.distinctOn(first.name)
  }
  if (choices.chance(60)) {
    making.has('limit')
    const limit = Number(literal(making, [1, 2, 3, 4]))
    query = query.limit(limit)
    if (choices.chance(40)) query = query.offset(Number(literal(making, [0, 1, 2])))
  }
  return { ...made, query, isOrdered: true }
}
