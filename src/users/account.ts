/** An account. Times are ISO 8601 in UTC with milliseconds. */
export interface Account {
  /** A UUIDv7. */
  readonly id: string
  /** In its one spelling. */
  readonly email: string
  /** What the person wants to be called; may be empty. */
  readonly name: string
  /** In PHC form; `null` for an account that has no password yet. */
  readonly passwordHash: string | null
  /** The `ver` of access tokens; a token with a smaller one is dead. */
  readonly version: number
  /** Sorted, each once. */
  readonly roles: readonly string[]
  readonly createdAt: string
  readonly updatedAt: string
  readonly passwordChangedAt: string | null
  readonly lastLoginAt: string | null
  /** When an administrator disabled it; `null` for an account that works. */
  readonly disabledAt: string | null
}

/** The role that may manage accounts. */
export const administratorRole = 'admin'

/** Roles in the order and form in which they are kept. */
export function sortedRoles(roles: readonly string[]): readonly string[] {
  return [...new Set(roles)].sort()
}

/** Most characters of a name. */
export const nameMaxChars = 100

/**
 * A name as it is kept: no control characters, no line breaks, no direction marks that would make it read as
 * something else, and no longer than {@link nameMaxChars}; `null` when it cannot be kept.
 *
 * @see OWASP ASVS 5.0 §2.2.1; CVE-2021-42574 (bidirectional controls)
 */
export function plainName(text: string): string | null {
  const name = text.normalize('NFC').trim()
  return name.length > nameMaxChars || /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}]/u.test(name) ? null : name
}
