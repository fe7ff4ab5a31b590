import {
  AliasNode,
  type DeleteQueryNode,
  FromNode,
  IdentifierNode,
  type InsertQueryNode,
  type JoinNode,
  type OperationNode,
  type QueryId,
  type RootOperationNode,
  type SelectQueryNode,
  TableNode,
  type UpdateQueryNode,
  UsingNode,
} from 'kysely'
import { type Resource, resourceOf } from '../resource.ts'
import { ColumnTransformer } from './column-transformer.ts'
import { asExpected, changeStamps, movesRow, requireWritable, setColumn } from './columns.ts'
import { ownedInsert } from './insert.ts'
import { alsoWhere, both, type Predicate, selectWhere, unionAll } from './nodes.ts'
import { hasSpecialColumns, selectionsOf } from './opaque.ts'
import { disjointWays, rowAt, rowPredicate } from './predicate.ts'
import { refusal } from './refuse.ts'
import type { Consequences, Rewriting } from './rewriting.ts'
import { keyIn, sealedUpdates } from './update.ts'

const roots: readonly string[] = ['SelectQueryNode', 'InsertQueryNode', 'UpdateQueryNode', 'DeleteQueryNode']

/** A query under the row rules, and what has to happen when it runs. */
export interface Rewritten {
  readonly node: RootOperationNode
  readonly consequences: Readonly<Consequences>
}

/** Applies the row rules to a query, wherever it touches a table. @throws `INTERNAL` for what it cannot scope */
export function scopeQuery(node: RootOperationNode, rewriting: Rewriting): Rewritten {
  if (!roots.includes(node.kind)) throw refusal(`${node.kind} is no select, insert, update or delete`)
  const transformer = new ScopeTransformer(node, rewriting)
  return { node: transformer.transformNode(node), consequences: transformer.consequences }
}

/** The table that a write changes, and the name by which the query knows it. */
interface Target {
  readonly resource: Resource
  readonly at: string
}

class ScopeTransformer extends ColumnTransformer {
  /** The select around this place, innermost. */
  #selecting: SelectQueryNode | undefined

  protected override transformFrom(node: FromNode, queryId?: QueryId): FromNode {
    return FromNode.create(node.froms.map((from) => this.#source(from, queryId)))
  }

  protected override transformUsing(node: UsingNode, queryId?: QueryId): UsingNode {
    return UsingNode.create(node.tables.map((table) => this.#source(table, queryId)))
  }

  protected override transformJoin(node: JoinNode, queryId?: QueryId): JoinNode {
    const { on, ...join } = super.transformJoin({ ...node, table: TableNode.create('holdfast') }, queryId)
    return { ...join, table: this.#source(node.table, queryId), ...(on === undefined ? {} : { on }) }
  }

  protected override transformSelectQuery(node: SelectQueryNode, queryId?: QueryId): SelectQueryNode {
    const outer = this.#selecting
    this.#selecting = node
    try {
      return this.withNames(node.with, () => super.transformSelectQuery(node, queryId))
    } finally {
      this.#selecting = outer
    }
  }

  protected override transformInsertQuery(node: InsertQueryNode, queryId?: QueryId): InsertQueryNode {
    return this.withNames(node.with, () => {
      const target = this.#target(node.into)
      return this.writing(target, () => {
        const insert = super.transformInsertQuery(node, queryId)
        const { consequences } = this
        return ownedInsert(insert, target.resource, this.rewriting, {
          consequences,
          isRoot: node === this.root,
        })
      })
    })
  }

  protected override transformUpdateQuery(node: UpdateQueryNode, queryId?: QueryId): UpdateQueryNode {
    if (node.joins !== undefined) throw refusal('update with joins; use "from" and "where"')
    return this.withNames(node.with, () => {
      const target = this.#target(node.table)
      const { resource, at } = target
      requireOwned(resource)
      return this.writing(target, () => {
        // The target itself must stay a table; everything else goes through the rules.
        const { table: _table, ...others } = node
        const update = super.transformUpdateQuery(others, queryId)
        const names = (update.updates ?? []).map(({ column }) => setColumn(column))
        const isTransfer = this.#requireUpdatable(resource, names)
        if (movesRow(resource, update.updates)) this.consequences.lifts.add(resource.table)
        return {
          ...update,
          ...(node.table === undefined ? {} : { table: node.table }),
          updates: [
            ...sealedUpdates(update, target, this.rewriting),
            ...changeStamps(resource, at, this.rewriting.now),
          ],
          where: alsoWhere(
            update.where,
            both(
              this.#changeable(target, 'update'),
              isTransfer ? this.#changeable(target, 'transfer') : true,
            ),
          ),
        }
      })
    })
  }

  protected override transformDeleteQuery(node: DeleteQueryNode, queryId?: QueryId): DeleteQueryNode {
    if (node.joins !== undefined) throw refusal('delete with joins; use sub-queries')
    if (node.using !== undefined && this.rewriting.dialect === 'sqlite')
      throw refusal('SQLite has no "delete … using"; use a sub-query')
    const [table, ...others] = node.from.froms
    if (others.length > 0) throw refusal('delete names one table')
    return this.withNames(node.with, () => {
      const target = this.#target(table)
      requireOwned(target.resource)
      return this.writing(target, () => {
        const rest = super.transformDeleteQuery({ ...node, from: FromNode.create([]) }, queryId)
        return { ...rest, from: node.from, where: alsoWhere(rest.where, this.#changeable(target, 'delete')) }
      })
    })
  }

  /** @returns whether the update gives the rows to another owner */
  #requireUpdatable(resource: Resource, names: readonly string[]): boolean {
    const { owner, transfer } = resource
    let isTransfer = false
    for (const name of names) {
      if (transfer !== undefined && owner.kind === 'column' && owner.column === name) isTransfer = true
      else requireWritable(resource, name)
    }
    return isTransfer
  }

  /** A place where rows come from: a table becomes the rows of it that the caller may read. */
  #source(node: OperationNode, queryId?: QueryId): OperationNode {
    if (TableNode.is(node)) return this.#readable(node, undefined)
    if (AliasNode.is(node)) {
      this.requireAlias(node.alias)
      if (TableNode.is(node.node)) return this.#readable(node.node, node.alias)
      if (node.node.kind === 'SelectQueryNode') return this.transformNode(node, queryId)
    }
    throw refusal(
      `rows come from tables and sub-queries, not from ${AliasNode.is(node) ? node.node.kind : node.kind}`,
    )
  }

  /** Whether the select around a source names the one row that it wants of it. A guess that costs time at most. */
  #isOneRow(resource: Resource, source: OperationNode): boolean {
    const { from, joins, where } = this.#selecting ?? {}
    if (where === undefined || joins !== undefined || from?.froms.length !== 1 || from.froms[0] !== source)
      return false
    return keyIn(where.where, resource, resource.table) !== undefined
  }

  #readable(node: TableNode, alias: OperationNode | undefined): OperationNode {
    const table = nameOf(node)
    const original = alias === undefined ? node : AliasNode.create(node, alias)
    if (this.isInSight(table)) return original
    const resource = resourceOf(this.rewriting.resources, table)
    const gathers = this.#isOneRow(resource, original) ? undefined : this.rewriting.dialect
    const predicate = rowPredicate({ ...this.rewriting, gathers }, resource, 'read')
    if (predicate === true && !hasSpecialColumns(resource)) return original
    // What is opaque must not flow into a table, where it would be stored with the mark of this process.
    const selections = selectionsOf(resource, table, this.rewriting, !this.isWriting)
    const ways = this.#isPage(original) ? disjointWays({ ...this.rewriting, gathers }, resource) : undefined
    const rows =
      ways === undefined
        ? selectWhere(table, predicate, selections)
        : unionAll(ways.map((way) => selectWhere(table, way, selections)))
    return AliasNode.create(rows, alias ?? IdentifierNode.create(table))
  }

  /** Whether the select around a source wants the first few of it in some order. A guess that costs time at most. */
  #isPage(source: OperationNode): boolean {
    const select = this.#selecting
    if (select === undefined || this.isWriting) return false
    const { from, joins, groupBy, setOperations, orderBy, limit } = select
    const isAlone = joins === undefined && from?.froms.length === 1 && from.froms[0] === source
    return (
      isAlone &&
      groupBy === undefined &&
      setOperations === undefined &&
      orderBy !== undefined &&
      limit !== undefined
    )
  }

  #target(node: OperationNode | undefined): Target {
    if (node !== undefined && TableNode.is(node)) {
      const resource = resourceOf(this.rewriting.resources, nameOf(node))
      return { resource, at: resource.table }
    }
    if (
      node !== undefined &&
      AliasNode.is(node) &&
      TableNode.is(node.node) &&
      IdentifierNode.is(node.alias)
    ) {
      this.requireAlias(node.alias)
      return { resource: resourceOf(this.rewriting.resources, nameOf(node.node)), at: node.alias.name }
    }
    throw refusal('a change names one table')
  }

  /** The rows of the target that the caller may change; with `If-Match`, only while they are as the client saw them. */
  #changeable({ resource, at }: Target, action: 'update' | 'delete' | 'transfer'): Predicate {
    return both(
      rowPredicate(this.rewriting, resource, action, rowAt(at)),
      asExpected(this.rewriting, resource, at),
    )
  }
}

/** @throws `INTERNAL` for rows that belong to nobody: no request may change them */
function requireOwned({ owner, table }: Resource): void {
  if (owner.kind === 'shared') throw refusal(`nobody may change "${table}" here`)
}

function nameOf(node: TableNode): string {
  if (node.table.schema !== undefined) throw refusal('a table with a schema name')
  return node.table.identifier.name
}
