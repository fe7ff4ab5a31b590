import {
  AliasNode,
  type DeleteQueryNode,
  FromNode,
  IdentifierNode,
  type InsertQueryNode,
  type JoinNode,
  type OperationNode,
  OperationNodeTransformer,
  type QueryId,
  type RawNode,
  type RootOperationNode,
  type SelectQueryNode,
  TableNode,
  type UpdateQueryNode,
  type WithNode,
} from 'kysely'
import { type Resource, resourceOf } from '../resource.ts'
import { changeStamps, requireWritable, revisionColumn } from './columns.ts'
import { ownedInsert } from './insert.ts'
import { knownFragments, knownNodes } from './known-nodes.ts'
import { allOf, alsoWhere, anyOf, columnOf, compare, selectWhere, value } from './nodes.ts'
import { rowPredicate } from './predicate.ts'
import { refusal } from './refuse.ts'
import type { Rewriting } from './rewriting.ts'

const roots: readonly string[] = ['SelectQueryNode', 'InsertQueryNode', 'UpdateQueryNode', 'DeleteQueryNode']

/** Applies the row rules to a query, wherever it touches a table. @throws `INTERNAL` for what it cannot scope */
export function scopeQuery(node: RootOperationNode, rewriting: Rewriting): RootOperationNode {
  if (!roots.includes(node.kind)) throw refusal(`${node.kind} is no select, insert, update or delete`)
  return new ScopeTransformer(rewriting).transformNode(node)
}

class ScopeTransformer extends OperationNodeTransformer {
  readonly #rewriting: Rewriting
  /** The common table expressions in sight, innermost last. */
  readonly #withNames: string[][] = []

  constructor(rewriting: Rewriting) {
    super()
    this.#rewriting = rewriting
  }

  protected override transformNodeImpl<T extends OperationNode>(node: T, queryId?: QueryId): T {
    if (node.kind !== 'RawNode' && !knownNodes.has(node.kind))
      throw refusal(`${node.kind} is not understood here`)
    return super.transformNodeImpl(node, queryId)
  }

  protected override transformRaw(node: RawNode): RawNode {
    const [text = '', ...others] = node.sqlFragments
    if (others.length > 0 || node.parameters.length > 0 || !knownFragments.has(text.trim())) {
      throw refusal('raw SQL cannot be held against the row rules')
    }
    return node
  }

  protected override transformSelectQuery(node: SelectQueryNode, queryId?: QueryId): SelectQueryNode {
    return this.#within(node.with, () => super.transformSelectQuery(node, queryId))
  }

  protected override transformFrom(node: FromNode, queryId?: QueryId): FromNode {
    return FromNode.create(node.froms.map((from) => this.#source(from, queryId)))
  }

  protected override transformJoin(node: JoinNode, queryId?: QueryId): JoinNode {
    const { on, ...join } = super.transformJoin({ ...node, table: TableNode.create('holdfast') }, queryId)
    return { ...join, table: this.#source(node.table, queryId), ...(on === undefined ? {} : { on }) }
  }

  protected override transformInsertQuery(node: InsertQueryNode, queryId?: QueryId): InsertQueryNode {
    return this.#within(node.with, () => {
      const resource = this.#target(node.into)
      return ownedInsert(super.transformInsertQuery(node, queryId), resource, this.#rewriting)
    })
  }

  protected override transformUpdateQuery(node: UpdateQueryNode, queryId?: QueryId): UpdateQueryNode {
    if (node.from !== undefined || node.joins !== undefined) throw refusal('update … from cannot be scoped')
    return this.#within(node.with, () => {
      const resource = this.#target(node.table)
      const update = super.transformUpdateQuery(node, queryId)
      for (const { column } of update.updates ?? []) requireWritable(resource, column)
      return {
        ...update,
        updates: [...(update.updates ?? []), ...changeStamps(resource, this.#rewriting.now)],
        where: alsoWhere(update.where, this.#changeable(resource, 'update')),
      }
    })
  }

  protected override transformDeleteQuery(node: DeleteQueryNode, queryId?: QueryId): DeleteQueryNode {
    if (node.using !== undefined || node.joins !== undefined) throw refusal('delete … using cannot be scoped')
    const [table, ...others] = node.from.froms
    if (others.length > 0) throw refusal('delete names one table')
    return this.#within(node.with, () => {
      const resource = this.#target(table)
      // The target itself must stay a table; everything else goes through the rules.
      const rest = super.transformDeleteQuery({ ...node, from: FromNode.create([]) }, queryId)
      return { ...rest, from: node.from, where: alsoWhere(rest.where, this.#changeable(resource, 'delete')) }
    })
  }

  /** Runs with the names of a `with` clause in sight. */
  #within<T>(node: WithNode | undefined, run: () => T): T {
    const names = (node?.expressions ?? []).map(({ name }) => nameOf(name.table))
    for (const name of names) {
      if (this.#rewriting.resources.some(({ table }) => table === name)) {
        throw refusal(`a common table expression is named like the table "${name}"`)
      }
    }
    this.#withNames.push(names)
    try {
      return run()
    } finally {
      this.#withNames.pop()
    }
  }

  /** A place where rows come from: a table becomes the rows of it that the caller may read. */
  #source(node: OperationNode, queryId?: QueryId): OperationNode {
    if (TableNode.is(node)) return this.#readable(node, undefined)
    if (AliasNode.is(node)) {
      if (TableNode.is(node.node)) return this.#readable(node.node, node.alias)
      if (node.node.kind === 'SelectQueryNode') return this.transformNode(node, queryId)
    }
    throw refusal(
      `rows come from tables and sub-queries, not from ${AliasNode.is(node) ? node.node.kind : node.kind}`,
    )
  }

  #readable(node: TableNode, alias: OperationNode | undefined): OperationNode {
    const table = nameOf(node)
    const original = alias === undefined ? node : AliasNode.create(node, alias)
    if (this.#withNames.some((names) => names.includes(table))) return original
    const { resources, scope } = this.#rewriting
    const predicate = rowPredicate(resources, resourceOf(resources, table), 'read', scope)
    if (predicate.kind === 'every-row') return original
    return AliasNode.create(selectWhere(table, predicate.where), alias ?? IdentifierNode.create(table))
  }

  #target(node: OperationNode | undefined): Resource {
    if (node === undefined || !TableNode.is(node)) throw refusal('a change names one table, without an alias')
    return resourceOf(this.#rewriting.resources, nameOf(node))
  }

  /** The rows of the target that the caller may change; with `If-Match`, only while they are as the client saw them. */
  #changeable(resource: Resource, action: 'update' | 'delete'): OperationNode {
    const { resources, scope } = this.#rewriting
    const predicate = rowPredicate(resources, resource, action, scope)
    const where = predicate.kind === 'every-row' ? compare(value(1), '=', value(1)) : predicate.where
    const { expected } = scope
    const revision = revisionColumn(resource)
    if (expected?.table !== resource.table || revision === undefined) return where
    return allOf(
      where,
      anyOf([
        compare(columnOf(resource.table, resource.key), '<>', value(expected.key)),
        compare(columnOf(resource.table, revision), '=', value(expected.revision)),
      ]),
    )
  }
}

function nameOf(node: TableNode): string {
  if (node.table.schema !== undefined) throw refusal('a table with a schema name')
  return node.table.identifier.name
}
