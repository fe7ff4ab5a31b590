import type { CompiledQuery, QueryCompiler, QueryId, RootOperationNode } from 'kysely'
import { newId } from '../../base/index.ts'
import type { QueryGuard, QueryPlan, SessionIdentity } from '../engine.ts'
import type { Scope } from '../scope.ts'
import { refusal } from './refuse.ts'
import { shapeOf } from './shape.ts'
import { boundParameters, type Run } from './slot.ts'
import type { Template, Templates } from './templates.ts'

/** Holds every query of one caller against the row rules. */
export class RowGuard implements QueryGuard {
  readonly #templates: Templates
  readonly #scope: Scope
  readonly #nowMs: () => number
  readonly #plans = new WeakMap<CompiledQuery, QueryPlan>()
  #identity: SessionIdentity | undefined

  constructor(templates: Templates, scope: Scope, nowMs: () => number) {
    this.#templates = templates
    this.#scope = scope
    this.#nowMs = nowMs
  }

  get identity(): SessionIdentity {
    this.#identity ??= identityOf(this.#scope)
    return this.#identity
  }

  compile<R>(node: RootOperationNode, queryId: QueryId, compiler: QueryCompiler): CompiledQuery<R> {
    const shape = shapeOf(node)
    const template = this.#templates.of(shape.key, node, this.#scope, compiler)
    return this.bind(template, shape.values, node, queryId)
  }

  /** A query of a template, for values. */
  bind<R>(
    template: Template,
    values: readonly unknown[],
    node: RootOperationNode,
    queryId: QueryId,
  ): CompiledQuery<R> {
    const ids: string[] = []
    const run: Run = {
      values,
      scope: this.#scope,
      now: new Date(this.#nowMs()).toISOString(),
      idOf: (index) => {
        ids[index] ??= newId()
        return ids[index]
      },
    }
    const parameters = boundParameters(template.parameters, run)
    const compiled: CompiledQuery<R> = Object.freeze({ query: node, queryId, sql: template.sql, parameters })
    this.#plans.set(compiled, template.plan)
    return compiled
  }

  /** Lets a query of Holdfast's own pass, which is about no row of anybody. */
  admit(compiled: CompiledQuery): CompiledQuery {
    this.#plans.set(compiled, { mustChangeCount: undefined, lifts: [], opened: (rows) => rows })
    return compiled
  }

  planOf(query: CompiledQuery): QueryPlan {
    const plan = this.#plans.get(query)
    if (plan === undefined) throw refusal('the row rules cannot be applied to a text')
    return plan
  }
}

function identityOf({ userId, tenantId, roles, lifted }: Scope): SessionIdentity {
  return {
    user: userId ?? '',
    tenant: tenantId ?? '',
    roles: JSON.stringify(roles),
    lifted: JSON.stringify(
      Object.fromEntries([...lifted].map(([table, which]) => [table, which === 'all' ? true : which.key])),
    ),
  }
}
