import {
  type AliasableExpression,
  type ExpressionBuilder,
  expressionBuilder,
  type Kysely,
  type SelectQueryBuilder,
} from 'kysely'
import type { Choices } from './choices.ts'
import type { Judge } from './judge.ts'
import type { Cell, Column, Table, Tables } from './world.ts'

/** A select of any tables. */
export type Select = SelectQueryBuilder<Tables, string, Record<string, Cell>>

/** Kysely's expression builder, for any tables. */
export const eb: ExpressionBuilder<Tables, string> = expressionBuilder<Tables, string>()

/** A select and what its rows look like. */
export interface MadeSelect {
  readonly query: Select
  readonly columns: readonly Column[]
  /** Whether its rows come in one order only. */
  readonly isOrdered: boolean
}

/** How a query is being made. The same decisions make the same query each time. */
export interface Making {
  readonly choices: Choices
  /** The database that the query is for. */
  readonly db: Kysely<Tables>
  readonly dialect: 'sqlite' | 'postgres'
  readonly tables: readonly Table[]
  /** Which of two values each literal has. */
  readonly variant: 0 | 1
  /** Whether a right or full join may stand here. */
  readonly canJoinOuter: boolean
  /** Where the rules are held against rows in plain code; `undefined` for the query under test. */
  readonly reference: Reference | undefined
  /** Tells one made-up name from another. */
  readonly nextNumber: () => number
  /** A sub-query, wherever one may stand. */
  readonly subquery: (making: Making, sight: Sight, wanted: readonly Column[]) => MadeSelect
  /** Notes what must be refused of the query. */
  readonly mustRefuse: (why: string) => void
  /** Notes what may be refused of the query. */
  readonly mayRefuse: (why: string) => void
  /** Notes that the query has something, for the figures. */
  readonly has: (feature: string) => void
}

/** What the reference adds to a write that runs without row rules. */
export interface Reference {
  readonly judge: Judge
  /** ISO 8601, for columns that hold the time of a change. */
  readonly now: string
}

/** A place where rows come from, under the name that the query gives it. */
export interface Source {
  readonly alias: string
  readonly columns: readonly Column[]
  /** A column of it, in an expression. */
  readonly refer: (column: string) => AliasableExpression<Cell>
}

/** A common table expression that can be named. */
export interface Named {
  readonly name: string
  readonly columns: readonly Column[]
}

/** What an expression or a sub-query can name where it stands. */
export interface Sight {
  /** The sources of the query itself. */
  readonly near: readonly Source[]
  /** Those of the queries around it. */
  readonly far: readonly Source[]
  readonly named: readonly Named[]
  /** Tables that sub-queries leave alone, because the statement may be changing what can be read of them. */
  readonly avoided: ReadonlySet<string>
  /** How many more queries may stand inside of each other here. */
  readonly depth: number
  /** Whether a column has to be named with its source, because there are others that cannot be named. */
  readonly isQualified: boolean
}

/** Nothing in sight, from the outermost query. */
export const openSight: Sight = {
  near: [],
  far: [],
  named: [],
  avoided: new Set(),
  depth: 3,
  isQualified: false,
}

/** What a sub-query sees of the query that it stands in. */
export function within(sight: Sight): Sight {
  const hidden = new Set(sight.near.map(({ alias }) => alias))
  const far = [...sight.near, ...sight.far.filter(({ alias }) => !hidden.has(alias))]
  return { ...sight, near: [], far, depth: sight.depth - 1, isQualified: false }
}

/** What a query sees that cannot name the queries around it. */
export function apart(sight: Sight): Sight {
  return { ...sight, near: [], far: [], depth: sight.depth - 1, isQualified: false }
}

/** A source whose columns are named by its alias. */
export function source(alias: string, columns: readonly Column[]): Source {
  return { alias, columns, refer: (column) => eb.ref(`${alias}.${column}`) }
}

/** A literal: a bound parameter, another one for each variant. */
export function literal(making: Making, values: readonly Cell[]): Cell {
  const { choices, variant } = making
  const both = [choices.any(values) ?? null, choices.any(values) ?? null]
  return both[variant] ?? null
}
