import { addressKey } from '../base/index.ts'
import { normalizePassword } from '../passwords/index.ts'
import { canonicalEmail } from './email.ts'
import { endCredentials } from './end-sessions.ts'
import { type AccountsParts, type From, placeOf, timeAt } from './parts.ts'
import { provePassword } from './prove-password.ts'
import { credentialsRefused, requireGood, tokenRefused } from './refusals.ts'
import { openSession, type SignedIn, type Transport, tokensOf } from './sign-in.ts'
import { accountById } from './store.ts'

/**
 * Takes the wish for a new password. Like registering it does not look whether the address has an account.
 *
 * @see OWASP ASVS 5.0 §6.3.8, §6.4.3
 */
export async function forgotPassword(
  { db, outbox, mayMail }: AccountsParts,
  text: string,
  { address }: From,
): Promise<void> {
  const email = canonicalEmail(text)
  // Not told from any other: what is no address has no account.
  if (email === null || !(await mayMail(email, address))) return
  await outbox.add(db, { kind: 'password-forgotten', data: { email } })
  outbox.wake()
}

/**
 * Sets a new password with the token from a mail, and ends every session and link of before.
 *
 * @throws VALIDATION_FAILED for a token that does not work, and for a password that the policy refuses: then the
 * token still works
 * @see OWASP ASVS 5.0 §6.4.3, §7.4.3
 */
export async function resetPassword(
  parts: AccountsParts,
  { token, password: text }: { readonly token: string; readonly password: string },
  from: From,
): Promise<void> {
  const { db, singleUse, attempts, revocations, outbox, trail, nowMs } = parts
  const subject = await singleUse.peek(db, 'reset-password', token)
  const account = subject === null ? null : await accountById(db, subject)
  if (account === null || account.disabledAt !== null) throw tokenRefused()
  const passwordHash = await newHash(parts, account, { text, path: '/body/password' }, from)
  const at = timeAt(nowMs())
  await trail.transact(async (trx, note) => {
    const consumed = await singleUse.consume(trx, 'reset-password', token)
    if (consumed?.subject !== account.id) throw tokenRefused()
    const change = { passwordHash, passwordChangedAt: at }
    const changed = await endCredentials(parts, trx, account.id, { cause: 'password-reset', at, change })
    if (changed === null || changed.disabledAt !== null) throw tokenRefused()
    await attempts.clear(changed.email, trx)
    await outbox.add(trx, { kind: 'password-changed', data: { userId: account.id, at } })
    note({ event: 'authn_password_change', userId: account.id, reason: 'reset by mail', ...placeOf(from) })
  })
  await revocations.noteCommitted()
  outbox.wake()
}

/**
 * Changes the password of somebody who knows the old one. Every credential of before is dead; a client with cookies
 * gets a new session with the reply.
 *
 * @throws UNAUTHENTICATED for a wrong current password, VALIDATION_FAILED for a new one that the policy refuses
 * @see OWASP ASVS 5.0 §6.2.3, §7.4.3
 */
export async function changePassword(
  parts: AccountsParts,
  request: {
    readonly userId: string
    readonly currentPassword: string
    readonly newPassword: string
    readonly transport: Transport
  },
  from: From,
): Promise<SignedIn | null> {
  const { db, revocations, outbox, trail, nowMs } = parts
  const account = await accountById(db, request.userId)
  if (account === null) throw credentialsRefused('no such account')
  const claim = { email: account.email, account, purpose: 'password-change' as const }
  await provePassword(parts, claim, normalizePassword(request.currentPassword), from)
  const passwordHash = await newHash(
    parts,
    account,
    { text: request.newPassword, path: '/body/newPassword' },
    from,
  )
  const at = timeAt(nowMs())
  const signedIn = await trail.transact(async (trx, note) => {
    const current = await accountById(trx, account.id)
    // Two who change it at once: the second has proved a password that is no longer the one.
    if (current?.passwordChangedAt !== account.passwordChangedAt)
      throw credentialsRefused('changed meanwhile')
    const change = { passwordHash, passwordChangedAt: at }
    const changed = await endCredentials(parts, trx, account.id, { cause: 'password-changed', at, change })
    if (changed === null) throw credentialsRefused('no such account')
    await outbox.add(trx, { kind: 'password-changed', data: { userId: account.id, at } })
    note({ event: 'authn_password_change', userId: account.id, ...placeOf(from) })
    if (request.transport === 'bearer') return null
    const proof = { transport: 'cookie' as const, methods: ['pwd'], deviceId: null }
    return { changed, opened: await openSession(parts, trx, changed, proof, from) }
  })
  await revocations.noteCommitted()
  outbox.wake()
  return signedIn === null ? null : tokensOf(parts, signedIn.changed, signedIn.opened)
}

async function newHash(
  { policy, hashing }: AccountsParts,
  about: { readonly email: string; readonly name: string },
  { text, path }: { readonly text: string; readonly path: string },
  from: From,
): Promise<string> {
  const password = normalizePassword(text)
  requireGood(await policy.check(password, { email: about.email, name: about.name }), path)
  return await hashing.hash(password, addressKey(from.address))
}
