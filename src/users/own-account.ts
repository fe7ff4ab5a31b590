import { Problem } from '../errors/index.ts'
import type { Principal } from '../route/index.ts'
import type { SessionRecord } from '../sessions/index.ts'
import type { Account } from './account.ts'
import { endCredentials } from './end-sessions.ts'
import { type AccountsParts, type From, placeOf, timeAt } from './parts.ts'
import { requireRecent } from './re-authenticate.ts'
import { credentialsRefused, requireName } from './refusals.ts'
import {
  accountById,
  changeAccount,
  deleteAccountRow,
  hasAdministrator,
  lockAdministrators,
} from './store.ts'

/** The caller's account. @throws UNAUTHENTICATED when it is gone by now */
export async function ownAccount({ db }: AccountsParts, userId: string): Promise<Account> {
  const account = await accountById(db, userId)
  if (account === null) throw credentialsRefused('no such account')
  return account
}

/** Changes what a person may change of their own account: the name. */
export async function renameOwn(
  { trail, nowMs }: AccountsParts,
  userId: string,
  text: string,
  from: From,
): Promise<Account> {
  const at = timeAt(nowMs())
  const name = requireName(text)
  return await trail.transact(async (trx, note) => {
    const changed = await changeAccount(trx, userId, { name }, { at, endsTokens: false })
    if (changed === null) throw credentialsRefused('no such account')
    note({ event: 'user_updated', userId, reason: 'name', ...placeOf(from) })
    return changed
  })
}

/**
 * Deletes the caller's account with everything that is theirs. Every credential dies with it, in the same transaction.
 *
 * @throws REAUTHENTICATION_REQUIRED; CONFLICT for the last administrator
 * @see OWASP ASVS 5.0 §7.4.2, §7.5.1, §14.2.7; GHSA-2vg6-77g8-24mp (sessions that outlived a deleted user)
 */
export async function deleteOwn(parts: AccountsParts, caller: Principal, from: From): Promise<void> {
  const { rows, revocations, outbox, trail, nowMs } = parts
  requireRecent(caller, nowMs())
  const at = timeAt(nowMs())
  await trail.transact(async (trx, note) => {
    await lockAdministrators(trx)
    const account = await accountById(trx, caller.id)
    if (account === null) throw credentialsRefused('no such account')
    await requireAdministratorBeside(trx, account)
    await endCredentials(parts, trx, account.id, { cause: 'deleted', at })
    await parts.sessions.forget(trx, account.id)
    await rows.remove(trx, account.id)
    await deleteAccountRow(trx, account.id)
    await outbox.add(trx, { kind: 'account-deleted', data: { email: account.email, at } })
    note({ event: 'user_deleted', userId: caller.id, ...placeOf(from) })
  })
  await revocations.noteCommitted()
  outbox.wake()
}

/** @throws CONFLICT when without this account nobody could manage accounts any more */
export async function requireAdministratorBeside(db: AccountsParts['db'], account: Account): Promise<void> {
  if (!account.roles.includes('admin') || account.disabledAt !== null) return
  if (!(await hasAdministrator(db, account.id)))
    throw new Problem('CONFLICT', 'the last administrator cannot go')
}

/** Everything that is kept of a person, without what only the server must know. */
export interface OwnExport {
  readonly account: Omit<Account, 'passwordHash' | 'version'>
  readonly sessions: readonly SessionRecord[]
  /** By table. */
  readonly rows: Readonly<Record<string, readonly unknown[]>>
}

/** Everything that is kept of the caller, without what only the server must know. @see GDPR Art. 15, 20 */
export async function exportOwn(parts: AccountsParts, userId: string): Promise<OwnExport> {
  const { passwordHash: _, version: __, ...account } = await ownAccount(parts, userId)
  const sessions = await parts.sessions.list(userId)
  return {
    account,
    sessions,
    rows: await parts.rows.read(userId),
  }
}
