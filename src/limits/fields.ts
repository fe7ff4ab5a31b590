import type { LimitClass } from '../route/limit-class.ts'
import type { LimitDecision } from './limit.ts'

/**
 * The header fields of a refusal: `Retry-After` and the IETF fields `RateLimit-Policy` and `RateLimit`.
 *
 * @param name The limit class; it must be a plain name, because it stands in a quoted string.
 * @see draft-ietf-httpapi-ratelimit-headers-11, RFC 9110 §10.2.3
 */
export function limitFields(
  name: string,
  limit: LimitClass,
  decision: LimitDecision,
): Record<string, string> {
  // Never 0: a client that comes back at once would only be refused again.
  const retrySeconds = Math.max(1, Math.ceil(decision.retryAfterMs / 1000))
  const quoted = `"${name.replaceAll(/[^A-Za-z0-9_.-]/g, '_')}"`
  return {
    ...(decision.allowed ? {} : { 'retry-after': String(retrySeconds) }),
    'ratelimit-policy': `${quoted};q=${limit.count};w=${limit.windowSeconds}`,
    ratelimit: `${quoted};r=${decision.remaining}${decision.allowed ? '' : `;t=${retrySeconds}`}`,
  }
}
