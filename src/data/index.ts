export { migrateDown, migrateUp, migrationStatus, requireMigrated } from './migrations/migrate.ts'
export type { Migration, MigrationDatabase, MigrationReport } from './migrations/migration.ts'
export { isNoRow } from './no-row.ts'
export { type AnyTables, type Database, DatabaseFault, openDatabase } from './open.ts'
export { type CursorSeal, type Page, type PageRequest, type Pager, pagerWith } from './page.ts'
export {
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
} from './resource.ts'
export type { Scope } from './scope.ts'
export { loadRow, scopedDatabase } from './scoped/database.ts'
