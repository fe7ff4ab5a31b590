import { addressKey } from '../base/index.ts'
import type { Account } from './account.ts'
import { type AccountsParts, type From, placeOf } from './parts.ts'
import { credentialsRefused } from './refusals.ts'
import { upgradeHash } from './store.ts'

/** Whose password it is said to be. */
export interface Claim {
  /** What attempts are counted under: the address in its one spelling. */
  readonly email: string
  /** `null` for an address without an account, and for one that is disabled. */
  readonly account: Account | null
  readonly purpose: 'login' | 'password-change' | 're-authentication'
}

/** A password that was right. */
export interface Proven {
  readonly failedBeforeCount: number
  /** Ends the row of failures; until then the attempt counts as one. */
  readonly succeeded: (db?: AccountsParts['db']) => Promise<void>
}

/** Holds a password against an account, and ends its row of failures. @throws as {@link holdPassword} does */
export async function provePassword(
  parts: AccountsParts,
  claim: Claim,
  password: string,
  from: From,
): Promise<void> {
  const { succeeded } = await holdPassword(parts, claim, password, from)
  await succeeded()
}

/**
 * Holds a password against an account. Every way on which a password can be tried comes through here, so that all of
 * them share one counter; it counts before anything is hashed.
 *
 * @param password In NFC.
 * @throws UNAUTHENTICATED, QUOTA_EXCEEDED, OVERLOADED
 * @see CVE-2026-9798 (a second way to try a password, without the lock of the first)
 */
export async function holdPassword(
  parts: AccountsParts,
  { email, account, purpose }: Claim,
  password: string,
  from: From,
): Promise<Proven> {
  const { attempts, hashing, trail, outbox, pseudonymOf } = parts
  const { address } = from
  const attempt = await attempts.begin({ account: email, address, device: from.device })
  const verdict = await hashing
    .verify(password, account?.passwordHash ?? null, addressKey(address))
    .catch(async (error: unknown) => {
      await attempt.abandoned()
      throw error
    })
  if (!verdict.isRight || account === null) {
    // The pseudonym tells apart who was tried where there is no account, and says nobody's address.
    const details = { account: pseudonymOf(email), purpose }
    const facts = { userId: account?.id ?? null, ...placeOf(from), details }
    trail.emit({ event: purpose === 'login' ? 'authn_login_fail' : 'authn_password_change_fail', ...facts })
    if (attempt.isLast) {
      // The same row for an address without an account; no mail comes of it.
      await trail.transact(async (trx, note) => {
        await outbox.add(trx, { kind: 'sign-in-disabled', data: { email } })
        note({ event: 'authn_login_lock', ...facts, reason: 'too many failures in a row' })
      })
      outbox.wake()
    }
    throw credentialsRefused('wrong password or no such account')
  }
  if (verdict.isOutdated) rehash(parts, account, password, addressKey(address))
  return attempt
}

/** Puts a hash of today's strength in the place of an old one, after the reply: nobody waits for it. */
function rehash(
  { hashing, db }: AccountsParts,
  { id, passwordHash }: Account,
  password: string,
  from: string,
): void {
  if (passwordHash === null) return
  hashing
    .hash(password, from)
    .then((to) => upgradeHash(db, id, { from: passwordHash, to }))
    // When the queue is full or the database away, the next login does it.
    .catch(() => undefined)
}
