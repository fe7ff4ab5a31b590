import { type AnyTables, type OwnedRows, type Resource, rulesOf } from '../data/index.ts'
import type { GrantedRule } from '../data/resource.ts'
import type { PersonalRows } from '../users/index.ts'

/**
 * What an application keeps of a person: the rows that they own, and what has been granted to them.
 *
 * @see OWASP ASVS 5.0 §14.2.7; GDPR Art. 15, 17, 20
 */
export function personalRows(rows: OwnedRows, resources: readonly Resource[]): PersonalRows {
  const owned = resources.flatMap(({ table, owner }) =>
    owner.kind === 'column' ? [{ table, column: owner.column }] : [],
  )
  return {
    async read(userId) {
      // Through the row rules as the person themselves, so that nothing is in it which they could not have read.
      const db = rows.as<AnyTables>({ userId, tenantId: null, roles: [], lifted: new Map() })
      const found: Record<string, readonly unknown[]> = {}
      for (const { table, column } of owned)
        found[table] = await db.selectFrom(table).selectAll().where(column, '=', userId).execute()
      return found
    },
    async remove(db, userId) {
      for (const { table, user } of grantsIn(resources))
        await db.deleteFrom(table).where(user, '=', userId).execute()
      // The last declared first: what belongs to another row is declared after it.
      for (const { table, column } of owned.toReversed())
        await db.deleteFrom(table).where(column, '=', userId).execute()
    },
  }
}

function grantsIn(resources: readonly Resource[]): readonly GrantedRule[] {
  const grants = resources.flatMap(rulesOf).filter((rule) => rule.kind === 'granted')
  return grants.filter(
    (grant, index) =>
      grants.findIndex(({ table, user }) => table === grant.table && user === grant.user) === index,
  )
}
