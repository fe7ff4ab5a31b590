import { z } from 'zod'
import { newId } from '../base/index.ts'
import { type AccountsParts, type From, placeOf, timeAt } from './parts.ts'
import { tokenRefused } from './refusals.ts'
import { insertAccount } from './store.ts'

/** What a registration carries until its address is verified. */
export const pendingRegistration = z.object({ email: z.string(), name: z.string(), passwordHash: z.string() })

/**
 * Makes the account of a registration whose mail has arrived.
 *
 * @throws VALIDATION_FAILED for a token that does not work, and when the address has got an account meanwhile
 * @see OWASP ASVS 5.0 §6.4.1
 */
export async function verifyEmail(
  { singleUse, trail, nowMs }: AccountsParts,
  token: string,
  from: From,
): Promise<void> {
  const id = newId(nowMs())
  await trail.transact(async (trx, note) => {
    const consumed = await singleUse.consume(trx, 'verify-email', token)
    if (consumed === null) throw tokenRefused()
    const { email, name, passwordHash } = pendingRegistration.parse(consumed.data)
    const account = { id, email, name, passwordHash, roles: [] }
    if (!(await insertAccount(trx, account, timeAt(nowMs())))) throw tokenRefused()
    await singleUse.forget(trx, email)
    note({ event: 'user_created', userId: id, ...placeOf(from) })
  })
}
