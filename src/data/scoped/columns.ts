import { ColumnNode, ColumnUpdateNode, type OperationNode, type UpdateQueryNode, ValueNode } from 'kysely'
import { assert } from '../../base/index.ts'
import { columnsOfRules } from '../flat-rules.ts'
import type { Resource } from '../resource.ts'
import { columnOf, compare, either, type Predicate, value } from './nodes.ts'
import { refusal } from './refuse.ts'
import type { Rewriting } from './rewriting.ts'
import { type Run, Slot } from './slot.ts'

/** True for a column that Holdfast fills or that no query may set. */
export function isServerColumn(resource: Resource, column: string): boolean {
  const fill = resource.server[column]
  return (
    (fill !== undefined && fill !== 'handler') ||
    (resource.owner.kind === 'column' && resource.owner.column === column) ||
    resource.tenant === column ||
    Object.values(resource.columns.lookup).includes(column)
  )
}

/** The name of a column that a query sets. @throws `INTERNAL` for a place that is no column */
export function setColumn(column: OperationNode): string {
  if (!ColumnNode.is(column)) throw refusal(`${column.kind} is no column to set`)
  return column.column.name
}

/** @throws `INTERNAL` for a column that only the server sets, that never changes, or that decides who owns the row. */
export function requireWritable(resource: Resource, name: string): void {
  const { table, key, owner, columns } = resource
  if (columns.writeOnce.includes(name))
    throw refusal(`"${table}.${name}" is set once, when the row is inserted`)
  if (isServerColumn(resource, name) || name === key || (owner.kind === 'through' && owner.column === name)) {
    throw refusal(`"${table}.${name}" belongs to the server`)
  }
}

/** The column that counts a row's changes, when there is one. */
function revisionColumn({ server }: Resource): string | undefined {
  return Object.entries(server).find(([, fill]) => fill === 'revision')?.[0]
}

/** With `If-Match`, the row only while it is as the client saw it; every other row as it is. */
export function asExpected({ expected }: Rewriting, resource: Resource, at: string): Predicate {
  const revision = revisionColumn(resource)
  if (expected?.table !== resource.table || revision === undefined) return true
  return either([
    compare(columnOf(at, resource.key), '<>', value(expected.key)),
    compare(columnOf(at, revision), '=', value(expected.revision)),
  ])
}

/** What every change sets beside its own columns. */
export function changeStamps(resource: Resource, at: string, now: Slot): ColumnUpdateNode[] {
  return Object.entries(resource.server).flatMap(([column, fill]) => {
    if (fill === 'changed') return [set(column, value(now))]
    if (fill !== 'revision') return []
    return [set(column, compare(columnOf(at, column), '+', value(1)))]
  })
}

/** `column = what` */
export function set(column: string, what: OperationNode): ColumnUpdateNode {
  return ColumnUpdateNode.create(ColumnNode.create(column), what)
}

/** The bound value of a node: what it will be when the query runs. `undefined` for an expression. */
export function boundBy(node: OperationNode | undefined): ((run: Run) => unknown) | undefined {
  if (node === undefined || !ValueNode.is(node)) return undefined
  const bound = node.value
  return bound instanceof Slot ? bound.of : () => bound
}

/** The text to store for an encrypted column of one row. */
export function sealed(
  resource: Resource,
  column: string,
  { vault }: Rewriting,
  { key, plain }: { readonly key: (run: Run) => unknown; readonly plain: (run: Run) => unknown },
): OperationNode {
  if (vault === undefined) throw refusal(`"${resource.table}.${column}" is encrypted, and there are no keys`)
  return value(
    new Slot((run) => {
      const bound = plain(run)
      if (bound === null || bound === undefined) return null
      return vault.seal({ table: resource.table, column, row: String(key(run)) }, bound)
    }),
  )
}

/** The blind index to store beside an encrypted column. */
export function indexed(
  resource: Resource,
  column: string,
  { vault }: Rewriting,
  plain: (run: Run) => unknown,
): OperationNode {
  assert(vault !== undefined, 'a sealed column has keys')
  return value(
    new Slot((run) => {
      const bound = plain(run)
      if (bound === null || bound === undefined) return null
      return vault.blindIndexes(resource.table, column, bound)[0]
    }),
  )
}

/** True when an update sets a column that decides who may see the row. */
export function movesRow(resource: Resource, updates: UpdateQueryNode['updates']): boolean {
  const deciding = decidingColumns(resource)
  return (updates ?? []).some(({ column }) => deciding.has(setColumn(column)))
}

function decidingColumns({ owner, grants }: Resource): ReadonlySet<string> {
  const columns = columnsOfRules(Object.values(grants).flat())
  return owner.kind === 'column' ? new Set([...columns, owner.column]) : columns
}
