import { createQueryId, PostgresQueryCompiler, type QueryCompiler, SqliteQueryCompiler } from 'kysely'
import type { Resource } from '../resource.ts'
import type { Scope } from '../scope.ts'
import { callerIn } from './caller.ts'
import { type Predicate, selectWhere, sqlOf } from './nodes.ts'
import { type JudgedAction, rowAt, rowPredicate } from './predicate.ts'
import { boundParameters } from './slot.ts'

/** The rules of a resource as a condition, for libraries that write SQL by themselves. */
export interface PredicateSql {
  /** With the places of its parameters written as the dialect does. */
  readonly sql: string
  readonly parameters: readonly unknown[]
}

/** Whose rows, for what, and how they are named. */
export interface PredicateRequest {
  readonly resource: Resource
  readonly action: JudgedAction
  readonly scope: Scope
  /** The name by which the query knows the table. */
  readonly at: string
  readonly dialect: 'sqlite' | 'postgres'
}

/**
 * The rules of a resource for a caller and an action, as SQL.
 *
 * @example predicateSql(resources, { resource: Note, action: 'read', scope, at: 'note', dialect: 'postgres' })
 */
export function predicateSql(
  resources: readonly Resource[],
  { resource, action, scope, at, dialect }: PredicateRequest,
): PredicateSql {
  const predicate = rowPredicate({ resources, caller: callerIn(scope) }, resource, action, rowAt(at))
  const compiler = dialect === 'sqlite' ? new SqliteQueryCompiler() : new PostgresQueryCompiler()
  const { sql, parameters } = compiledCondition(compiler, predicate)
  return { sql, parameters: boundParameters(parameters, { values: [], scope, now: '', idOf: () => '' }) }
}

function compiledCondition(compiler: QueryCompiler, predicate: Predicate): PredicateSql {
  const { sql, parameters } = compiler.compileQuery(selectWhere('x', sqlOf(predicate)), createQueryId())
  return { sql: sql.slice(sql.indexOf(' where ') + ' where '.length), parameters }
}
