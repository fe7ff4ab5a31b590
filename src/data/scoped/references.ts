import {
  AliasNode,
  ColumnNode,
  IdentifierNode,
  type OperationNode,
  type ReferenceNode,
  TableNode,
} from 'kysely'
import type { Resource } from '../resource.ts'

/** The tables that a query names anywhere, and the names it gives them. */
export class TablesInQuery {
  readonly #resources: readonly Resource[]
  /** By the name a query knows a table by; one name can mean different tables in different sub-queries. */
  readonly #byName = new Map<string, Set<Resource>>()

  constructor(root: OperationNode, resources: readonly Resource[]) {
    this.#resources = resources
    this.#collect(root)
  }

  /** Every resource of the query of which something holds. */
  some(holds: (resource: Resource) => boolean): boolean {
    return [...this.#byName.values()].some((set) => [...set].some(holds))
  }

  /**
   * The resources that a column may belong to. Where the query does not say clearly, each of them: what is decided
   * by this is decided on the safe side.
   */
  ownersOf(reference: ReferenceNode): Resource[] {
    const qualifier = reference.table?.table.identifier.name
    const named = qualifier === undefined ? undefined : this.#byName.get(qualifier)
    return [...(named ?? new Set([...this.#byName.values()].flatMap((set) => [...set])))]
  }

  #collect(part: unknown): void {
    if (typeof part !== 'object' || part === null) return
    if (Array.isArray(part)) {
      for (const item of part) this.#collect(item)
      return
    }
    if (isNode(part)) {
      if (TableNode.is(part)) this.#note(part.table.identifier.name, part)
      if (AliasNode.is(part) && TableNode.is(part.node) && IdentifierNode.is(part.alias)) {
        this.#note(part.alias.name, part.node)
        // The table's own name is hidden behind the alias.
        return
      }
    }
    for (const member of Object.values(part)) this.#collect(member)
  }

  #note(name: string, table: TableNode): void {
    const resource = this.#resources.find((candidate) => candidate.table === table.table.identifier.name)
    if (resource === undefined) return
    const known = this.#byName.get(name)
    if (known === undefined) this.#byName.set(name, new Set([resource]))
    else known.add(resource)
  }
}

function isNode(part: object): part is OperationNode {
  return 'kind' in part && typeof part.kind === 'string'
}

/** The name of a column that a reference names; `undefined` for anything else. */
export function columnName(node: OperationNode): string | undefined {
  return ColumnNode.is(node) ? node.column.name : undefined
}
