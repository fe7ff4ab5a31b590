import type { BucketState, LimitDecision } from './limit.ts'

/**
 * The header fields of a decision: the IETF fields `RateLimit-Policy` and `RateLimit`, and for a refusal
 * `Retry-After`. One item for each class; where a class counts by address and by account, the tighter of the two.
 * Whose buckets they are is not told (`pk`), because keys hold addresses and account ids.
 *
 * @see draft-ietf-httpapi-ratelimit-headers-11, RFC 9110 §10.2.3
 * @example { 'ratelimit-policy': '"read";q=300;w=60', ratelimit: '"read";r=299' }
 */
export function limitFields(decision: LimitDecision): Record<string, string> {
  const tightest = new Map<string, BucketState>()
  for (const bucket of decision.buckets) {
    const name = quoted(bucket.name)
    const other = tightest.get(name)
    if (other === undefined || isTighter(bucket, other)) tightest.set(name, bucket)
  }
  const items = [...tightest]
  return {
    ...(decision.allowed ? {} : { 'retry-after': String(secondsOf(decision.retryAfterMs)) }),
    'ratelimit-policy': items
      .map(([name, { limit }]) => `${name};q=${limit.count};w=${limit.windowSeconds}`)
      .join(', '),
    ratelimit: items
      .map(
        ([name, { remaining, waitMs }]) =>
          `${name};r=${remaining}${waitMs > 0 ? `;t=${secondsOf(waitMs)}` : ''}`,
      )
      .join(', '),
  }
}

function isTighter(a: BucketState, b: BucketState): boolean {
  return a.remaining < b.remaining || (a.remaining === b.remaining && a.waitMs > b.waitMs)
}

/** Whole seconds, rounded up and never 0: a client that came back at once would only be refused again. */
function secondsOf(waitMs: number): number {
  return Math.max(1, Math.ceil(waitMs / 1_000))
}

/** A String of RFC 9651 §3.3.3: printable ASCII, in which only quote and backslash are escaped. */
function quoted(name: string): string {
  return `"${name.replaceAll(/[^\x20-\x7e]/g, '_').replaceAll(/["\\]/g, '\\$&')}"`
}
