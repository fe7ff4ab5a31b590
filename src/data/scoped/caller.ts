import type { OperationNode } from 'kysely'
import { rulesOf } from '../flat-rules.ts'
import type { Resource } from '../resource.ts'
import type { Scope } from '../scope.ts'
import { compare, type Predicate, value } from './nodes.ts'
import { Slot } from './slot.ts'

/** A caller as the row rules see one: bound parameters of a query, or settings of a session. */
export interface CallerTerms {
  /** The user id; `null` for nobody. */
  readonly userId: OperationNode | null
  /** The tenant; `null` outside any. */
  readonly tenantId: OperationNode | null
  /** Whether the caller is somebody: rules are about callers, and nobody is none. */
  readonly isKnown: Predicate
  /** Whether a column names the caller. */
  readonly isUser: (column: OperationNode) => Predicate
  /** Whether a column names the caller's tenant. */
  readonly isTenant: (column: OperationNode) => Predicate
  /** Whether the caller holds one of the roles. */
  readonly holdsAny: (roles: readonly string[]) => Predicate
  /** Whether the route's access rule has opened the row with this key. */
  readonly isLifted: (table: string, key: OperationNode) => Predicate
}

/** The caller of a scoped query. Whom it is about is bound when the query runs. */
export function callerIn(scope: Scope): CallerTerms {
  const userId = scope.userId === null ? null : value(new Slot((run) => run.scope.userId))
  const tenantId = scope.tenantId === null ? null : value(new Slot((run) => run.scope.tenantId))
  return {
    userId,
    tenantId,
    isKnown: userId !== null,
    isUser: (column) => userId !== null && compare(column, '=', userId),
    isTenant: (column) => tenantId !== null && compare(column, '=', tenantId),
    holdsAny: (roles) => roles.some((role) => scope.roles.includes(role)),
    isLifted: (table, key) => {
      const lifted = scope.lifted.get(table)
      if (lifted === undefined) return false
      return lifted === 'all' || compare(key, '=', value(new Slot((run) => liftedKey(run.scope, table))))
    },
  }
}

function liftedKey(scope: Scope, table: string): string | null {
  const lifted = scope.lifted.get(table)
  return lifted === undefined || lifted === 'all' ? null : lifted.key
}

/**
 * What of a scope decides how a query is rewritten, as a text. Two scopes with the same text differ only in values
 * that are bound.
 *
 * @param asked The roles that any rule asks about.
 */
export function scopeKey(scope: Scope, asked: ReadonlySet<string>): string {
  let key = `${scope.userId === null ? '-' : 'u'}${scope.tenantId === null ? '-' : 't'}`
  if (scope.roles.length > 0 && asked.size > 0) {
    key += JSON.stringify(scope.roles.filter((role) => asked.has(role)).sort())
  }
  for (const [table, lifted] of scope.lifted)
    key += `+${JSON.stringify(table)}${lifted === 'all' ? '*' : '='}`
  return scope.expected === undefined ? key : `${key}@${JSON.stringify(scope.expected.table)}`
}

/** Every role that a rule or a column of the resources asks about. */
export function rolesAsked(resources: readonly Resource[]): ReadonlySet<string> {
  return new Set(
    resources.flatMap((resource) => [
      ...rulesOf(resource).flatMap((rule) => (rule.kind === 'caller-has' ? rule.roles : [])),
      ...Object.values(resource.columns.readableBy).flat(),
    ]),
  )
}
