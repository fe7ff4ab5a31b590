export { type SessionActivity, sessionActivity } from './activity.ts'
export { allSessions, ownerOfSession, type SessionSearch } from './all-sessions.ts'
export { deviceName } from './device-name.ts'
export { revocationsMigration, sessionsMigration } from './migration.ts'
export { RefreshTokens } from './refresh-token.ts'
export {
  type LiveClaims,
  loadRevocations,
  type RevocationIndex,
  type RevocationOptions,
} from './revocations.ts'
export {
  defaultSessionLimits,
  type RevocationCause,
  type SessionLimits,
  type SessionRecord,
  type Transport,
} from './session.ts'
export {
  type EndReused,
  type OpenedSession,
  type Refreshed,
  type RefreshRequest,
  type SessionRequest,
  Sessions,
} from './sessions.ts'
