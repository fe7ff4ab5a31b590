import { newId, Recent } from '../base/index.ts'
import { type AccessClaims, claimsOf } from './claims.ts'
import { accessSeconds, skewSeconds } from './rotate.ts'
import type { SigningKeys, VerifyingKey } from './signing-keys.ts'

/** For whom a token is made. */
export interface AccessGrant {
  /** The user id. */
  readonly sub: string
  /** The session id. */
  readonly sid: string
  /** The version of the account. */
  readonly ver: number
  readonly roles: readonly string[]
  readonly amr: readonly string[]
  /** When they last proved who they are, in seconds since 1970. */
  readonly authTimeSeconds: number
}

/** A public key as others read it. @see RFC 7517, RFC 8037 §2 */
export interface PublicJwk {
  readonly kty: 'OKP'
  readonly crv: 'Ed25519'
  readonly x: string
  readonly kid: string
  readonly alg: 'EdDSA'
  readonly use: 'sig'
}

/** Access tokens: made, and verified without asking anybody. */
export interface AccessTokens {
  /** Makes a token. */
  sign(grant: AccessGrant): {
    readonly token: string
    readonly expiresInSeconds: number
    readonly jti: string
  }
  /** What a token says; `null` for anything that is not an access token of ours that is valid now. Never throws. */
  verify(token: string): AccessClaims | null
  /** The same of a token that was verified lately and is still valid; `undefined` for any other. Never throws. */
  recall(token: string): AccessClaims | undefined
  /** The public keys. */
  jwks(): { readonly keys: readonly PublicJwk[] }
  readonly lifetimeSeconds: number
}

/** Whose tokens they are. */
export interface AccessTokensOptions {
  /** The `iss` and `aud`: the public origin, once it is known. */
  readonly origin: () => string
  /** How many verified tokens are remembered; 10,000 unless given. */
  readonly cacheMaxCount?: number
  /** The wall clock, in milliseconds since 1970. */
  readonly nowMs?: () => number
}

/** Longest token that is looked at, in characters. */
export const tokenMaxChars = 4096

const clientId = 'app'
const defaultCacheMaxCount = 10_000
const signatureChars = 86

/**
 * Access tokens under these keys.
 *
 * A token's header must be, letter by letter, the one that we write for one of our keys. So there is no algorithm to
 * choose, no `jku`, `jwk` or `x5u` to follow, no `crit` to understand and no second way to spell any of it: the
 * header is not parsed at all, it is looked up.
 *
 * @see RFC 8725 §3.1, §3.2, §3.11, RFC 9068 §4; OWASP ASVS 5.0 §9.1.1 to §9.1.3, §9.2.1 to §9.2.4
 * @example accessTokens(keys, { origin: () => settings.publicOrigin }).verify(token)?.sub
 */
export function accessTokens(keys: SigningKeys, options: AccessTokensOptions): AccessTokens {
  const { origin, cacheMaxCount = defaultCacheMaxCount, nowMs = Date.now } = options
  // By their whole text: no two tokens can meet (CVE-2026-35039).
  const cache = new Recent<Verified>(cacheMaxCount)
  let headers = new Map<string, VerifyingKey>()
  let generation = -1

  /** Everything that depends on the keys is made anew when they change: a withdrawn key takes its tokens with it. */
  function followKeys(): void {
    if (generation === keys.generation) return
    generation = keys.generation
    headers = new Map(keys.verifying.map((key) => [headerOf(key.id), key]))
    cache.clear()
  }

  function verifyNew(token: string, nowSeconds: number): { claims: AccessClaims; key: VerifyingKey } | null {
    const first = token.indexOf('.')
    const last = token.lastIndexOf('.')
    const key = headers.get(token.slice(0, Math.max(first, 0)))
    if (key === undefined) {
      keys.noteUnknown()
      return null
    }
    const signatureText = token.slice(last + 1)
    if (last <= first || signatureText.length !== signatureChars) return null
    const signature = Buffer.from(signatureText, 'base64url')
    // One spelling of each signature: base64url leaves bits that a decoder does not look at.
    if (signature.toString('base64url') !== signatureText) return null
    // As UTF-8, so that a letter outside of ASCII cannot pass for the one of which it has the last byte.
    if (!key.verify(Buffer.from(token.slice(0, last)), signature)) return null
    const payload = parsed(Buffer.from(token.slice(first + 1, last), 'base64url').toString())
    const rules = {
      issuer: origin(),
      audience: origin(),
      nowSeconds,
      lifetimeSeconds: accessSeconds,
      skewSeconds,
    }
    const claims = claimsOf(payload, rules)
    return claims === null ? null : { claims, key }
  }

  return {
    lifetimeSeconds: accessSeconds,
    sign(grant) {
      const claims = newClaims(grant, origin(), nowMs())
      const { id, sign } = keys.active
      const signed = `${headerOf(id)}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}`
      const token = `${signed}.${sign(Buffer.from(signed)).toString('base64url')}`
      return { token, expiresInSeconds: accessSeconds, jti: claims.jti }
    },
    recall(token) {
      followKeys()
      const known = cache.find(token)
      return known !== undefined && isValid(known, nowMs()) ? known.claims : undefined
    },
    verify(token) {
      if (token.length > tokenMaxChars) return null
      followKeys()
      const now = nowMs()
      const known = cache.find(token)
      if (known !== undefined) return isValid(known, now) ? known.claims : null
      const verified = verifyNew(token, now / 1000)
      if (verified === null || verified.key.verifiesUntilMs <= now) return null
      cache.put(token, verified)
      return verified.claims
    },
    jwks: () => ({ keys: keys.verifying.map(jwkOf) }),
  }
}

function isValid({ claims, key }: Verified, nowMs: number): boolean {
  return claims.exp * 1000 > nowMs && key.verifiesUntilMs > nowMs
}

function newClaims({ authTimeSeconds, ...grant }: AccessGrant, origin: string, nowMs: number): AccessClaims {
  const iat = Math.floor(nowMs / 1000)
  return {
    ...{ iss: origin, aud: origin, client_id: clientId },
    ...grant,
    ...{ auth_time: authTimeSeconds, jti: newId(nowMs), iat, exp: iat + accessSeconds },
  }
}

function headerOf(kid: string): string {
  return Buffer.from(JSON.stringify({ alg: 'EdDSA', typ: 'at+jwt', kid })).toString('base64url')
}

function jwkOf({ id, publicKey }: VerifyingKey): PublicJwk {
  const x = publicKey.toString('base64url')
  return { kty: 'OKP', crv: 'Ed25519', x, kid: id, alg: 'EdDSA', use: 'sig' }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

interface Verified {
  readonly claims: AccessClaims
  readonly key: VerifyingKey
}
