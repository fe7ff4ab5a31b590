import {
  type AliasNode,
  CaseNode,
  type OperationNode,
  type ReferenceNode,
  SelectionNode,
  WhenNode,
} from 'kysely'
import { Secret } from '../../base/index.ts'
import { randomToken } from '../../crypto/index.ts'
import { describeSchema, propertiesOf } from '../../schema/index.ts'
import { type Resource, resourceOf } from '../resource.ts'
import { aliased, columnOf, compare, sqlOf, value } from './nodes.ts'
import { refusal } from './refuse.ts'
import type { Rewriting } from './rewriting.ts'
import type { FieldVault } from './vault.ts'

// What the database gives of an opaque column carries where it was read, so that it can be opened wherever a query
// has moved it to. Nobody can write a text that looks like it: the mark is made anew by each process.
const mark = `\u0001${randomToken(16)}`
const end = '\u0001'

/** True for a column that no expression may look into: its value is ciphertext, or must not leave the process. */
export function isOpaque({ columns }: Resource, column: string): boolean {
  return columns.encrypted.includes(column) || columns.secret.includes(column)
}

/** True for a resource that has columns of which the caller gets something else than what is stored. */
export function hasSpecialColumns({ columns }: Resource): boolean {
  return (
    columns.encrypted.length > 0 || columns.secret.length > 0 || Object.keys(columns.readableBy).length > 0
  )
}

/** True for a column that this caller may not read. */
export function isWithheld(resource: Resource, column: string, { caller }: Rewriting): boolean {
  const roles = resource.columns.readableBy[column]
  return roles !== undefined && caller.holdsAny(roles) === false
}

const columnLists = new WeakMap<Resource, readonly string[]>()

/** The columns of a row, from its schema. */
export function columnsOf(resource: Resource): readonly string[] {
  const known = columnLists.get(resource)
  if (known !== undefined) return known
  const described = describeSchema(resource.row, 'output')
  if (!described.ok) throw refusal(`the schema of "${resource.table}" cannot be read`)
  const columns = Object.keys(propertiesOf(described.json))
  columnLists.set(resource, columns)
  return columns
}

/**
 * What a query gets of each column of a table: `*` unless one of them is special.
 *
 * @param withOpaque Whether opaque columns are among them.
 */
export function selectionsOf(
  resource: Resource,
  at: string,
  rewriting: Rewriting,
  withOpaque: boolean,
): readonly SelectionNode[] {
  if (!hasSpecialColumns(resource)) return [SelectionNode.createSelectAll()]
  // The blind indexes are there to be compared with, by the rewriting of a lookup.
  const columns = new Set([...columnsOf(resource), ...Object.values(resource.columns.lookup)])
  return [...columns]
    .filter((column) => withOpaque || !isOpaque(resource, column))
    .map((column) => SelectionNode.create(given(resource, column, at, rewriting)))
}

/** What a query gets of one column, under the column's own name. */
export function given(
  resource: Resource,
  column: string,
  at: string,
  rewriting: Rewriting,
): ReferenceNode | AliasNode {
  const stored = columnOf(at, column)
  if (isWithheld(resource, column, rewriting)) return aliased(nothingLike(stored), column)
  const { encrypted, secret } = resource.columns
  if (encrypted.includes(column)) {
    const place = compare(compare(tag(resource, column), '||', stored), '||', value(' '))
    return aliased(compare(place, '||', columnOf(at, resource.key)), column)
  }
  if (secret.includes(column)) return aliased(compare(tag(resource, column), '||', stored), column)
  return stored
}

/** `null` of the type of a column. */
function nothingLike(stored: OperationNode): OperationNode {
  return CaseNode.cloneWithWhen(
    CaseNode.create(),
    WhenNode.cloneWithResult(WhenNode.create(sqlOf(false)), stored),
  )
}

function tag(resource: Resource, column: string): OperationNode {
  return value(`${mark}${resource.table}${end}${column}${end}`)
}

/** Turns what the database gave into what the caller gets; values that were not tagged stay as they are. */
export async function openRows(
  rows: readonly unknown[],
  resources: readonly Resource[],
  vault: FieldVault | undefined,
): Promise<readonly unknown[]> {
  const opened: unknown[] = []
  // Blind indexes are there to be compared with, and nobody else's affair.
  const indexes = new Set(resources.flatMap(({ columns }) => Object.values(columns.lookup)))
  for (const row of rows) {
    if (typeof row !== 'object' || row === null) continue
    const copy: Record<string, unknown> = {}
    for (const [name, stored] of Object.entries(row)) {
      if (indexes.has(name)) continue
      copy[name] =
        typeof stored === 'string' && stored.startsWith(mark)
          ? await openTagged(stored.slice(mark.length), resources, vault)
          : stored
    }
    opened.push(copy)
  }
  return opened
}

async function openTagged(
  text: string,
  resources: readonly Resource[],
  vault: FieldVault | undefined,
): Promise<unknown> {
  const [table = '', column = ''] = text.split(end, 2)
  const stored = text.slice(table.length + column.length + 2 * end.length)
  const { columns } = resourceOf(resources, table)
  const isSecret = columns.secret.includes(column)
  if (!columns.encrypted.includes(column)) return new Secret(stored)
  if (vault === undefined) throw refusal(`"${table}.${column}" is encrypted, and there are no keys`)
  const gap = stored.indexOf(' ')
  const place = { table, column, row: stored.slice(gap + 1) }
  const plain = await vault.open(place, stored.slice(0, gap))
  return isSecret ? new Secret(plain) : plain
}
