import type { Resource, RowAction, RowRule, Scope } from '../data/index.ts'
import { Problem } from '../errors/index.ts'
import type { Values } from './stamps.ts'

/** Answers whether the caller may do something to a row of another table. */
export type AskParent = (table: string, key: unknown, action: RowAction) => Promise<boolean>

/**
 * Holds a new row, stamped already, against the rules about new rows.
 *
 * @throws `NOT_FOUND` when the parent is not the caller's, or no insert rule holds.
 */
export async function requireInsertable(
  resource: Resource,
  row: Values,
  scope: Scope,
  ask: AskParent,
): Promise<void> {
  const { owner, insert } = resource
  const isOwned = owner.kind !== 'through' || (await ask(owner.table, row[owner.column], 'owner'))
  if (isOwned && (insert.length === 0 || (await someHold(insert, row, scope, ask)))) return
  throw new Problem('NOT_FOUND', 'the row rules refuse this insert')
}

async function someHold(
  rules: readonly RowRule[],
  row: Values,
  scope: Scope,
  ask: AskParent,
): Promise<boolean> {
  for (const rule of rules) if (await holds(rule, row, scope, ask)) return true
  return false
}

async function holds(rule: RowRule, row: Values, scope: Scope, ask: AskParent): Promise<boolean> {
  switch (rule.kind) {
    case 'caller-is':
      return row[rule.column] === scope.userId
    case 'caller-has':
      return rule.roles.some((role) => scope.roles.includes(role))
    case 'any-caller':
      return true
    case 'column':
      return compares(row[rule.column], rule)
    case 'through':
      return await ask(rule.table, row[rule.column], rule.action)
    case 'granted':
      // Nothing can have been granted on a row that is not there yet.
      return false
    case 'any':
      return await someHold(rule.of, row, scope, ask)
    case 'all':
      for (const part of rule.of) if (!(await holds(part, row, scope, ask))) return false
      return true
    default:
      return rule satisfies never
  }
}

function compares(left: unknown, { operator, value }: Extract<RowRule, { kind: 'column' }>): boolean {
  if (value === null) return operator === '=' ? (left ?? null) === null : (left ?? null) !== null
  if (typeof left !== typeof value || (typeof left !== 'string' && typeof left !== 'number')) return false
  switch (operator) {
    case '=':
      return left === value
    case '<>':
      return left !== value
    case '<':
      return left < value
    case '<=':
      return left <= value
    case '>':
      return left > value
    case '>=':
      return left >= value
    default:
      return operator satisfies never
  }
}
