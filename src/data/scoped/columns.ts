import { ColumnNode, ColumnUpdateNode, type OperationNode } from 'kysely'
import type { Resource } from '../resource.ts'
import { columnOf, compare, value } from './nodes.ts'
import { refusal } from './refuse.ts'

/** True for a column that Holdfast fills or that no query may set. */
export function isServerColumn(resource: Resource, column: string): boolean {
  const fill = resource.server[column]
  return (
    (fill !== undefined && fill !== 'handler') ||
    (resource.owner.kind === 'column' && resource.owner.column === column)
  )
}

/** @throws `INTERNAL` for a column that only the server sets, or that decides who owns the row. */
export function requireWritable(resource: Resource, column: OperationNode): void {
  if (!ColumnNode.is(column)) throw refusal(`${column.kind} is no column to set`)
  const { name } = column.column
  if (isServerColumn(resource, name) || name === resource.key || ownerColumn(resource) === name) {
    throw refusal(`"${resource.table}.${name}" belongs to the server`)
  }
}

function ownerColumn({ owner }: Resource): string | undefined {
  return owner.kind === 'shared' ? undefined : owner.column
}

/** The column that counts a row's changes, when there is one. */
export function revisionColumn({ server }: Resource): string | undefined {
  return Object.entries(server).find(([, fill]) => fill === 'revision')?.[0]
}

/** What every change sets beside its own columns. */
export function changeStamps(resource: Resource, now: string): ColumnUpdateNode[] {
  return Object.entries(resource.server).flatMap(([column, fill]) => {
    if (fill === 'changed') return [ColumnUpdateNode.create(ColumnNode.create(column), value(now))]
    if (fill !== 'revision') return []
    const next = compare(columnOf(resource.table, column), '+', value(1))
    return [ColumnUpdateNode.create(ColumnNode.create(column), next)]
  })
}
