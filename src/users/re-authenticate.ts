import { Problem } from '../errors/index.ts'
import { normalizePassword } from '../passwords/index.ts'
import type { Principal, SessionFacts } from '../route/index.ts'
import { type AccountsParts, type From, placeOf } from './parts.ts'
import { provePassword } from './prove-password.ts'
import { credentialsRefused } from './refusals.ts'
import { openSession, type SignedIn, type Transport, tokensOf } from './sign-in.ts'
import { accountById } from './store.ts'

/** The session of a caller. @throws UNAUTHENTICATED for an identity that knows no sessions */
export function requireSession({ session }: Principal): SessionFacts {
  if (session === undefined) throw credentialsRefused('a credential without a session')
  return session
}

/** How long after a password was given it need not be given again, in seconds. */
export const recentSeconds = 900

/**
 * The session of a caller who has proved who they are a short while ago.
 *
 * @throws REAUTHENTICATION_REQUIRED (401)
 * @see RFC 9470 §3; OWASP ASVS 5.0 §7.5.1
 */
export function requireRecent({ session }: Principal, nowMs: number): SessionFacts {
  if (session !== undefined && nowMs / 1000 - session.authTimeSeconds <= recentSeconds) return session
  throw new Problem('REAUTHENTICATION_REQUIRED', 'the password was given too long ago', {
    headers: {
      'www-authenticate': `Bearer error="insufficient_user_authentication", max_age=${recentSeconds}`,
    },
  })
}

/**
 * Takes the password of somebody who is signed in once more. The session of before ends and a new one begins, so that
 * whoever may have fixed or copied the old one does not gain by it.
 *
 * @throws UNAUTHENTICATED, QUOTA_EXCEEDED
 */
export async function reAuthenticate(
  parts: AccountsParts,
  request: {
    readonly userId: string
    readonly sessionId: string
    readonly password: string
    readonly transport: Transport
  },
  from: From,
): Promise<SignedIn> {
  const { db, devices, sessions, revocations, trail } = parts
  const account = await accountById(db, request.userId)
  if (account === null || account.disabledAt !== null) throw credentialsRefused('no account that works')
  const claim = { email: account.email, account, purpose: 're-authentication' as const }
  await provePassword(parts, claim, normalizePassword(request.password), from)
  const { transport } = request
  const deviceId = devices.verify(from.device, account.email)?.deviceId ?? null
  const opened = await trail.transact(async (trx, note) => {
    const current = await accountById(trx, account.id)
    if (current === null || current.version !== account.version)
      throw credentialsRefused('the account has changed meanwhile')
    if (!(await sessions.end(trx, account.id, request.sessionId, 'logout')))
      throw credentialsRefused('the session has ended meanwhile')
    const proof = { transport, methods: ['pwd'], deviceId }
    const begun = await openSession(parts, trx, current, proof, from)
    const details = { before: request.sessionId, isNewDevice: false }
    note({
      event: 'session_created',
      userId: account.id,
      sessionId: begun.session.id,
      ...placeOf(from),
      details,
    })
    return begun
  })
  await revocations.noteCommitted()
  return tokensOf(parts, account, opened)
}
