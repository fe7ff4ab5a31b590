import { Problem } from '../errors/index.ts'

// A client that is told to come back in a year keeps nothing of it; a day is as good.
const maxRetrySeconds = 86_400

/**
 * The refusal of whoever is banned: the same for everybody, with nothing about why.
 *
 * @param forMs How long the ban still lasts, in milliseconds.
 * @see draft-ietf-httpapi-ratelimit-headers-11, `abnormal-usage-detected`
 */
export function bannedProblem(forMs: number): Problem {
  const seconds = Math.min(maxRetrySeconds, Math.max(1, Math.ceil(forMs / 1_000)))
  return new Problem('ABNORMAL_USAGE', 'banned', { headers: { 'retry-after': String(seconds) } })
}
