import { z } from 'zod'
import { Problem } from '../errors/index.ts'
import { normalizePassword } from '../passwords/index.ts'
import { endCredentials } from './end-sessions.ts'
import { type AccountsParts, type From, placeOf, timeAt } from './parts.ts'
import { provePassword } from './prove-password.ts'
import { credentialsRefused, requireEmail, tokenRefused } from './refusals.ts'
import { accountById } from './store.ts'

/** What the token of a new address carries. */
export const pendingEmail = z.object({ email: z.string() })

/**
 * Takes the wish for another address: it becomes the account's when the link in the mail to it is used. Whether it
 * has an account already is not looked at here.
 *
 * @throws UNAUTHENTICATED for a wrong password, VALIDATION_FAILED for what is no address
 * @see OWASP ASVS 5.0 §7.5.1, §6.3.7
 */
export async function changeEmail(
  parts: AccountsParts,
  request: { readonly userId: string; readonly email: string; readonly password: string },
  from: From,
): Promise<void> {
  const { db, outbox, mayMail } = parts
  const email = requireEmail(request.email)
  const account = await accountById(db, request.userId)
  if (account === null) throw credentialsRefused('no such account')
  const claim = { email: account.email, account, purpose: 're-authentication' as const }
  await provePassword(parts, claim, normalizePassword(request.password), from)
  if (!(await mayMail(email, from.address))) return
  await outbox.add(db, { kind: 'new-email', data: { userId: account.id, email } })
  outbox.wake()
}

/**
 * Makes a verified address the account's. The old one is told, and every session and link of before ends.
 *
 * @throws VALIDATION_FAILED for a token that does not work, and when somebody else has the address by now
 */
export async function confirmEmail(parts: AccountsParts, token: string, from: From): Promise<void> {
  const { singleUse, revocations, outbox, trail, nowMs } = parts
  const at = timeAt(nowMs())
  await trail
    .transact(async (trx, note) => {
      const consumed = await singleUse.consume(trx, 'change-email', token)
      if (consumed === null) throw tokenRefused()
      const { email } = pendingEmail.parse(consumed.data)
      const before = await accountById(trx, consumed.subject)
      if (before === null || before.disabledAt !== null) throw tokenRefused()
      await endCredentials(parts, trx, before.id, { cause: 'email-changed', at, change: { email } })
      const notice = { userId: before.id, oldEmail: before.email, at }
      await outbox.add(trx, { kind: 'email-changed', data: notice })
      note({ event: 'user_updated', userId: before.id, reason: 'e-mail address', ...placeOf(from) })
    })
    .catch((error: unknown) => {
      throw error instanceof Problem && error.code === 'CONFLICT' ? tokenRefused() : error
    })
  await revocations.noteCommitted()
  outbox.wake()
}
