import type { Resource, RowRule } from './resource.ts'

/** Every rule of a resource, also those that others are made of. */
export function rulesOf({ grants, insert, transfer }: Resource): RowRule[] {
  // The grants to read hold those to update and delete as well.
  return flatRules([...new Set([...Object.values(grants).flat(), ...insert, ...(transfer ?? [])])])
}

/** Rules, and those that they are made of. */
export function flatRules(rules: readonly RowRule[]): RowRule[] {
  return rules.flatMap((rule) =>
    rule.kind === 'any' || rule.kind === 'all' ? [rule, ...flatRules(rule.of)] : [rule],
  )
}

/** The columns of the row itself that rules look at. */
export function columnsOfRules(rules: readonly RowRule[]): ReadonlySet<string> {
  return new Set(
    flatRules(rules).flatMap((rule) =>
      rule.kind === 'caller-is' || rule.kind === 'column' || rule.kind === 'through' ? [rule.column] : [],
    ),
  )
}
