import type { MigrationDatabase } from '../data/index.ts'
import type { RevocationCause } from '../sessions/index.ts'
import type { Account } from './account.ts'
import { type AccountsParts, type From, placeOf } from './parts.ts'
import { changeAccount } from './store.ts'

/**
 * Ends every credential of an account: its version grows, its sessions end, the links in its mails stop working. All
 * endings of an account's credentials come through here, in the transaction of what ends them.
 *
 * @returns the account as it is now; `null` when it is not there
 * @see OWASP ASVS 5.0 §7.4.1, §7.4.2, §7.4.3; ADVISORIES: "revoke racing rotate", "session valid after logout"
 */
export async function endCredentials(
  { sessions, singleUse }: AccountsParts,
  db: MigrationDatabase,
  userId: string,
  { cause, at, change = {} }: Ending,
): Promise<Account | null> {
  const account = await changeAccount(db, userId, change, { at, endsTokens: true })
  if (account === null) return null
  await sessions.revoke(db, { userId, minimumVersion: account.version }, cause)
  await singleUse.forget(db, userId)
  return account
}

/** Why credentials end, and what changes with it. */
export interface Ending {
  readonly cause: RevocationCause
  readonly at: string
  readonly change?: Parameters<typeof changeAccount>[2]
}

/** Ends one session of an account. @returns false when it has no such session that lives */
export async function endSession(
  { sessions, revocations, trail }: AccountsParts,
  userId: string,
  sessionId: string,
  from: From,
): Promise<boolean> {
  const isEnded = await trail.transact(async (trx, note) => {
    if (!(await sessions.end(trx, userId, sessionId, 'logout'))) return false
    note({ event: 'session_logout', userId, sessionId, ...placeOf(from) })
    return true
  })
  if (!isEnded) return false
  await revocations.noteCommitted()
  return true
}

/** Ends every session of an account. */
export async function logoutEverywhere(parts: AccountsParts, userId: string, from: From): Promise<void> {
  const { revocations, trail, nowMs } = parts
  const at = new Date(nowMs()).toISOString()
  await trail.transact(async (trx, note) => {
    await endCredentials(parts, trx, userId, { cause: 'logout-everywhere', at })
    note({ event: 'session_logout', userId, reason: 'everywhere', ...placeOf(from) })
  })
  await revocations.noteCommitted()
}
