export { type Account, administratorRole } from './account.ts'
export type { Actor } from './actor.ts'
export {
  type AccountOrder,
  createAccount,
  firstAdministratorToken,
  type GivenAccount,
  orderAccount,
} from './administer.ts'
export { revokeSession, revokeSessions } from './administer-sessions.ts'
export { type Composing, compose } from './compose.ts'
export { type DetectorTarget, endByDetector, type LockRefusal, lockRefusal } from './detector-actions.ts'
export { eachAccount } from './each-account.ts'
export { canonicalEmail } from './email.ts'
export { ImportFault } from './import/fault.ts'
export {
  type ImportOptions,
  type ImportProgress,
  importAccounts,
  importColumns,
  type RefusedRow,
} from './import/import.ts'
export type { ImportFormat } from './import/records.ts'
export { accountsMigration, accountsTable } from './migration.ts'
export type { AccountsParts, From, PersonalRows } from './parts.ts'
export { recentSeconds } from './re-authenticate.ts'
export { Reason } from './routes/admin.ts'
export { fromOf } from './routes/exchange.ts'
export { accountRoutes } from './routes/index.ts'
export { accountByEmail, accountById, countAdministrators } from './store.ts'
