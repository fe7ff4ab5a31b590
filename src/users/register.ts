import { addressKey } from '../base/index.ts'
import { normalizePassword } from '../passwords/index.ts'
import type { AccountsParts, From } from './parts.ts'
import { requireEmail, requireGood, requireName } from './refusals.ts'

/** What somebody registers with. */
export interface Registration {
  readonly email: string
  readonly password: string
  readonly name?: string | undefined
}

/**
 * Takes a registration. Whether the address has an account is not even looked at here, so neither the reply nor the
 * time it takes can tell; the worker that makes the mail finds out. There is no account until the link in the mail
 * is used, so nobody can hold one for an address that is not theirs.
 *
 * @throws VALIDATION_FAILED for an address, name or password that cannot be; OVERLOADED when too many hash at once
 * @see OWASP ASVS 5.0 §6.3.8; GHSA-g38m-r43w-p2q7 (an account made before its owner came)
 */
export async function register(
  { hashing, policy, outbox, db, mayMail }: AccountsParts,
  registration: Registration,
  from: From,
): Promise<void> {
  const email = requireEmail(registration.email)
  const name = requireName(registration.name ?? '')
  const password = normalizePassword(registration.password)
  requireGood(await policy.check(password, { email, name }), '/body/password')
  const passwordHash = await hashing.hash(password, addressKey(from.address))
  if (!(await mayMail(email, from.address))) return
  await outbox.add(db, { kind: 'registration', data: { email, name, passwordHash } })
  outbox.wake()
}
