import type { AliasableExpression, Expression, SqlBool } from 'kysely'
import { eb, literal, type Making, type Sight, type Source, within } from './making.ts'
import { type Cell, type Column, integers, words } from './world.ts'

/** What an expression has to be like: its type, and the values it should be likely to have. */
type Wanted = Pick<Column, 'type' | 'values'>

/** A column that is in sight. */
interface Place {
  readonly source: Source
  readonly column: Column
}

/** A value of a type, made of columns, literals and sub-queries. */
export function value(making: Making, sight: Sight, wanted: Wanted): AliasableExpression<Cell> {
  const { choices } = making
  const kind = choices.weighted({
    column: 8,
    literal: 1,
    case: 1,
    coalesce: 1,
    sum: 1,
    scalar: sight.depth > 0 ? 1 : 0,
  })
  switch (kind) {
    case 'column':
      return reference(making, sight, wanted)
    case 'literal':
      return typed(making, wanted)
    case 'case': {
      making.has('case')
      const when = condition(making, sight, 1)
      return eb
        .case()
        .when(when)
        .then(reference(making, sight, wanted))
        .else(typed(making, wanted))
        .end()
    }
    case 'coalesce':
      return eb.fn.coalesce(reference(making, sight, wanted), typed(making, wanted))
    case 'sum': {
      const left = reference(making, sight, wanted)
      const right = reference(making, sight, wanted)
      return wanted.type === 'text' ? eb(left, '||', right) : eb(left, choices.pick(['+', '-']), right)
    }
    case 'scalar':
      return scalar(making, sight, wanted)
    default:
      return kind satisfies never
  }
}

/** A literal whose type the database is told. */
function typed(making: Making, { type, values }: Wanted): AliasableExpression<Cell> {
  return eb.cast<Cell>(eb.val(literal(making, values)), type === 'text' ? 'text' : 'integer')
}

/** A column in sight of the type; a literal where there is none. */
function reference(making: Making, sight: Sight, wanted: Wanted): AliasableExpression<Cell> {
  const place = placeLike(making, sight, wanted)
  return place === undefined ? typed(making, wanted) : refer(making, sight, place)
}

function refer(making: Making, sight: Sight, { source, column }: Place): AliasableExpression<Cell> {
  const [only, ...others] = sight.near
  // Without the table's name, where no other can be meant.
  if (only === source && others.length === 0 && !sight.isQualified && making.choices.chance(15)) {
    making.has('column without its table')
    return eb.ref(column.name)
  }
  return source.refer(column.name)
}

function placeLike({ choices }: Making, sight: Sight, { type, values }: Wanted): Place | undefined {
  const places = (sources: readonly Source[]): Place[] =>
    sources.flatMap((source) =>
      source.columns.flatMap((column) => (column.type === type ? [{ source, column }] : [])),
    )
  const isOutside = sight.far.length > 0 && choices.chance(20)
  const found = places(isOutside ? sight.far : sight.near)
  const alike = found.filter(({ column }) => column.values === values)
  return choices.any(choices.chance(70) && alike.length > 0 ? alike : found)
}

/** A sub-query that gives one value. */
function scalar(making: Making, sight: Sight, wanted: Wanted): AliasableExpression<Cell> {
  making.has('scalar sub-query')
  const { query, columns } = making.subquery(making, within(sight), [{ name: '', ...wanted }])
  const [column] = columns
  const inner = query.as('one')
  const select = eb.selectFrom(inner)
  const name = `one.${column?.name}`
  if (wanted.type === 'integer' && making.choices.chance(40))
    return select.select((one) => one.fn.count<number>(name).as('found')).$asScalar()
  const least = making.choices.chance(50)
  return select
    .select((one) => (least ? one.fn.min<Cell>(name) : one.fn.max<Cell>(name)).as('found'))
    .$asScalar()
}

/** Something that is true of some rows. */
export function condition(making: Making, sight: Sight, depth = 2): Expression<SqlBool> {
  const { choices } = making
  const canNest = depth > 0
  const canAsk = sight.depth > 0
  const kind = choices.weighted({
    compare: 6,
    null: 1,
    list: 2,
    between: 1,
    like: 1,
    distinct: 1,
    or: canNest ? 2 : 0,
    and: canNest ? 2 : 0,
    not: canNest ? 1 : 0,
    exists: canAsk ? 3 : 0,
    in: canAsk ? 3 : 0,
    tuple: canAsk ? 1 : 0,
    scalar: canAsk ? 1 : 0,
  })
  switch (kind) {
    case 'or':
      return eb.or([condition(making, sight, depth - 1), condition(making, sight, depth - 1)])
    case 'and':
      return eb.and([condition(making, sight, depth - 1), condition(making, sight, depth - 1)])
    case 'not':
      return eb.not(condition(making, sight, depth - 1))
    case 'exists':
    case 'in':
    case 'tuple':
    case 'scalar':
      return asking(making, sight, kind)
    default:
      return simple(making, sight, kind)
  }
}

const operators = ['=', '=', '<>', '<', '<=', '>', '>='] as const

/** A condition on a column, without a sub-query. */
function simple(
  making: Making,
  sight: Sight,
  kind: 'compare' | 'null' | 'list' | 'between' | 'like' | 'distinct',
): Expression<SqlBool> {
  const { choices } = making
  const isText = kind === 'like' || choices.chance(60)
  const place = placeLike(making, sight, { type: isText ? 'text' : 'integer', values: [] })
  const values = place?.column.values ?? (isText ? words : integers)
  const wanted: Wanted = { type: isText ? 'text' : 'integer', values }
  const left = place === undefined ? typed(making, wanted) : refer(making, sight, place)
  const bound = () => literal(making, values)
  switch (kind) {
    case 'compare':
      return choices.chance(50)
        ? eb(left, choices.pick(operators), reference(making, sight, wanted))
        : eb(left, choices.pick(operators), bound())
    case 'null':
      return eb(left, choices.pick(['is', 'is not']), null)
    case 'list':
      return eb(left, choices.pick(['in', 'not in']), Array.from({ length: 1 + choices.below(3) }, bound))
    case 'between':
      return eb.between(left, bound(), bound())
    case 'like':
      return eb(left, 'like', `${String(bound()).slice(0, 1)}%`)
    case 'distinct':
      return eb(left, choices.pick(['is distinct from', 'is not distinct from']), bound())
    default:
      return kind satisfies never
  }
}

/** A condition that asks a sub-query. */
function asking(
  making: Making,
  sight: Sight,
  kind: 'exists' | 'in' | 'tuple' | 'scalar',
): Expression<SqlBool> {
  const { choices } = making
  making.has(`${kind} sub-query`)
  const text: Wanted = { type: 'text', values: words }
  const place = placeLike(making, sight, choices.chance(70) ? text : { type: 'integer', values: integers })
  const column = place?.column ?? { name: '', type: 'text', values: words }
  const left = place === undefined ? typed(making, column) : refer(making, sight, place)
  const inner = within(sight)
  switch (kind) {
    case 'exists': {
      const found = eb.exists(making.subquery(making, inner, [column]).query)
      return choices.chance(30) ? eb.not(found) : found
    }
    case 'in':
      return eb(left, choices.pick(['in', 'in', 'not in']), making.subquery(making, inner, [column]).query)
    case 'tuple': {
      const right = reference(making, sight, text)
      const { query, columns } = making.subquery(making, inner, [column, { name: '', ...text }])
      const [first, second] = columns
      const pairs = eb
        .selectFrom(query.as('pairs'))
        .select((pair) => [
          pair.ref(`pairs.${first?.name}`).as('left'),
          pair.ref(`pairs.${second?.name}`).as('right'),
        ])
      return eb(eb.tuple(left, right), 'in', pairs.$asTuple('left', 'right'))
    }
    case 'scalar':
      return eb(left, choices.pick(operators), scalar(making, sight, column))
    default:
      return kind satisfies never
  }
}
