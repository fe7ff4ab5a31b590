import {
  AliasNode,
  AndNode,
  BinaryOperationNode,
  ColumnNode,
  FromNode,
  IdentifierNode,
  type OperationNode,
  OperatorNode,
  OrNode,
  ParensNode,
  ReferenceNode,
  SelectionNode,
  SelectQueryNode,
  TableNode,
  UnaryOperationNode,
  ValueNode,
  WhereNode,
} from 'kysely'

/** `table.column` */
export function columnOf(table: string, column: string): OperationNode {
  return ReferenceNode.create(ColumnNode.create(column), TableNode.create(table))
}

/** `left operator right` */
export function compare(
  left: OperationNode,
  operator: '=' | '<>' | '<' | '>' | '+',
  right: OperationNode,
): OperationNode {
  return BinaryOperationNode.create(left, OperatorNode.create(operator), right)
}

/** A bound parameter. */
export function value(bound: unknown): OperationNode {
  return ValueNode.create(bound)
}

/** A predicate that no row fulfils. */
export const never: OperationNode = compare(ValueNode.createImmediate(1), '=', ValueNode.createImmediate(0))

/** Any of them; {@link never} when there is none. */
export function anyOf(parts: readonly OperationNode[]): OperationNode {
  const [first, ...others] = parts
  if (first === undefined) return never
  if (others.length === 0) return first
  return ParensNode.create(others.reduce((left, right) => OrNode.create(left, right), first))
}

/** All of them. */
export function allOf(first: OperationNode, ...others: readonly OperationNode[]): OperationNode {
  return others.reduce((left, right) => AndNode.create(left, right), first)
}

/** `exists (select 1 from table as alias where …)` */
export function exists(from: OperationNode, where: OperationNode): OperationNode {
  const select: SelectQueryNode = {
    ...SelectQueryNode.createFrom([from]),
    selections: [
      SelectionNode.create(AliasNode.create(ValueNode.createImmediate(1), IdentifierNode.create('found'))),
    ],
    where: WhereNode.create(where),
  }
  return UnaryOperationNode.create(OperatorNode.create('exists'), ParensNode.create(select))
}

/** `where old and more` */
export function alsoWhere(where: WhereNode | undefined, more: OperationNode): WhereNode {
  return WhereNode.create(where === undefined ? more : AndNode.create(ParensNode.create(where.where), more))
}

/** `select * from table where …` */
export function selectWhere(table: string, where: OperationNode): SelectQueryNode {
  return {
    kind: 'SelectQueryNode',
    from: FromNode.create([TableNode.create(table)]),
    selections: [SelectionNode.createSelectAll()],
    where: WhereNode.create(where),
  }
}
