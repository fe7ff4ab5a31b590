export { type BreachSource, isBreached } from './breached.ts'
export { type HashingOptions, type PasswordHashing, passwordHashing } from './hashing.ts'
export {
  maximumChars,
  minimumChars,
  minimumCharsWithFactor,
  normalizePassword,
  type PasswordFault,
  type PasswordOwner,
  type PasswordPolicy,
  passwordPolicy,
} from './policy.ts'
export type { HashPlaces } from './queue.ts'
export { hashCostMigration, settledCost, storedCost } from './stored-cost.ts'
