import { Problem } from '../errors/index.ts'
import type { PasswordFault } from '../passwords/index.ts'
import { plainName } from './account.ts'
import { canonicalEmail } from './email.ts'

/** Wrong address, wrong password, no such account, a disabled one: nobody can tell which. */
export function credentialsRefused(reason: string): Problem {
  return new Problem('UNAUTHENTICATED', reason, { headers: { 'www-authenticate': 'Bearer' } })
}

/** A token from a mail that does not work, for whatever reason. */
export function tokenRefused(): Problem {
  return invalid('/body/token', 'is unknown, was used, or is past its time: ask for a new mail')
}

/** One member of the input that does not fit. @param message Never names what was sent. */
export function invalid(path: string, message: string): Problem {
  return new Problem('VALIDATION_FAILED', `${path} ${message}`, { errors: [{ path, message }] })
}

/** The address in its one spelling. @throws VALIDATION_FAILED */
export function requireEmail(text: string, path = '/body/email'): string {
  const email = canonicalEmail(text)
  if (email === null) throw invalid(path, 'expected one plain e-mail address')
  return email
}

/** The name as it is kept. @throws VALIDATION_FAILED */
export function requireName(text: string): string {
  const name = plainName(text)
  if (name === null) throw invalid('/body/name', 'expected up to 100 characters without control characters')
  return name
}

/** @throws VALIDATION_FAILED for a password that the policy refuses, with the reason. */
export function requireGood(fault: PasswordFault | null, path: string): void {
  if (fault !== null) throw invalid(path, fault.message)
}
