import type { CompiledQuery } from 'kysely'
import type { QueryGuard, QueryPlan, SessionIdentity } from '../../src/data/index.ts'

/** A guard that rewrites nothing, so that what the engine does for a caller shows by itself. */
export function plainGuard(identity: Partial<SessionIdentity>, plan: Partial<QueryPlan> = {}): QueryGuard {
  const compiledHere = new WeakSet<CompiledQuery>()
  return {
    identity: { user: '', tenant: '', roles: '[]', lifted: '{}', ...identity },
    compile(node, queryId, compiler) {
      const query = compiler.compileQuery(node, queryId)
      compiledHere.add(query)
      return query
    },
    planOf(query) {
      if (!compiledHere.has(query)) throw new TypeError('a query of somebody else')
      return { mustChangeCount: undefined, lifts: [], opened: (rows) => rows, ...plan }
    },
  }
}
