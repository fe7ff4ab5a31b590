import { Problem } from '../errors/index.ts'
import type { EmitEvent } from '../events/index.ts'
import { ownerOfSession } from '../sessions/index.ts'
import { administratorRole } from './account.ts'
import { endCredentials } from './end-sessions.ts'
import { type AccountsParts, timeAt } from './parts.ts'
import { accountById, administratorIds, lockAdministrators } from './store.ts'

/** Whom a detector acts against. */
export type DetectorTarget = { readonly account: string } | { readonly session: string }

/** Why an account cannot be locked; `undefined` when it can. */
export type LockRefusal = 'last-administrator' | 'unknown-target' | undefined

/**
 * Holds the order of those who take administrators away, and looks whether somebody could still manage accounts
 * without this one. A detector that is wrong must not lock everybody out of what it has done.
 *
 * @param locked Asked for the accounts that are locked by now: they cannot stand in.
 */
export async function lockRefusal(
  db: AccountsParts['db'],
  userId: string,
  locked: () => Promise<ReadonlySet<string>>,
): Promise<LockRefusal> {
  await lockAdministrators(db)
  const account = await accountById(db, userId)
  if (account === null) return 'unknown-target'
  if (account.disabledAt !== null || !account.roles.includes(administratorRole)) return undefined
  const out = await locked()
  const others = (await administratorIds(db)).filter((id) => id !== userId && !out.has(id))
  return others.length === 0 ? 'last-administrator' : undefined
}

/**
 * Ends what a detector says is in the wrong hands, in its transaction: every credential of an account, or one session.
 * Tell the index of revocations after the commit.
 *
 * @throws NOT_FOUND when there is no such account or session by now
 * @see OWASP ASVS 5.0 §7.4.1
 */
export async function endByDetector(
  parts: AccountsParts,
  { db, note }: { readonly db: AccountsParts['db']; readonly note: EmitEvent },
  { target, detector }: { readonly target: DetectorTarget; readonly detector: string },
): Promise<void> {
  const reason = `by the detector ${detector}`
  if ('account' in target) {
    const userId = target.account
    const at = timeAt(parts.nowMs())
    const ended = await endCredentials(parts, db, userId, { cause: 'detector', at })
    if (ended === null) throw new Problem('NOT_FOUND', 'no such account')
    note({ event: 'authn_token_revoked', userId, reason, details: { sessions: 'all' } })
    return
  }
  const sessionId = target.session
  const userId = await ownerOfSession(db, sessionId)
  if (userId === null || !(await parts.sessions.end(db, userId, sessionId, 'detector')))
    throw new Problem('NOT_FOUND', 'no such session lives')
  note({ event: 'authn_token_revoked', userId, sessionId, reason })
}
