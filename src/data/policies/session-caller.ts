import { type OperationNode, RawNode } from 'kysely'
import type { CallerTerms } from '../scoped/caller.ts'
import type { Predicate } from '../scoped/nodes.ts'

/** SQL of our own; never made of anything that a request holds. */
export function text(sql: string): OperationNode {
  return RawNode.createWithSql(sql)
}

/** A text in SQL. */
export function quoted(value: string): string {
  return `'${value.replaceAll("'", "''")}'`
}

/** A name in SQL. */
export function named(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

// In a sub-query of its own, so that it is asked for once for each statement and not once for each row.
function setting(name: string, kind: 'text' | 'jsonb', absent: string): string {
  return `(select coalesce(nullif(current_setting('holdfast.${name}', true), ''), ${absent})::${kind})`
}

const lifted = setting('lifted', 'jsonb', `'{}'`)

const user = setting('user', 'text', 'null')
const tenant = setting('tenant', 'text', 'null')

/** The caller as a session of PostgreSQL names it. Without the settings there is nobody, and nobody sees anything. */
export const callerInSession: CallerTerms = {
  userId: text(user),
  tenantId: text(tenant),
  isKnown: text(`${user} is not null`),
  // A column may be a uuid; the setting is a text.
  isUser: (column) => RawNode.create(['(', `)::text = ${user}`], [column]),
  isTenant: (column) => RawNode.create(['(', `)::text = ${tenant}`], [column]),
  holdsAny: (roles) => text(`${setting('roles', 'jsonb', `'[]'`)} ?| array[${roles.map(quoted).join(', ')}]`),
  isLifted: (table, key) => isLifted(table, key),
}

function isLifted(table: string, key: OperationNode): Predicate {
  const which = `${lifted} -> ${quoted(table)}`
  return RawNode.create(
    [`((${which}) = 'true'::jsonb or (${lifted} ->> ${quoted(table)}) = `, '::text)'],
    [key],
  )
}
