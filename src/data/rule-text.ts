import type { ColumnOperator, Ownership, RowRule } from './resource.ts'

/** Who owns the rows, as one English clause. */
export function ownerClause(owner: Ownership): string {
  switch (owner.kind) {
    case 'column':
      return `the caller named by ${owner.column}`
    case 'through':
      return `whoever owns the row of ${owner.table} that ${owner.column} names`
    case 'shared':
      return `nobody: ${owner.reason}`
    default:
      return owner satisfies never
  }
}

/** One row rule as an English clause. */
export function ruleClause(rule: RowRule): string {
  switch (rule.kind) {
    case 'caller-is':
      return `the caller named by ${rule.column}`
    case 'caller-has':
      return `callers with the role ${rule.roles.join(' or ')}`
    case 'any-caller':
      return `every signed-in caller: ${rule.reason}`
    case 'column':
      return `where ${rule.column} ${operatorClause(rule.operator)} ${rule.value === null ? 'empty' : rule.value}`
    case 'through':
      return rule.action === 'owner'
        ? `whoever owns the row of ${rule.table} that ${rule.column} names`
        : `whoever may ${rule.action} the row of ${rule.table} that ${rule.column} names`
    case 'granted': {
      const narrowed = Object.entries(rule.where).map(([column, value]) => ` and ${column} is ${value}`)
      return `the caller named by ${rule.user} in a row of ${rule.table} whose ${rule.row} is this row${narrowed.join('')}`
    }
    case 'any':
      return rule.of.map(ruleClause).join(', or ')
    case 'all':
      return rule.of.map(ruleClause).join(', and only ')
    default:
      return rule satisfies never
  }
}

function operatorClause(operator: ColumnOperator): string {
  const words: Readonly<Record<ColumnOperator, string>> = {
    '=': 'is',
    '<>': 'is not',
    '<': 'is below',
    '<=': 'is at most',
    '>': 'is above',
    '>=': 'is at least',
  }
  return words[operator]
}
