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

/**
 * The value of a cookie in a Cookie field; `undefined` when it is not there, or stands there more than once: then
 * nobody knows which of the two is the real one.
 *
 * @see draft-ietf-httpbis-rfc6265bis §4.2.1
 */
export function cookieIn(header: string | undefined, name: string): string | undefined {
  if (header === undefined) return undefined
  const start = `${name}=`
  const found = header
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(start))
  return found.length === 1 ? found[0]?.slice(start.length) : undefined
}
