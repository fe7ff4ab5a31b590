import { type AccountsParts, type From, placeOf } from './parts.ts'
import { credentialsRefused } from './refusals.ts'
import { type SignedIn, type Transport, tokensOf } from './sign-in.ts'
import { accountById } from './store.ts'

/**
 * Changes a refresh token for the next one, and a new access token with the roles of now.
 *
 * @param transport How the token came; a session of the one transport is nothing on the other, so that a page cannot
 * turn the cookie it may not read into tokens that it can.
 * @throws UNAUTHENTICATED for a token that is unknown, past its time, ended, or was used before
 * @see RFC 9700 §4.14.2; OWASP ASVS 5.0 §10.4.5, §7.3
 */
export async function refresh(
  parts: AccountsParts,
  token: string,
  transport: Transport,
  from: From,
): Promise<SignedIn> {
  const { db, sessions, revocations, trail } = parts
  const { address, userAgent } = from
  const outcome = await sessions.refresh(token, { address, userAgent, transport }, ({ id, userId }, end) =>
    trail.transact(async (trx, note) => {
      await end(trx)
      const reason = 'a refresh token was used twice'
      note({ event: 'authn_token_reuse', userId, sessionId: id, ...placeOf(from), reason })
    }),
  )
  if (outcome.kind === 'refused') {
    const { session, why } = outcome
    if (why === 'reused') await revocations.noteCommitted()
    else if (session !== undefined) {
      const facts = { userId: session.userId, sessionId: session.id, ...placeOf(from) }
      trail.emit({ event: 'session_use_after_expire', ...facts, reason: why })
    }
    throw credentialsRefused(`refresh token: ${outcome.why}`)
  }
  const { session, refreshToken } = outcome
  const account = await accountById(db, session.userId)
  // The session of a disabled or deleted account has ended with it; this is the second lock on the same door.
  if (account === null || account.disabledAt !== null) throw credentialsRefused('no account that works')
  trail.emit({ event: 'session_renewed', userId: account.id, sessionId: session.id, ...placeOf(from) })
  return tokensOf(parts, account, { session, refreshToken })
}
