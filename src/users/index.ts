export { type Account, administratorRole } from './account.ts'
export {
  type AccountOrder,
  type Actor,
  createAccount,
  firstAdministratorToken,
  type GivenAccount,
  orderAccount,
  revokeSessions,
} from './administer.ts'
export { type Composing, compose } from './compose.ts'
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
export { accountRoutes } from './routes/index.ts'
export { accountByEmail, accountById } from './store.ts'
