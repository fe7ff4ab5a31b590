import { normalizePassword } from '../passwords/index.ts'
import { canonicalEmail } from './email.ts'
import { type AccountsParts, type From, placeOf, timeAt } from './parts.ts'
import { holdPassword } from './prove-password.ts'
import { credentialsRefused } from './refusals.ts'
import { openSession, type SignedIn, type Transport, tokensOf } from './sign-in.ts'
import { accountByEmail, accountById, noteLogin } from './store.ts'

/** What somebody logs in with. */
export interface Login {
  readonly email: string
  readonly password: string
  readonly transport: Transport
}

/**
 * Logs somebody in. An address without an account, one with, a disabled one and a wrong password take the same way
 * and the same time, and get the same answer.
 *
 * @throws UNAUTHENTICATED; QUOTA_EXCEEDED after too many wrong ones; OVERLOADED when too many hash at once
 * @see OWASP ASVS 5.0 §6.3.1, §6.3.8, §7.2.4; NIST SP 800-63B-4 §3.2.2
 */
export async function login(parts: AccountsParts, request: Login, from: From): Promise<SignedIn> {
  const { db, devices, trail, nowMs, outbox, sessions } = parts
  // What is no address is counted and hashed like one: only the answer for a wrong password comes of it.
  const email = canonicalEmail(request.email) ?? request.email.toLowerCase()
  const account = await accountByEmail(db, email)
  const who = { email, account: account?.disabledAt === null ? account : null, purpose: 'login' as const }
  const proven = await holdPassword(parts, who, normalizePassword(request.password), from)
  if (account === null) throw credentialsRefused('no such account')
  const known = devices.verify(from.device, email)
  const device = known === null ? devices.issue(email) : undefined
  const proof = {
    transport: request.transport,
    methods: ['pwd'],
    deviceId: known?.deviceId ?? device?.deviceId ?? null,
  }
  const opened = await trail.transact(async (trx, note) => {
    const at = timeAt(nowMs())
    // Read again where it counts: it may have been disabled or changed while its password was hashed.
    const current = await accountById(trx, account.id)
    if (
      current === null ||
      current.disabledAt !== null ||
      current.passwordChangedAt !== account.passwordChangedAt
    )
      throw credentialsRefused('the account has changed meanwhile')
    // The account first: a reset of the password takes the two in the same order.
    await noteLogin(trx, account.id, at)
    await proven.succeeded(trx)
    const { address, userAgent } = from
    const isNewDevice =
      known === null &&
      account.lastLoginAt !== null &&
      !(await sessions.isFamiliar(trx, account.id, { address, userAgent }))
    if (isNewDevice) {
      await outbox.add(trx, { kind: 'new-device', data: { userId: account.id, at, address, userAgent } })
    }
    const opening = await openSession(parts, trx, current, proof, from)
    const facts = { userId: account.id, sessionId: opening.session.id, ...placeOf(from) }
    const isAfterFailure = proven.failedBeforeCount > 0
    note({ event: isAfterFailure ? 'authn_login_successafterfail' : 'authn_login_success', ...facts })
    note({ event: 'session_created', ...facts, details: { isNewDevice } })
    return { current, isNewDevice, ...opening }
  })
  if (opened.isNewDevice) outbox.wake()
  return tokensOf(parts, opened.current, opened, device?.value)
}
