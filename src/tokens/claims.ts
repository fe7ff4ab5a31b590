/** What an access token says. Times are seconds since 1970. @see RFC 9068 §2.2, RFC 7519 §4.1 */
export interface AccessClaims {
  readonly iss: string
  readonly aud: string
  /** The user id. */
  readonly sub: string
  /** The client; there is one, the application itself. */
  readonly client_id: string
  /** The session. */
  readonly sid: string
  /** The version of the account; a token of an older one is dead. */
  readonly ver: number
  readonly roles: readonly string[]
  /** RFC 8176. */
  readonly amr: readonly string[]
  readonly auth_time: number
  readonly jti: string
  readonly iat: number
  readonly exp: number
}

/** What must hold of every claim, beside the signature. */
export interface ClaimRules {
  readonly issuer: string
  readonly audience: string
  /** Now, in seconds. */
  readonly nowSeconds: number
  /** How long a token may live, in seconds. */
  readonly lifetimeSeconds: number
  /** How far a clock may be ahead, in seconds. */
  readonly skewSeconds: number
}

const textMaxChars = 255
const listMaxCount = 64

/**
 * The claims of a payload, or `null` when one of them is missing, is of another kind, or does not hold.
 *
 * @see RFC 8725 §3.8 to §3.11; OWASP ASVS 5.0 §9.2.1, §9.2.3
 */
export function claimsOf(payload: unknown, rules: ClaimRules): AccessClaims | null {
  if (typeof payload !== 'object' || payload === null || Array.isArray(payload)) return null
  const read = new Reader(payload)
  const claims: AccessClaims = {
    iss: read.text('iss'),
    aud: read.text('aud'),
    sub: read.text('sub'),
    client_id: read.text('client_id'),
    sid: read.text('sid'),
    ver: read.whole('ver'),
    roles: read.texts('roles'),
    amr: read.texts('amr'),
    auth_time: read.whole('auth_time'),
    jti: read.text('jti'),
    iat: read.whole('iat'),
    exp: read.whole('exp'),
  }
  return read.isWhole && holds(claims, rules) ? Object.freeze(claims) : null
}

function holds({ iss, aud, iat, exp, auth_time }: AccessClaims, rules: ClaimRules): boolean {
  const { issuer, audience, nowSeconds, lifetimeSeconds, skewSeconds } = rules
  return (
    iss === issuer &&
    aud === audience &&
    exp > nowSeconds &&
    // Milliseconds for seconds would make a token that lives for 50,000 years.
    iat <= nowSeconds + skewSeconds &&
    exp > iat &&
    exp - iat <= lifetimeSeconds &&
    auth_time <= nowSeconds + skewSeconds
  )
}

/** Reads members of an object; one that does not fit spoils the whole. */
class Reader {
  readonly #from: object
  /** False once a member was missing or did not fit. */
  isWhole = true

  constructor(from: object) {
    this.#from = from
  }

  text(name: string): string {
    const value = this.#own(name)
    return this.#isText(value) ? value : this.#spoil('')
  }

  whole(name: string): number {
    const value = this.#own(name)
    return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : this.#spoil(0)
  }

  texts(name: string): readonly string[] {
    const value = this.#own(name)
    if (!Array.isArray(value) || value.length > listMaxCount) return this.#spoil([])
    const list: readonly unknown[] = value
    return list.every((item) => this.#isText(item)) ? Object.freeze(list.map(String)) : this.#spoil([])
  }

  #own(name: string): unknown {
    return Object.hasOwn(this.#from, name) ? Reflect.get(this.#from, name) : undefined
  }

  #isText(value: unknown): value is string {
    return typeof value === 'string' && value.length > 0 && value.length <= textMaxChars
  }

  #spoil<T>(empty: T): T {
    this.isWhole = false
    return empty
  }
}
