import type { DeviceCookies, LoginAttempts } from '../attempts/index.ts'
import type { AuditTrail } from '../audit/index.ts'
import type { MigrationDatabase } from '../data/index.ts'
import type { EventPlace } from '../events/index.ts'
import type { Outbox } from '../mail/index.ts'
import type { PasswordHashing, PasswordPolicy } from '../passwords/index.ts'
import type { RevocationIndex, Sessions } from '../sessions/index.ts'
import type { SingleUseTokens } from '../single-use/index.ts'
import type { AccessTokens } from '../tokens/index.ts'

/** What accounts are made of; `app/` hands it over. */
export interface AccountsParts {
  /** Without row rules. */
  readonly db: MigrationDatabase
  readonly hashing: PasswordHashing
  readonly policy: PasswordPolicy
  readonly singleUse: SingleUseTokens
  readonly outbox: Outbox
  readonly attempts: LoginAttempts
  readonly devices: DeviceCookies
  readonly sessions: Sessions
  readonly revocations: RevocationIndex
  readonly tokens: AccessTokens
  /** The roles there are. */
  readonly roles: readonly string[]
  /** Rows of the application that belong to people. */
  readonly rows: PersonalRows
  /** False when one address has been sent enough mail for now. */
  readonly mayMail: (email: string, address: string) => Promise<boolean>
  /** What happens to accounts stands in it, in the same transaction. */
  readonly trail: AuditTrail
  /** A name for an address in events that tells it from others, and from which nobody learns it. */
  readonly pseudonymOf: (email: string) => string
  readonly nowMs: () => number
}

/** What an application keeps of a person. */
export interface PersonalRows {
  /** Every row of theirs, by table, as they themselves may see it. */
  read(userId: string): Promise<Readonly<Record<string, readonly unknown[]>>>
  /** Removes all of it, in the transaction that removes the account. */
  remove(db: MigrationDatabase, userId: string): Promise<void>
}

/** Where a request comes from. */
export interface From {
  /** The client's address, normalised. */
  readonly address: string
  readonly userAgent: string
  /** The device cookie, whatever it holds. */
  readonly device: string | undefined
  readonly requestId: string
  /** `POST /api/auth/login`; none for a job of the command line. */
  readonly route?: string
}

/** The part of an event that says where it came from. */
export function placeOf({ address, requestId, route }: From): EventPlace {
  return { address, requestId, ...(route === undefined ? {} : { route }) }
}

/** The time as tables hold it. */
export function timeAt(nowMs: number): string {
  return new Date(nowMs).toISOString()
}
