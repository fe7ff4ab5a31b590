import type { BucketState, LimitDecision } from './limit.ts'
import type { LimitPolicy } from './policy.ts'

/** Which fields tell a client how it stands: those of the IETF, or these and the old `X-RateLimit-*` beside them. */
export type FieldStyle = 'ietf' | 'ietf-and-legacy'

/**
 * The header fields of a decision: the IETF fields `RateLimit-Policy` and `RateLimit`, and for a refusal
 * `Retry-After`. One item for each policy; where it counts by address and by account, the tighter of the two.
 * Whose buckets they are is not told (`pk`), because keys hold addresses and account ids.
 *
 * @see draft-ietf-httpapi-ratelimit-headers-11, RFC 9110 §10.2.3
 * @example { 'ratelimit-policy': '"read";q=300;w=60', ratelimit: '"read";r=299' }
 */
export function limitFields(decision: LimitDecision, style: FieldStyle = 'ietf'): Record<string, string> {
  const { buckets } = decision
  const [first, second] = buckets
  // Nearly every class has one rule, by address and by account.
  if (
    first !== undefined &&
    buckets.length <= 2 &&
    (second === undefined || second.policy === first.policy)
  ) {
    const tighter = second !== undefined && isTighter(second, first) ? second : first
    if (decision.allowed && style === 'ietf')
      return { 'ratelimit-policy': policyItem(tighter.policy), ratelimit: stateItem(tighter) }
    return fieldsOf([tighter], decision, style)
  }
  const tightest = new Map<LimitPolicy, BucketState>()
  for (const bucket of decision.buckets) {
    const other = tightest.get(bucket.policy)
    if (other === undefined || isTighter(bucket, other)) tightest.set(bucket.policy, bucket)
  }
  return fieldsOf([...tightest.values()], decision, style)
}

function fieldsOf(
  states: readonly BucketState[],
  { allowed, retryAfterMs }: LimitDecision,
  style: FieldStyle,
): Record<string, string> {
  const policies = states.map(({ policy }) => policyItem(policy)).join(', ')
  const ratelimit = states.map(stateItem).join(', ')
  return {
    ...(allowed ? {} : { 'retry-after': String(secondsOf(retryAfterMs)) }),
    'ratelimit-policy': policies,
    ratelimit,
    ...(style === 'ietf' ? {} : legacyFields(states)),
  }
}

/** The fields of a refusal because too much is under way at once. */
export function concurrencyFields(name: string, maxCount: number, retryMs: number): Record<string, string> {
  return {
    'retry-after': String(secondsOf(retryMs)),
    'ratelimit-policy': `${quoted(name)};q=${maxCount};qu="concurrent-requests"`,
    ratelimit: `${quoted(name)};r=0`,
  }
}

interface PolicyTexts {
  readonly item: string
  readonly name: string
}

const policyTexts = new WeakMap<LimitPolicy, PolicyTexts>()

/** Written once for each policy: they stand on every reply. */
function textsOf(policy: LimitPolicy): PolicyTexts {
  const known = policyTexts.get(policy)
  if (known !== undefined) return known
  const name = quoted(policy.name)
  const made = { name, item: `${name};q=${policy.count};w=${policy.windowSeconds}` }
  policyTexts.set(policy, made)
  return made
}

function policyItem(policy: LimitPolicy): string {
  return textsOf(policy).item
}

function stateItem({ policy, remaining, waitMs }: BucketState): string {
  return `${textsOf(policy).name};r=${remaining}${waitMs > 0 ? `;t=${secondsOf(waitMs)}` : ''}`
}

/** What clients read before there was a draft: the tightest policy alone, and seconds from now. */
function legacyFields(states: readonly BucketState[]): Record<string, string> {
  const [first, ...others] = states
  if (first === undefined) return {}
  const { policy, remaining, waitMs } = others.reduce((a, b) => (isTighter(b, a) ? b : a), first)
  return {
    'x-ratelimit-limit': String(policy.count),
    'x-ratelimit-remaining': String(remaining),
    'x-ratelimit-reset': String(waitMs > 0 ? secondsOf(waitMs) : 0),
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
