import { type OperationNode, RawNode } from 'kysely'

// Version 4, from the database's own generator of unpredictable bytes: PostgreSQL 15 has no version 7.
const sqliteId =
  "lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-' || " +
  "substr('89ab', 1 + (abs(random()) % 4), 1) || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))"

/** A new UUID for each row that a select finds. @see RFC 9562 §5.4 */
export function newIdInSql(dialect: 'sqlite' | 'postgres'): OperationNode {
  return RawNode.createWithSql(dialect === 'sqlite' ? sqliteId : 'gen_random_uuid()')
}
