import { newId } from '../base/index.ts'
import { columnsOf, type Resource, type Scope } from '../data/index.ts'
import { Problem } from '../errors/index.ts'

/** A row, or a part of one, by its columns. */
export type Values = Readonly<Record<string, unknown>>

/** A query that the row rules cannot be applied to. It never reaches the database. */
export function refusal(why: string): Problem {
  return new Problem('INTERNAL', `the query is refused: ${why}`)
}

/** @throws `INTERNAL` for names that are no columns of the resource: relations lead to rows with rules of their own. */
export function requireColumns(resource: Resource, names: readonly string[], where: string): void {
  const columns = columnsOf(resource)
  const other = names.find((name) => !columns.includes(name))
  if (other !== undefined)
    throw refusal(`${where} names "${other}", which is no column of "${resource.table}"`)
}

/**
 * A new row with everything that the server adds: owner, tenant, key and times.
 *
 * @throws `INTERNAL` for columns that the server owns, and where nobody may insert.
 */
export function stampedInsert(resource: Resource, scope: Scope, given: Values, now: Date): Values {
  const { owner, tenant, server, table } = resource
  if (scope.userId === null || owner.kind === 'shared')
    throw refusal(`nobody may insert into "${table}" here`)
  if (tenant !== undefined && scope.tenantId === null)
    throw new Problem('FORBIDDEN', `"${table}" belongs to tenants, and the caller has none`)
  requireColumns(resource, Object.keys(given), 'the new row')
  for (const name of Object.keys(given)) {
    if (isServerColumn(resource, name)) throw refusal(`"${table}.${name}" belongs to the server`)
  }
  const row: Record<string, unknown> = { ...given }
  for (const [column, fill] of Object.entries(server)) {
    if (fill === 'uuid') row[column] = newId()
    else if (fill === 'created' || fill === 'changed') row[column] = now.toISOString()
    else if (fill === 'revision') row[column] = 1
  }
  if (owner.kind === 'column') row[owner.column] = scope.userId
  if (tenant !== undefined) row[tenant] = scope.tenantId
  return row
}

/** What an update sets, and whether it gives the rows to another owner. */
export interface UpdateStamps {
  /** The columns that are set to the time of the change. */
  readonly changed: Values
  /** The columns that count changes. */
  readonly counted: readonly string[]
  readonly isTransfer: boolean
}

/** @throws `INTERNAL` for columns that no update may set */
export function updateStamps(resource: Resource, given: readonly string[], now: Date): UpdateStamps {
  const { owner, server, table, key, transfer, columns } = resource
  if (owner.kind === 'shared') throw refusal(`nobody may change "${table}" here`)
  requireColumns(resource, given, 'the change')
  let isTransfer = false
  for (const name of given) {
    if (transfer !== undefined && owner.kind === 'column' && owner.column === name) isTransfer = true
    else if (isServerColumn(resource, name) || name === key || owner.column === name)
      throw refusal(`"${table}.${name}" belongs to the server`)
    else if (columns.writeOnce.includes(name)) throw refusal(`"${table}.${name}" is set once`)
  }
  const fills = Object.entries(server)
  return {
    changed: Object.fromEntries(
      fills.flatMap(([column, fill]) => (fill === 'changed' ? [[column, now.toISOString()]] : [])),
    ),
    counted: fills.flatMap(([column, fill]) => (fill === 'revision' ? [column] : [])),
    isTransfer,
  }
}

function isServerColumn({ server, owner, tenant }: Resource, name: string): boolean {
  const fill = server[name]
  if (fill !== undefined && fill !== 'handler') return true
  return tenant === name || (owner.kind === 'column' && owner.column === name)
}

/** @throws `INTERNAL` for a resource whose columns only Holdfast's own `db` can handle */
export function requirePlain({ table, columns }: Resource): void {
  const { encrypted, secret, readableBy } = columns
  if (encrypted.length + secret.length + Object.keys(readableBy).length === 0) return
  throw refusal(`"${table}" has encrypted, secret or withheld columns; only Holdfast's own db handles them`)
}
