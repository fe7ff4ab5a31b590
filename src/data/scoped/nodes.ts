import {
  AliasNode,
  AndNode,
  BinaryOperationNode,
  ColumnNode,
  FromNode,
  FunctionNode,
  IdentifierNode,
  type OperationNode,
  OperatorNode,
  OrNode,
  ParensNode,
  PrimitiveValueListNode,
  ReferenceNode,
  SelectionNode,
  SelectQueryNode,
  SetOperationNode,
  TableNode,
  UnaryOperationNode,
  ValueNode,
  WhereNode,
} from 'kysely'
import { assert } from '../../base/index.ts'

/** A condition in SQL, or one that is known beforehand. */
export type Predicate = OperationNode | boolean

/** `table.column` */
export function columnOf(table: string, column: string): ReferenceNode {
  return ReferenceNode.create(ColumnNode.create(column), TableNode.create(table))
}

/** `left operator right` */
export function compare(
  left: OperationNode,
  operator: '=' | '<>' | '<' | '<=' | '>' | '>=' | '+' | '||' | 'in',
  right: OperationNode,
): OperationNode {
  return BinaryOperationNode.create(left, OperatorNode.create(operator), right)
}

/** `left is null`, `left is not null` */
export function isNull(left: OperationNode, isIt: boolean): OperationNode {
  return BinaryOperationNode.create(
    left,
    OperatorNode.create(isIt ? 'is' : 'is not'),
    ValueNode.createImmediate(null),
  )
}

/** `(predicate) is not true`: also where it is neither true nor false, because of a null. */
export function isNotTrue(predicate: Predicate): Predicate {
  if (typeof predicate === 'boolean') return !predicate
  return BinaryOperationNode.create(
    ParensNode.create(predicate),
    OperatorNode.create('is not'),
    ValueNode.createImmediate(true),
  )
}

/** A bound parameter. */
export function value(bound: unknown): OperationNode {
  return ValueNode.create(bound)
}

/** Bound parameters in parentheses, for `in`. */
export function valueList(bound: readonly unknown[]): OperationNode {
  return PrimitiveValueListNode.create(bound)
}

/** SQL that says what is known beforehand. */
export function sqlOf(predicate: Predicate): OperationNode {
  if (typeof predicate !== 'boolean') return predicate
  return compare(ValueNode.createImmediate(1), '=', ValueNode.createImmediate(predicate ? 1 : 0))
}

/** Any of them; false when there is none. */
export function either(parts: readonly Predicate[]): Predicate {
  if (parts.includes(true)) return true
  const [first, ...others] = parts.filter((part) => typeof part !== 'boolean')
  if (first === undefined) return false
  if (others.length === 0) return first
  return ParensNode.create(others.reduce((left, right) => OrNode.create(left, right), first))
}

/** All of them; true when there is none. */
export function both(...parts: readonly Predicate[]): Predicate {
  if (parts.includes(false)) return false
  const [first, ...others] = parts.filter((part) => typeof part !== 'boolean')
  if (first === undefined) return true
  return others.reduce((left, right) => AndNode.create(left, right), first)
}

/** `exists (select 1 from table as alias where …)` */
export function exists(table: string, alias: string, where: Predicate): Predicate {
  if (where === false) return false
  const select: SelectQueryNode = {
    ...SelectQueryNode.createFrom([aliased(TableNode.create(table), alias)]),
    selections: [SelectionNode.create(aliased(ValueNode.createImmediate(1), 'found'))],
    where: WhereNode.create(sqlOf(where)),
  }
  return UnaryOperationNode.create(OperatorNode.create('exists'), ParensNode.create(select))
}

/** A column of the rows of a table under a condition. */
export interface Gathering {
  readonly table: string
  readonly alias: string
  readonly column: OperationNode
  readonly where: Predicate
}

/** `key in (select column from table as alias where …)`, as the dialect can use it beside others with its indexes. */
export function gathered(
  key: OperationNode,
  { table, alias, column, where }: Gathering,
  dialect: 'sqlite' | 'postgres',
): Predicate {
  if (where === false) return false
  const select: SelectQueryNode = {
    ...SelectQueryNode.createFrom([aliased(TableNode.create(table), alias)]),
    selections: [SelectionNode.create(aliased(column, 'found'))],
    where: WhereNode.create(sqlOf(where)),
  }
  if (dialect === 'sqlite') return compare(key, 'in', ParensNode.create(select))
  // PostgreSQL uses no index for an "in" that stands in an "or"; for an array it does.
  return compare(key, '=', FunctionNode.create('any', [FunctionNode.create('array', [select])]))
}

/** `node as name` */
export function aliased(node: OperationNode, name: string): AliasNode {
  return AliasNode.create(node, IdentifierNode.create(name))
}

/** `where old and more` */
export function alsoWhere(where: WhereNode | undefined, more: Predicate): WhereNode {
  const added = sqlOf(more)
  return WhereNode.create(where === undefined ? added : AndNode.create(ParensNode.create(where.where), added))
}

/** `select … from table where …` */
export function selectWhere(
  table: string,
  where: Predicate,
  selections: readonly SelectionNode[] = [SelectionNode.createSelectAll()],
): SelectQueryNode {
  return {
    kind: 'SelectQueryNode',
    from: FromNode.create([TableNode.create(table)]),
    selections,
    ...(where === true ? {} : { where: WhereNode.create(sqlOf(where)) }),
  }
}

/** The rows of all selects, one after the other, or as a whole in the order that is asked of it. */
export function unionAll([first, ...others]: readonly SelectQueryNode[]): SelectQueryNode {
  assert(first !== undefined, 'a union has parts')
  if (others.length === 0) return first
  return { ...first, setOperations: others.map((other) => SetOperationNode.create('union', other, true)) }
}
