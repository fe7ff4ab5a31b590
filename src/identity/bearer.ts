/** Longest bearer token that is looked at, in characters. */
export const bearerMaxChars = 4096

// One scheme, one space, one token: two credentials in one field, or anything around them, are no credential.
const pattern = /^bearer ([A-Za-z0-9._~+/-]+=*)$/i

/**
 * The token of an `Authorization` field; `null` for anything that is not exactly one bearer token.
 *
 * It never throws, whatever the field holds.
 *
 * @see RFC 6750 §2.1, RFC 9110 §11.1 (the scheme in any case); GHSA-xmf8-cvqr-rfgj (`Bearer %` crashed a server)
 */
export function parseBearer(authorization: string | undefined): string | null {
  if (authorization === undefined || authorization.length > 'Bearer '.length + bearerMaxChars) return null
  return pattern.exec(authorization)?.[1] ?? null
}
