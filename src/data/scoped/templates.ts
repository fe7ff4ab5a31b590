import { createQueryId, type QueryCompiler, type RootOperationNode } from 'kysely'
import type { QueryPlan } from '../engine.ts'
import type { Resource } from '../resource.ts'
import type { Scope } from '../scope.ts'
import { callerIn, rolesAsked, scopeKey } from './caller.ts'
import { openRows } from './opaque.ts'
import type { Rewriting } from './rewriting.ts'
import { withSlots } from './shape.ts'
import { Slot } from './slot.ts'
import { type Rewritten, scopeQuery } from './transformer.ts'
import type { FieldVault } from './vault.ts'

/** A query that has been rewritten and compiled, for every caller and every value. */
export interface Template {
  readonly sql: string
  /** Slots, and the values that the rules themselves name. */
  readonly parameters: readonly unknown[]
  readonly plan: QueryPlan
}

// Shapes of queries are few; code that builds endless different ones must not fill the memory.
const templateCount = 1_000
const longestKey = 20_000

/** What the templates of one application are made with. */
export interface TemplateParts {
  readonly resources: readonly Resource[]
  readonly dialect: 'sqlite' | 'postgres'
  readonly vault: FieldVault | undefined
}

/**
 * The compiled queries of an application, by shape. The rules are applied to a query once; after that a query costs
 * one walk over its tree, whoever asks and for whatever values.
 */
export class Templates {
  readonly #parts: TemplateParts
  readonly #rolesAsked: ReadonlySet<string>
  /** Least recently used first. */
  readonly #templates = new Map<string, Template>()

  constructor(parts: TemplateParts) {
    this.#parts = parts
    this.#rolesAsked = rolesAsked(parts.resources)
  }

  /** How many shapes are remembered. */
  get size(): number {
    return this.#templates.size
  }

  /** The template of a query for a scope. @throws `INTERNAL` for a query that cannot be scoped */
  of(shapeKey: string, node: RootOperationNode, scope: Scope, compiler: QueryCompiler): Template {
    return this.remembered(shapeKey, scope, compiler, (rewriting) => scopeQuery(withSlots(node), rewriting))
  }

  /** The template under a key, made when it is not known yet. */
  remembered(
    shapeKey: string,
    scope: Scope,
    compiler: QueryCompiler,
    rewrite: (rewriting: Rewriting) => Rewritten,
  ): Template {
    const key = `${scopeKey(scope, this.#rolesAsked)} ${this.#parts.vault?.keyCount() ?? 0} ${shapeKey}`
    const known = this.#templates.get(key)
    if (known !== undefined) {
      // Newest at the end: the map keeps the order in which keys were put in.
      if (this.#templates.size > templateCount / 2) {
        this.#templates.delete(key)
        this.#templates.set(key, known)
      }
      return known
    }
    const template = this.#compile(rewrite(this.#rewriting(scope)), compiler)
    if (key.length <= longestKey) {
      this.#templates.set(key, template)
      const [oldest] = this.#templates.keys()
      if (this.#templates.size > templateCount && oldest !== undefined) this.#templates.delete(oldest)
    }
    return template
  }

  #compile({ node, consequences }: Rewritten, compiler: QueryCompiler): Template {
    const { sql, parameters } = compiler.compileQuery(node, createQueryId())
    const { resources, vault } = this.#parts
    const { mustChangeCount, opens, lifts } = consequences
    return Object.freeze({
      sql,
      parameters,
      plan: {
        mustChangeCount,
        lifts: [...lifts],
        opened: opens ? (rows: readonly unknown[]) => openRows(rows, resources, vault) : unchanged,
      },
    })
  }

  #rewriting(scope: Scope): Rewriting {
    const { expected } = scope
    return {
      ...this.#parts,
      caller: callerIn(scope),
      now: new Slot(({ now }) => now),
      expected:
        expected === undefined
          ? undefined
          : {
              table: expected.table,
              key: new Slot((run) => run.scope.expected?.key),
              revision: new Slot((run) => run.scope.expected?.revision),
            },
    }
  }
}

function unchanged(rows: readonly unknown[]): readonly unknown[] {
  return rows
}
