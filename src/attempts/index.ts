export { type Attempt, type AttemptRequest, type AttemptsParts, LoginAttempts } from './attempts.ts'
export { DeviceCookies, type KnownDevice } from './device-cookies.ts'
export { attemptsMigration } from './migration.ts'
