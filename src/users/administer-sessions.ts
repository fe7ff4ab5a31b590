import { Problem } from '../errors/index.ts'
import { ownerOfSession } from '../sessions/index.ts'
import { type Actor, actorOf, requireStillAdministrator } from './actor.ts'
import { endCredentials } from './end-sessions.ts'
import { type AccountsParts, type From, placeOf, timeAt } from './parts.ts'

/** Ends every session of somebody else. @throws NOT_FOUND */
export async function revokeSessions(
  parts: AccountsParts,
  { actor, userId, reason }: { readonly actor: Actor; readonly userId: string; readonly reason: string },
  from: From,
): Promise<void> {
  const at = timeAt(parts.nowMs())
  const ended = await parts.trail.transact(async (trx, note) => {
    await requireStillAdministrator(trx, actor)
    const account = await endCredentials(parts, trx, userId, { cause: 'administrator', at })
    const facts = { userId, ...actorOf(actor), ...placeOf(from), reason }
    if (account !== null) note({ event: 'authn_token_revoked', ...facts, details: { sessions: 'all' } })
    return account
  })
  if (ended === null) throw new Problem('NOT_FOUND', 'no such account')
  await parts.revocations.noteCommitted()
}

/** Ends one session, whoever's it is. @throws NOT_FOUND when it does not live */
export async function revokeSession(
  parts: AccountsParts,
  {
    actor,
    sessionId,
    reason,
  }: { readonly actor: Actor; readonly sessionId: string; readonly reason: string },
  from: From,
): Promise<void> {
  const userId = await ownerOfSession(parts.db, sessionId)
  const isEnded =
    userId !== null &&
    (await parts.trail.transact(async (trx, note) => {
      await requireStillAdministrator(trx, actor)
      if (!(await parts.sessions.end(trx, userId, sessionId, 'administrator'))) return false
      note({ event: 'authn_token_revoked', userId, sessionId, ...actorOf(actor), ...placeOf(from), reason })
      return true
    }))
  if (!isEnded) throw new Problem('NOT_FOUND', 'no such session lives')
  await parts.revocations.noteCommitted()
}
