import type { CompiledQuery, QueryCompiler, QueryId, RootOperationNode } from 'kysely'
import type { QueryGuard, QueryPlan, SessionIdentity } from '../engine.ts'
import type { Scope } from '../scope.ts'
import { refusal } from './refuse.ts'
import { shapeOf } from './shape.ts'
import { boundParameters, OneRun } from './slot.ts'
import type { Template, Templates } from './templates.ts'

/**
 * A query that a guard has made. Nothing else is run: no other code can give an object these private members, and no
 * copy of this one has them.
 */
class GuardedQuery<R> implements CompiledQuery<R> {
  readonly query: RootOperationNode
  readonly queryId: QueryId
  readonly sql: string
  readonly parameters: readonly unknown[]
  readonly #guard: RowGuard
  readonly #plan: QueryPlan

  constructor(guard: RowGuard, plan: QueryPlan, { query, queryId, sql, parameters }: CompiledQuery) {
    this.query = query
    this.queryId = queryId
    this.sql = sql
    this.parameters = parameters
    this.#guard = guard
    this.#plan = plan
    Object.freeze(this)
  }

  /** The plan of a query that this guard has made; a query of another caller's guard has none here. */
  static planOf(query: CompiledQuery, guard: RowGuard): QueryPlan | undefined {
    return #guard in query && query.#guard === guard ? query.#plan : undefined
  }
}

/** Holds every query of one caller against the row rules. */
export class RowGuard implements QueryGuard {
  readonly #templates: Templates
  readonly #scope: Scope
  readonly #nowMs: () => number
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
    const parameters = boundParameters(template.parameters, new OneRun(values, this.#scope, this.#nowMs))
    return new GuardedQuery<R>(this, template.plan, { query: node, queryId, sql: template.sql, parameters })
  }

  /** Lets a query of Holdfast's own pass, which is about no row of anybody. */
  admit(compiled: CompiledQuery): CompiledQuery {
    return new GuardedQuery(this, plainPlan, compiled)
  }

  planOf(query: CompiledQuery): QueryPlan {
    const plan = GuardedQuery.planOf(query, this)
    if (plan === undefined) throw refusal('the row rules cannot be applied to a text')
    return plan
  }
}

const plainPlan: QueryPlan = { mustChangeCount: undefined, lifts: [], opened: (rows) => rows }

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
