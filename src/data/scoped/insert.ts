import {
  ColumnNode,
  CommonTableExpressionNameNode,
  CommonTableExpressionNode,
  FromNode,
  type InsertQueryNode,
  type OnConflictNode,
  type OperationNode,
  SelectionNode,
  SelectQueryNode,
  SetOperationNode,
  TableNode,
  ValueListNode,
  ValueNode,
  ValuesNode,
  WhereNode,
  WithNode,
} from 'kysely'
import { Problem } from '../../errors/index.ts'
import type { Resource, ServerFill } from '../resource.ts'
import {
  asExpected,
  boundBy,
  changeStamps,
  indexed,
  isServerColumn,
  requireWritable,
  sealed,
  setColumn,
} from './columns.ts'
import { newIdInSql } from './database-id.ts'
import { aliased, alsoWhere, both, columnOf, type Predicate, sqlOf, value } from './nodes.ts'
import { insertPredicate, type RowTerms, rowPredicate } from './predicate.ts'
import { refusal } from './refuse.ts'
import type { Consequences, Rewriting } from './rewriting.ts'
import { type Run, Slot } from './slot.ts'

/**
 * An insert whose rows can only be the caller's: the owner, the tenant and the server's columns are stamped, and
 * where a rule speaks about new rows, or a parent owns them, a row that does not fit is not inserted.
 *
 * @throws `INTERNAL` for inserts that cannot be held to that.
 */
export function ownedInsert(
  node: InsertQueryNode,
  resource: Resource,
  rewriting: Rewriting,
  { consequences, isRoot }: { readonly consequences: Consequences; readonly isRoot: boolean },
): InsertQueryNode {
  requireInsertable(node, resource, rewriting)
  const columns = (node.columns ?? []).map((column) => column.column.name)
  const named = columns.find((column) => isServerColumn(resource, column))
  if (named !== undefined) throw refusal(`"${resource.table}.${named}" belongs to the server`)
  const conflict = node.onConflict
  const insert: InsertQueryNode = {
    ...node,
    ...(conflict === undefined
      ? {}
      : { onConflict: ownedConflict(conflict, resource, rewriting, consequences) }),
  }
  if (node.values !== undefined && ValuesNode.is(node.values)) {
    const rows = node.values.values.map((row) => (ValueListNode.is(row) ? row.values : row.values.map(value)))
    const mayMiss =
      conflict !== undefined && (conflict.doNothing === true || conflict.updateWhere !== undefined)
    return insertRows(insert, resource, rewriting, { columns, rows, mayMiss, isRoot }, consequences)
  }
  if (node.values !== undefined && SelectQueryNode.is(node.values)) {
    return insertSelected(insert, resource, rewriting, columns, node.values)
  }
  throw refusal('insert takes values or a select')
}

function requireInsertable(node: InsertQueryNode, resource: Resource, { caller }: Rewriting): void {
  if (caller.userId === null || resource.owner.kind === 'shared')
    throw refusal(`nobody may insert into "${resource.table}" here`)
  if (resource.tenant !== undefined && caller.tenantId === null)
    throw new Problem('FORBIDDEN', `"${resource.table}" belongs to tenants, and the caller has none`)
  if (node.replace === true || node.orAction !== undefined || node.onDuplicateKey !== undefined) {
    // REPLACE deletes the row in its way, whoever owns it.
    throw refusal('replace and "or" actions reach rows of others; use on conflict')
  }
}

interface Rows {
  /** Whether the query itself lets rows go: "do nothing" on a conflict, or a condition of its own for updating. */
  readonly mayMiss: boolean
  /** Whether the insert is the whole statement: only then can its rows be counted. */
  readonly isRoot: boolean
  readonly columns: readonly string[]
  readonly rows: readonly (readonly OperationNode[])[]
}

function insertRows(
  node: InsertQueryNode,
  resource: Resource,
  rewriting: Rewriting,
  { columns, rows, mayMiss, isRoot }: Rows,
  consequences: Consequences,
): InsertQueryNode {
  const complete = rows.map((row, index) => completeRow(resource, rewriting, columns, row, index))
  const names = [...(complete[0]?.keys() ?? [])]
  const condition = insertPredicate(rewriting, resource, newRow(names))
  const isFree = condition === true
  // What the rules take out must not look as if it had been done.
  if (!mayMiss && !(isFree && node.onConflict === undefined)) {
    if (!isRoot) throw refusal('an insert under row rules stands by itself, not in a common table expression')
    consequences.mustChangeCount = complete.length
  }
  return {
    ...node,
    columns: names.map((name) => ColumnNode.create(name)),
    values: isFree
      ? ValuesNode.create(complete.map((row) => ValueListNode.create([...row.values()])))
      : fitting(names, typedRows(resource, names, complete), newRow(names), condition),
  }
}

type Row = ReadonlyMap<string, OperationNode>

/** A row with everything that the server adds: owner, tenant, stamps, ciphertext and blind indexes. */
function completeRow(
  resource: Resource,
  rewriting: Rewriting,
  columns: readonly string[],
  given: readonly OperationNode[],
  index: number,
): Row {
  const row = new Map<string, OperationNode>()
  for (const [place, column] of columns.entries()) row.set(column, given[place] ?? value(null))
  for (const [column, stamp] of insertStamps(resource, rewriting, index)) row.set(column, stamp)
  const { encrypted, lookup } = resource.columns
  for (const column of encrypted) {
    const node = row.get(column)
    if (node === undefined) continue
    const plain = boundBy(node)
    const key = boundBy(row.get(resource.key))
    if (plain === undefined || key === undefined)
      throw refusal(`"${resource.table}.${column}" is encrypted: give it, and the key, as values`)
    row.set(column, sealed(resource, column, rewriting, { key, plain }))
    const index = lookup[column]
    if (index !== undefined) row.set(index, indexed(resource, column, rewriting, plain))
  }
  return row
}

function insertStamps(
  resource: Resource,
  { caller, now }: Rewriting,
  index: number,
): [column: string, stamp: OperationNode][] {
  const fills: Readonly<Record<Exclude<ServerFill, 'handler'>, () => OperationNode>> = {
    uuid: () => value(new Slot((run: Run) => run.idOf(index))),
    created: () => value(now),
    changed: () => value(now),
    revision: () => value(1),
  }
  const stamps: [string, OperationNode][] = []
  for (const [column, fill] of Object.entries(resource.server)) {
    if (fill !== 'handler') stamps.push([column, fills[fill]()])
  }
  // Last, so that no fill can stand in their place.
  if (resource.owner.kind === 'column' && caller.userId !== null)
    stamps.push([resource.owner.column, caller.userId])
  if (resource.tenant !== undefined && caller.tenantId !== null)
    stamps.push([resource.tenant, caller.tenantId])
  return stamps
}

const newRows = 'holdfast_new'

/** A new row as the rules see it: what has been computed once, and is what will be stored. */
function newRow(names: readonly string[]): RowTerms {
  return {
    column(name) {
      if (!names.includes(name)) throw refusal(`a rule about new rows asks for "${name}"; give it a value`)
      return columnOf(newRows, name)
    },
  }
}

/**
 * `with new (…) as materialized (…) select … from new where <the row fits>`
 *
 * Materialized: an expression that gives something else each time must not be judged by one value and stored with
 * another.
 */
function fitting(
  names: readonly string[],
  rows: SelectQueryNode,
  stored: RowTerms,
  condition: Predicate,
  more: ReadonlyMap<string, OperationNode> = new Map(),
): SelectQueryNode {
  const name = CommonTableExpressionNameNode.create(newRows, names)
  const given = names.map((column): [string, OperationNode] => [column, stored.column(column)])
  return {
    kind: 'SelectQueryNode',
    with: WithNode.create({ ...CommonTableExpressionNode.create(name, rows), materialized: true }),
    from: FromNode.create([TableNode.create(newRows)]),
    selections: [...given, ...more].map(([column, node]) => SelectionNode.create(aliased(node, column))),
    // Always there: SQLite takes "on conflict" for a join where there is no condition in between.
    where: WhereNode.create(sqlOf(condition)),
  }
}

/** `select … from table where false union all select …`, one select for each row. */
function typedRows(resource: Resource, names: readonly string[], rows: readonly Row[]): SelectQueryNode {
  const selects = rows.map(
    (row): SelectQueryNode => ({
      kind: 'SelectQueryNode',
      selections: [...row].map(([name, node]) => {
        if (node.kind === 'DefaultInsertValueNode')
          throw refusal('a row that a rule looks at names every column')
        return SelectionNode.create(aliased(node, name))
      }),
    }),
  )
  return {
    // PostgreSQL takes the types of a union from its first part; by themselves, parameters would be texts.
    kind: 'SelectQueryNode',
    from: FromNode.create([TableNode.create(resource.table)]),
    selections: names.map((name) => SelectionNode.create(columnOf(resource.table, name))),
    where: WhereNode.create(sqlOf(false)),
    setOperations: selects.map((select) => SetOperationNode.create('union', select, true)),
  }
}

/** The rows of a select, stamped, where they fit. */
function insertSelected(
  node: InsertQueryNode,
  resource: Resource,
  rewriting: Rewriting,
  columns: readonly string[],
  select: SelectQueryNode,
): InsertQueryNode {
  const special = columns.find((column) => resource.columns.encrypted.includes(column))
  if (special !== undefined) throw refusal(`"${resource.table}.${special}" is encrypted: give it as a value`)
  if (columns.length === 0) throw refusal('an insert from a select names its columns')
  const stamps = new Map(insertStamps(resource, rewriting, 0))
  const judged: RowTerms = {
    // A key that is made now is named by no row yet, whatever it will be.
    column: (name) =>
      resource.server[name] === 'uuid' ? noKey : (stamps.get(name) ?? newRow(columns).column(name)),
  }
  const stored = new Map(
    [...stamps].map(([column, stamp]) => [
      column,
      // The values of a run make one id; here each row needs its own.
      resource.server[column] === 'uuid' ? newIdInSql(rewriting.dialect) : stamp,
    ]),
  )
  const condition = insertPredicate(rewriting, resource, judged)
  return {
    ...node,
    columns: [...columns, ...stored.keys()].map((column) => ColumnNode.create(column)),
    values: fitting(columns, select, newRow(columns), condition, stored),
  }
}

const noKey: OperationNode = ValueNode.createImmediate(null)

function ownedConflict(
  node: OnConflictNode,
  resource: Resource,
  rewriting: Rewriting,
  consequences: Consequences,
): OnConflictNode {
  if (node.doNothing === true || node.updates === undefined) return node
  // PostgreSQL's policies fail the whole statement over a row in the way that this one would only have skipped.
  consequences.lifts.add(resource.table)
  for (const { column } of node.updates) {
    const name = setColumn(column)
    requireWritable(resource, name)
    if (resource.columns.encrypted.includes(name))
      throw refusal(`"${resource.table}.${name}" is encrypted: update it by the key of its row`)
  }
  return {
    ...node,
    updates: [...node.updates, ...changeStamps(resource, resource.table, rewriting.now)],
    // Without this, a unique key that collides with another's row would let the caller overwrite it.
    updateWhere: alsoWhere(
      node.updateWhere,
      both(rowPredicate(rewriting, resource, 'update'), asExpected(rewriting, resource, resource.table)),
    ),
  }
}
