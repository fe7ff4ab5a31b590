const guardedPrefix = /^__(?:host|secure)-/i

/**
 * The first cookie name with a guarded prefix (`__Host-`, `__Secure-`) that stands twice in a Cookie field.
 *
 * A browser never sends such a name twice; whoever does tries to have one part of the server read the planted
 * cookie and another the real one.
 *
 * @see draft-ietf-httpbis-rfc6265bis §4.1.3
 */
export function repeatedGuardedCookie(header: string): string | undefined {
  const seen = new Set<string>()
  for (const pair of header.split(';')) {
    const name = pair.split('=', 1)[0]?.trim().toLowerCase() ?? ''
    if (!guardedPrefix.test(name)) continue
    if (seen.has(name)) return name
    seen.add(name)
  }
  return undefined
}
