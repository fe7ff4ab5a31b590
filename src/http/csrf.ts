/** What the cross-site gate looks at. */
export interface SiteFacts {
  readonly method: string
  readonly hasCookie: boolean
  readonly hasAuthorization: boolean
  /** The field `Sec-Fetch-Site`. */
  readonly fetchSite: string | undefined
  /** The field `Origin`. */
  readonly origin: string | undefined
}

/** Origins whose pages may act with a user's cookies. */
export interface TrustedOrigins {
  /** The public origin. */
  readonly own: string
  /** Origins that the operator listed, exactly. */
  readonly listed: ReadonlySet<string>
}

/**
 * Decides whether a request that a browser authenticates by itself, through a cookie, may change anything.
 *
 * A browser that sends Fetch Metadata has the word; for older ones the Origin must be ours or listed, and a
 * request that names neither is refused: absence is not trust. A page on a sibling domain counts as foreign
 * unless its origin is listed; a page of another site counts as foreign always.
 *
 * @see OWASP ASVS 5.0 §3.5.1, W3C Fetch Metadata
 */
export function isCrossSite(facts: SiteFacts, trusted: TrustedOrigins): boolean {
  if (facts.method === 'GET' || facts.method === 'HEAD' || facts.method === 'OPTIONS') return false
  // An Authorization header is never sent by a browser on its own; another site would need a preflight for it.
  if (!facts.hasCookie || facts.hasAuthorization) return false
  const { origin } = facts
  switch (facts.fetchSite) {
    case 'same-origin':
    case 'none':
      return false
    case 'same-site':
      return origin === undefined || !trusted.listed.has(origin)
    case undefined:
      return origin === undefined || !(origin === trusted.own || trusted.listed.has(origin))
    default:
      return true
  }
}
