import {
  ColumnNode,
  type Expression,
  ExpressionWrapper,
  type OperationNode,
  ParensNode,
  ReferenceNode,
  type SelectQueryBuilder,
  type SqlBool,
} from 'kysely'
import { Problem } from '../errors/index.ts'
import { both, compare, either, sqlOf, value } from './scoped/nodes.ts'

/** How the rows of a list are ordered and where this page starts. */
export interface PageRequest<Row> {
  /** Columns and directions; together they must tell any two rows apart, so end with the key. */
  readonly by: readonly (readonly [column: keyof Row & string, direction: 'asc' | 'desc'])[]
  /** How many rows at most. */
  readonly limit: number
  /** The `nextCursor` of the page before. */
  readonly cursor?: string | undefined
}

/** One page of a list. */
export interface Page<Row> {
  readonly items: Row[]
  /** What to send as `cursor` for the next page; `null` on the last one. */
  readonly nextCursor: string | null
}

/**
 * Reads one page of a query by its sort columns (keyset paging): stable while rows are added, and as fast on the
 * last page as on the first.
 *
 * @throws `VALIDATION_FAILED` for a cursor that this route has not given to this caller.
 * @example page(db.selectFrom('notes').selectAll(), { by: [['createdAt', 'desc'], ['id', 'desc']], ...query })
 */
export type Pager = <Tables, Table extends keyof Tables, Row>(
  query: SelectQueryBuilder<Tables, Table, Row>,
  request: PageRequest<Row>,
) => Promise<Page<Row>>

/** Turns a position into a text that only this server can make, and back; `null` for any other text. */
export interface CursorSeal {
  seal(position: readonly (string | number)[]): string
  open(text: string): readonly unknown[] | null
}

/** A pager whose cursors are sealed for one route and caller. */
export function pagerWith(cursors: CursorSeal): Pager {
  return async (query, { by, limit, cursor }) => {
    let ordered = query.limit(limit + 1)
    for (const [column, direction] of by)
      ordered = ordered.orderBy(new ExpressionWrapper(reference(column)), direction)
    if (cursor !== undefined) {
      const position = positionOf(cursors.open(cursor), by.length)
      ordered = ordered.where(afterPosition(by, position))
    }
    const rows = await ordered.execute()
    const items = rows.slice(0, limit)
    const last = items.at(-1)
    if (rows.length <= limit || last === undefined) return { items, nextCursor: null }
    return {
      items,
      nextCursor: cursors.seal(by.map(([column]) => sortable(Reflect.get(Object(last), column)))),
    }
  }
}

function reference(column: string): OperationNode {
  return ReferenceNode.create(ColumnNode.create(column))
}

function positionOf(opened: readonly unknown[] | null, length: number): readonly (string | number)[] {
  if (opened === null || opened.length !== length) {
    throw new Problem('VALIDATION_FAILED', 'the cursor is not one of this route and caller', {
      errors: [{ path: '/query/cursor', message: 'expected the nextCursor of an earlier page' }],
    })
  }
  return opened.map(sortable)
}

function sortable(bound: unknown): string | number {
  if (typeof bound === 'string' || typeof bound === 'number') return bound
  throw new Problem('INTERNAL', 'a sort column of a page holds text or numbers, and is selected')
}

/**
 * `(a, b) after (1, 2)` as `a >= 1 and (a > 1 or (a = 1 and b > 2))`, with each column's own direction. The first part
 * says nothing new, but to the database: an index is entered there instead of being read from its beginning.
 */
function afterPosition(
  by: readonly (readonly [string, 'asc' | 'desc'])[],
  position: readonly (string | number)[],
): Expression<SqlBool> {
  const alternatives = by.map(([column, direction], index) => {
    const beyond = compare(reference(column), direction === 'asc' ? '>' : '<', value(position[index]))
    const same = by
      .slice(0, index)
      .map(([earlier], place) => compare(reference(earlier), '=', value(position[place])))
    return ParensNode.create(sqlOf(both(beyond, ...same)))
  })
  const [first] = by
  const bound =
    first === undefined
      ? true
      : compare(reference(first[0]), first[1] === 'asc' ? '>=' : '<=', value(position[0]))
  return new ExpressionWrapper(sqlOf(both(bound, either(alternatives))))
}
