import { Recent } from '../base/index.ts'
import { type CredentialHeaders, cookieIn } from '../http/index.ts'
import { type Identify, parseBearer } from '../identity/index.ts'
import type { Principal } from '../route/index.ts'
import type { RevocationIndex } from '../sessions/index.ts'
import type { AccessClaims, AccessTokens } from '../tokens/index.ts'

/** Who sends a request, by the tokens of accounts. */
export interface AccountIdentity {
  readonly identify: Identify
  /** The same from memory alone, for an `Authorization` field that was found good lately. */
  readonly recall: (headers: CredentialHeaders) => Principal | undefined
}

/** An `Authorization` field that was found good. */
interface Recalled {
  readonly token: string
  readonly claims: AccessClaims
  readonly principal: Principal
}

const recalledCount = 10_000

/**
 * The identity of accounts: a bearer token, or the cookie where there is no Authorization field at all. A field that
 * holds anything else is no credential, and the cookie does not stand in for it: the cross-site gate has not looked
 * at a request that claims to bring a token of its own.
 *
 * What is recalled is asked again each time: whether the token has expired, its key still counts, its session lives.
 */
export function accountIdentity(tokens: AccessTokens, revocations: RevocationIndex): AccountIdentity {
  const recent = new Recent<Recalled>(recalledCount)
  const identify: Identify = ({ authorization, cookie }) => {
    const transport = authorization === undefined ? 'cookie' : 'bearer'
    const token = transport === 'bearer' ? parseBearer(authorization) : cookieIn(cookie, '__Host-access')
    if (token === null || token === undefined) return null
    const claims = tokens.verify(token)
    if (claims === null) return null
    const isLive = revocations.isLive(claims)
    if (typeof isLive !== 'boolean')
      return isLive.then((live) => (live ? principalOf(claims, transport) : null))
    if (!isLive) return null
    const principal = principalOf(claims, transport)
    if (authorization !== undefined) recent.put(authorization, { token, claims, principal })
    return principal
  }
  const recall: AccountIdentity['recall'] = ({ authorization }) => {
    const found = authorization === undefined ? undefined : recent.find(authorization)
    if (found === undefined || tokens.recall(found.token) !== found.claims) return undefined
    return revocations.isLive(found.claims) === true ? found.principal : undefined
  }
  return { identify, recall }
}

/** Frozen, because several requests get the same one. */
function principalOf(claims: AccessClaims, transport: 'bearer' | 'cookie'): Principal {
  const { sid: id, auth_time: authTimeSeconds, amr: methods } = claims
  return Object.freeze({
    id: claims.sub,
    roles: claims.roles,
    session: Object.freeze({ id, authTimeSeconds, methods, transport }),
  })
}
