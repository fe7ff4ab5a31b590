import { createQueryId, Kysely, LimitNode, ValueNode } from 'kysely'
import type { Database } from '../open.ts'
import type { Resource, RowAction } from '../resource.ts'
import type { Scope } from '../scope.ts'
import { EngineDialect } from '../sqlite/dialect.ts'
import { allOf, columnOf, compare, selectWhere, value } from './nodes.ts'
import { rowPredicate } from './predicate.ts'
import { scopeQuery } from './transformer.ts'

/**
 * The database as one caller may see it: Kysely whose every query is rewritten by the row rules before it is
 * compiled. What cannot be scoped is refused, raw SQL included.
 *
 * @see OWASP ASVS 5.0 §8.2.2, §8.3.1
 */
export function scopedDatabase<Tables = never>(
  database: Database,
  resources: readonly Resource[],
  scope: Scope,
  nowMs: () => number = Date.now,
): Kysely<Tables> {
  const guard = (node: Parameters<typeof scopeQuery>[0]) =>
    scopeQuery(node, { resources, scope, now: new Date(nowMs()).toISOString() })
  return new Kysely<Tables>({ dialect: new EngineDialect(database.engine, guard) })
}

/** One row by its key, under the rules of an action; `undefined` when it is absent or not the caller's. */
export async function loadRow(
  database: Database,
  resources: readonly Resource[],
  resource: Resource,
  { scope, action, key }: { readonly scope: Scope; readonly action: RowAction; readonly key: string },
): Promise<unknown> {
  const predicate = rowPredicate(resources, resource, action, scope)
  const byKey = compare(columnOf(resource.table, resource.key), '=', value(key))
  const where = predicate.kind === 'every-row' ? byKey : allOf(byKey, predicate.where)
  const node = {
    ...selectWhere(resource.table, where),
    limit: LimitNode.create(ValueNode.createImmediate(1)),
  }
  const executor = database.db.getExecutor()
  const { rows } = await executor.executeQuery(executor.compileQuery(node, createQueryId()))
  return rows[0]
}
