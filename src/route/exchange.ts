/** What Holdfast's own routes see of a request beside its input, and may put on the reply. Applications never get it. */
export interface Exchange {
  /** The client's address, normalised. */
  readonly clientAddress: string
  /** `POST /api/auth/login`: method and pattern. */
  readonly route: string
  /** The field `User-Agent`, at most 512 characters of it. */
  readonly userAgent: string
  /** A cookie of the request; `undefined` when it is not there. */
  readonly cookie: (name: string) => string | undefined
  /** Sets a cookie on the reply. */
  readonly setCookie: (cookie: ReplyCookie) => void
  /**
   * Tells the browser to forget what it keeps of this origin: what pages have stored, or the cookies too.
   *
   * @see W3C Clear-Site-Data; OWASP ASVS 5.0 §14.3.1
   */
  readonly clearSiteData: (what: 'stored' | 'everything') => void
}

/**
 * A cookie of the reply. All have the prefix `__Host-` and are `HttpOnly; Secure; SameSite=Strict; Path=/`.
 *
 * @see draft-ietf-httpbis-rfc6265bis §4.1.3.2; OWASP ASVS 5.0 §3.3.1 to §3.3.4
 */
export interface ReplyCookie {
  /** The name without its prefix: `access` for `__Host-access`. */
  readonly name: 'access' | 'refresh' | 'device'
  /** Empty to delete it. */
  readonly value: string
  /** How long the browser keeps it; 0 deletes it. */
  readonly maxAgeSeconds: number
}
