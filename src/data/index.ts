export type { Engine, QueryGuard, QueryPlan, SessionIdentity } from './engine.ts'
export { DatabaseFault } from './fault.ts'
export { columnsOfRules, flatRules, rulesOf } from './flat-rules.ts'
export { type FollowedRow, followTable, type TableFollower } from './follow-table.ts'
export {
  type History,
  migrateDown,
  migrateUp,
  migrationStatus,
  requireMigrated,
} from './migrations/migrate.ts'
export type { Migration, MigrationDatabase, MigrationReport } from './migrations/migration.ts'
export { isNoRow } from './no-row.ts'
export { type AnyTables, type Database, openDatabase, openPostgres } from './open.ts'
export { type CursorSeal, type Page, type PageRequest, type Pager, pagerWith } from './page.ts'
export { applyPolicies, type PolicyParts, requirePolicies } from './policies/apply.ts'
export type { PostgresOptions } from './postgres/index.ts'
export {
  allOf,
  anyCaller,
  anyOf,
  type ColumnOperator,
  type ColumnTags,
  callerHas,
  callerIs,
  type FilledColumn,
  granted,
  type Ownership,
  type Resource,
  type ResourceDeclaration,
  type RowAction,
  type RowRule,
  resource,
  resourceOf,
  type ServerFill,
  shared,
  through,
  where,
} from './resource.ts'
export { withRetries } from './retry.ts'
export { isRetryable } from './retryable.ts'
export { ownerClause, ruleClause } from './rule-text.ts'
export type { Scope } from './scope.ts'
export { OwnedRows, type RowRequest, type RowsOptions } from './scoped/database.ts'
export type { Explanation, Verdict } from './scoped/explain.ts'
export { columnsOf } from './scoped/opaque.ts'
export { type PredicateRequest, type PredicateSql, predicateSql } from './scoped/predicate-sql.ts'
export type { InRequest } from './scoped/transaction.ts'
export type { FieldPlace, FieldVault } from './scoped/vault.ts'
