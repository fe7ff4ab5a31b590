import {
  type AggregateFunctionNode,
  AliasNode,
  BinaryOperationNode,
  ColumnNode,
  type FunctionNode,
  IdentifierNode,
  type OperationNode,
  OperationNodeTransformer,
  OperatorNode,
  PrimitiveValueListNode,
  type QueryId,
  type RawNode,
  ReferenceNode,
  type ReturningNode,
  SelectAllNode,
  SelectionNode,
  ValueNode,
  type WithNode,
} from 'kysely'
import { rulesOf } from '../flat-rules.ts'
import type { Resource } from '../resource.ts'
import { isKnownOperator, knownFragments, knownFunctions, knownNodes } from './known-nodes.ts'
import { aliased, valueList } from './nodes.ts'
import { columnsOf, given, hasSpecialColumns, isOpaque, isWithheld } from './opaque.ts'
import { columnName, TablesInQuery } from './references.ts'
import { refusal } from './refuse.ts'
import type { Consequences, Rewriting } from './rewriting.ts'
import { Slot } from './slot.ts'

interface Target {
  readonly resource: Resource
  readonly at: string
}

const namePrefix = 'holdfast_'

/**
 * What a query may be made of, whatever its tables: kinds of nodes, functions, operators, names, and the columns that
 * no expression may look into.
 */
export class ColumnTransformer extends OperationNodeTransformer {
  readonly rewriting: Rewriting
  readonly consequences: Consequences
  readonly #tables: TablesInQuery
  readonly #hasSpecial: boolean
  readonly #ruleTables: ReadonlySet<string>
  /** The common table expressions in sight, innermost last. */
  readonly #withNames: string[][] = []
  /** The tables that the statements around this place change, innermost last. */
  readonly #targets: Target[] = []
  /** References that stand as a selection of their own. */
  readonly #selected = new WeakSet<OperationNode>()
  /** References that stand as a selection of their own in what a change returns. */
  readonly #returning = new WeakSet<OperationNode>()
  protected readonly root: OperationNode

  constructor(root: OperationNode, rewriting: Rewriting) {
    super()
    this.root = root
    this.rewriting = rewriting
    this.#tables = new TablesInQuery(root, rewriting.resources)
    this.#hasSpecial = this.#tables.some(hasSpecialColumns)
    this.#ruleTables = tablesOfRules(rewriting.resources)
    this.consequences = { mustChangeCount: undefined, lifts: new Set(), opens: this.#hasSpecial }
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

  protected override transformFunction(node: FunctionNode, queryId?: QueryId): FunctionNode {
    requireFunction(node.func)
    return super.transformFunction(node, queryId)
  }

  protected override transformAggregateFunction(
    node: AggregateFunctionNode,
    queryId?: QueryId,
  ): AggregateFunctionNode {
    requireFunction(node.func)
    return super.transformAggregateFunction(node, queryId)
  }

  protected override transformOperator(node: OperatorNode, queryId?: QueryId): OperatorNode {
    if (!isKnownOperator(node.operator)) throw refusal('an operator that is not known here')
    return super.transformOperator(node, queryId)
  }

  protected override transformAlias(node: AliasNode, queryId?: QueryId): AliasNode {
    this.requireAlias(node.alias)
    return super.transformAlias(node, queryId)
  }

  protected override transformSelection(node: SelectionNode, queryId?: QueryId): SelectionNode {
    this.#selected.add(referenceOf(node.selection))
    return super.transformSelection(node, queryId)
  }

  protected override transformReference(node: ReferenceNode, queryId?: QueryId): ReferenceNode {
    if (this.#hasSpecial) this.#requireReadable(node)
    return super.transformReference(node, queryId)
  }

  protected override transformBinaryOperation(
    node: BinaryOperationNode,
    queryId?: QueryId,
  ): BinaryOperationNode {
    return (
      (this.#hasSpecial ? this.#lookup(node) : undefined) ?? super.transformBinaryOperation(node, queryId)
    )
  }

  protected override transformReturning(node: ReturningNode, queryId?: QueryId): ReturningNode {
    for (const { selection } of node.selections) this.#returning.add(referenceOf(selection))
    const returning = super.transformReturning(node, queryId)
    const target = this.#targets.at(-1)
    if (target === undefined || !hasSpecialColumns(target.resource)) return returning
    return { ...returning, selections: returning.selections.flatMap((one) => this.#returned(one, target)) }
  }

  protected override transformWith(node: WithNode, queryId?: QueryId): WithNode {
    const names = node.expressions.map(({ name }) => name.table.table.identifier.name)
    const sight = this.#withNames.at(-1) ?? []
    const expressions = node.expressions.map((expression, index) => {
      // Only a recursive one sees itself; otherwise its own name still means the table.
      if (node.recursive !== true) sight.splice(0, sight.length, ...names.slice(0, index))
      return this.transformNode(expression, queryId)
    })
    sight.splice(0, sight.length, ...names)
    return { ...node, expressions }
  }

  /** Runs with the names of a `with` clause in sight. */
  protected withNames<T>(node: WithNode | undefined, run: () => T): T {
    const names = (node?.expressions ?? []).map(({ name }) => {
      if (name.table.table.schema !== undefined) throw refusal('a table with a schema name')
      return name.table.table.identifier.name
    })
    for (const name of names) {
      if (this.#ruleTables.has(name))
        throw refusal(`a common table expression is named like the table "${name}"`)
      requireName(name)
    }
    this.#withNames.push([...names])
    try {
      return run()
    } finally {
      this.#withNames.pop()
    }
  }

  protected isInSight(table: string): boolean {
    return this.#withNames.some((names) => names.includes(table))
  }

  /** Whether this place is inside of a statement that changes a table. */
  protected get isWriting(): boolean {
    return this.#targets.length > 0
  }

  /** Runs inside of a statement that changes a table. */
  protected writing<T>(target: Target, run: () => T): T {
    this.#targets.push(target)
    try {
      return run()
    } finally {
      this.#targets.pop()
    }
  }

  /** @throws `INTERNAL` for a name that could be taken for one of the rules' own. */
  protected requireAlias(alias: OperationNode): void {
    if (!IdentifierNode.is(alias)) throw refusal('an alias that is no name')
    requireName(alias.name)
  }

  #requireReadable(node: ReferenceNode): void {
    const column = columnName(node.column)
    for (const resource of this.#tables.ownersOf(node)) {
      // The table that a statement changes is the table itself; what its RETURNING selects is replaced there.
      const isRaw = this.#targets.some((target) => target.resource === resource) && !this.#returning.has(node)
      if (isRaw && isSpecial(resource, column, this.rewriting)) {
        throw refusal(
          `a change cannot look into "${resource.table}.${column ?? '*'}": it is not for this caller`,
        )
      }
      if (column !== undefined && isOpaque(resource, column) && !this.#selected.has(node)) {
        throw refusal(
          `"${resource.table}.${column}" is encrypted or secret: it can be selected, and nothing else` +
            (column in resource.columns.lookup ? ' but "=" and "in" with values' : ''),
        )
      }
    }
  }

  /** `email = 'a@b'` on an encrypted column with a blind index: the same question, asked of the index. */
  #lookup({ leftOperand, operator, rightOperand }: BinaryOperationNode): BinaryOperationNode | undefined {
    const { vault } = this.rewriting
    if (vault === undefined || !ReferenceNode.is(leftOperand) || !OperatorNode.is(operator)) return undefined
    const column = columnName(leftOperand.column)
    const owners = this.#tables.ownersOf(leftOperand)
    const [resource] = owners
    if (column === undefined || resource === undefined) return undefined
    const index = resource.columns.lookup[column]
    if (index === undefined || owners.length > 1) return undefined
    const slots = slotsOf(operator.operator, rightOperand)
    if (slots === undefined) return undefined
    const places = Array.from({ length: vault.keyCount() }, (_, place) => place)
    const indexes = slots.flatMap((slot) =>
      places.map(
        (place) =>
          new Slot((run) => {
            const plain = slot.of(run)
            return plain === null ? null : vault.blindIndexes(resource.table, column, plain)[place]
          }),
      ),
    )
    const { table } = leftOperand
    const reference = ReferenceNode.create(ColumnNode.create(index), table)
    return BinaryOperationNode.create(reference, OperatorNode.create('in'), valueList(indexes))
  }

  #returned(one: SelectionNode, target: Target): SelectionNode[] {
    const { resource } = target
    // SQLite knows the target by its own name there, whatever the statement calls it.
    const at = this.rewriting.dialect === 'sqlite' ? resource.table : target.at
    const { selection } = one
    const isAll =
      selection.kind === 'SelectAllNode' ||
      (ReferenceNode.is(selection) && SelectAllNode.is(selection.column))
    if (isAll) {
      return columnsOf(resource).map((column) =>
        SelectionNode.create(given(resource, column, at, this.rewriting)),
      )
    }
    const reference = AliasNode.is(selection) ? selection.node : selection
    const column = ReferenceNode.is(reference) ? columnName(reference.column) : undefined
    if (column === undefined || !columnsOf(resource).includes(column)) return [one]
    const what = given(resource, column, at, this.rewriting)
    const bare = AliasNode.is(what) ? what.node : what
    const name = AliasNode.is(selection) && IdentifierNode.is(selection.alias) ? selection.alias.name : column
    return [SelectionNode.create(aliased(bare, name))]
  }
}

/** The reference that a selection is, whatever it is called; the selection itself when it is none. */
function referenceOf(selection: OperationNode): OperationNode {
  return AliasNode.is(selection) ? selection.node : selection
}

/** Whether a caller gets something else than what is stored; of every column, when none is named. */
function isSpecial(resource: Resource, column: string | undefined, rewriting: Rewriting): boolean {
  if (column === undefined) return hasSpecialColumns(resource)
  return isOpaque(resource, column) || isWithheld(resource, column, rewriting)
}

function slotsOf(operator: string, right: OperationNode): Slot[] | undefined {
  const values =
    operator === '=' && ValueNode.is(right)
      ? [right.value]
      : operator === 'in' && PrimitiveValueListNode.is(right)
        ? right.values
        : []
  const slots = values.filter((bound) => bound instanceof Slot)
  return slots.length === 0 ? undefined : slots
}

function requireFunction(name: string): void {
  if (!knownFunctions.has(name.toLowerCase()))
    throw refusal('a function that is not known here; unscoped code may call it')
}

function requireName(name: string): void {
  if (name.toLowerCase().startsWith(namePrefix))
    throw refusal(`names that begin with "${namePrefix}" are kept for the rules`)
}

/** Every table that the rules read; a query must not be able to put something else in its place. */
function tablesOfRules(resources: readonly Resource[]): ReadonlySet<string> {
  return new Set(
    resources.flatMap((resource) => [
      resource.table,
      ...(resource.owner.kind === 'through' ? [resource.owner.table] : []),
      ...rulesOf(resource).flatMap((rule) =>
        rule.kind === 'granted' || rule.kind === 'through' ? [rule.table] : [],
      ),
    ]),
  )
}
