import type { AliasedExpression, Expression, SqlBool } from 'kysely'
import { condition } from './expressions.ts'
import { eb, type Making, type Select, type Sight, type Source, source, within } from './making.ts'
import type { Cell, Column } from './world.ts'

/** A place where rows come from, as Kysely takes it. */
export type From = string | AliasedExpression<Record<string, Cell>, string>

/** A source and how it stands in the query. */
export interface MadeSource {
  readonly from: From
  readonly source: Source
}

/** What a query is going to have as a source, before it is made. */
export interface PlannedSource {
  readonly alias: string
  /** A table or a common table expression; `undefined` for a sub-query. */
  readonly of: { readonly name: string; readonly columns: readonly Column[] } | undefined
}

const aliases = ['x', 'y', 'z', 'ta', 'tb']

/** Decides about a source: a table, a common table expression or a sub-query, under a name that is still free. */
export function plannedSource(making: Making, sight: Sight, taken: ReadonlySet<string>): PlannedSource {
  const { choices } = making
  const tables = making.tables.filter(({ name }) => !sight.avoided.has(name))
  const kind = choices.weighted({
    table: 8,
    named: sight.named.length > 0 ? 4 : 0,
    query: sight.depth > 0 ? 2 : 0,
  })
  const of =
    kind === 'query'
      ? undefined
      : choices.any<NonNullable<PlannedSource['of']>>(kind === 'table' ? tables : sight.named)
  if (of !== undefined && !taken.has(of.name) && choices.chance(40)) return { alias: of.name, of }
  return { alias: freeAlias(making, taken), of }
}

function freeAlias(making: Making, taken: ReadonlySet<string>): string {
  const alias = making.choices.any(aliases)
  return alias === undefined || taken.has(alias) ? `s${making.nextNumber()}` : alias
}

/** Makes a source. A sub-query sees the queries around, but none of the sources beside it. */
export function madeSource(making: Making, sight: Sight, { alias, of }: PlannedSource): MadeSource {
  if (of === undefined) {
    making.has('sub-query in from')
    const { query, columns } = making.subquery(making, within({ ...sight, near: [] }), [])
    return { from: query.as(alias), source: source(alias, columns) }
  }
  const from = of.name === alias ? alias : `${of.name} as ${alias}`
  return { from, source: source(alias, of.columns) }
}

const joins = ['inner', 'left', 'right', 'full', 'cross'] as const

/** Joins one more source to a query. */
export function join(
  making: Making,
  query: Select,
  sight: Sight,
  planned: PlannedSource,
): { query: Select; source: Source } {
  const { choices } = making
  if (making.dialect === 'postgres' && planned.of === undefined && choices.chance(40))
    return lateral(making, query, sight, planned.alias)
  const { from, source: joined } = madeSource(making, sight, planned)
  const pair = pairOf(making, sight.near, joined)
  const picked = choices.pick(joins)
  const isOuter = picked === 'full' || picked === 'right'
  // PostgreSQL joins fully on an equality only.
  const isPossible = isOuter ? making.canJoinOuter && (picked === 'right' || pair !== undefined) : true
  const kind = isPossible ? picked : 'inner'
  making.has(`${kind} join`)
  if (kind === 'cross') return { query: query.crossJoin(from), source: joined }
  const more =
    kind !== 'full' && choices.chance(25)
      ? condition(making, { ...sight, near: [...sight.near, joined] }, 1)
      : undefined
  const on = [...(pair === undefined ? [] : [pair]), ...(more === undefined ? [] : [more])]
  return { query: joinOn(query, kind, from, on), source: joined }
}

/** Joins a sub-query that sees the sources before it. */
function lateral(
  making: Making,
  query: Select,
  sight: Sight,
  alias: string,
): { query: Select; source: Source } {
  making.has('lateral join')
  const { query: inner, columns } = making.subquery(making, within(sight), [])
  const joined = inner.as(alias)
  return {
    query: making.choices.chance(50)
      ? query.innerJoinLateral(joined, (on) => on.onTrue())
      : query.leftJoinLateral(joined, (on) => on.onTrue()),
    source: source(alias, columns),
  }
}

function joinOn(
  query: Select,
  kind: 'inner' | 'left' | 'right' | 'full',
  from: From,
  conditions: readonly Expression<SqlBool>[],
): Select {
  switch (kind) {
    case 'inner':
      return query.innerJoin(from, (on) =>
        conditions.length === 0 ? on.onTrue() : on.on(eb.and(conditions)),
      )
    case 'left':
      return query.leftJoin(from, (on) => (conditions.length === 0 ? on.onTrue() : on.on(eb.and(conditions))))
    case 'right':
      return query.rightJoin(from, (on) =>
        conditions.length === 0 ? on.onTrue() : on.on(eb.and(conditions)),
      )
    case 'full':
      return query.fullJoin(from, (on) => (conditions.length === 0 ? on.onTrue() : on.on(eb.and(conditions))))
    default:
      return kind satisfies never
  }
}

/** An equality of two columns that can be expected to match: a key and what points at it, first of all. */
export function pairOf(
  { choices }: Making,
  sources: readonly Source[],
  joined: Source,
): Expression<SqlBool> | undefined {
  const pairs = sources.flatMap((one) =>
    one.columns.flatMap((left) =>
      joined.columns.flatMap((right) =>
        left.values === right.values && left.type === right.type ? [{ one, left, right }] : [],
      ),
    ),
  )
  const keys = pairs.filter(({ left, right }) => isKeyed(left) || isKeyed(right))
  const pair = choices.any(keys.length > 0 && choices.chance(60) ? keys : pairs)
  return pair === undefined
    ? undefined
    : eb(pair.one.refer(pair.left.name), '=', joined.refer(pair.right.name))
}

function isKeyed({ name }: Column): boolean {
  return ['id', 'ref', 'parent', 'link'].includes(name)
}
