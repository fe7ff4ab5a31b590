import { assert } from '../../base/index.ts'
import type { BucketState, LimitCheck, LimitDecision } from '../limit.ts'
import type { LimitPolicy } from '../policy.ts'
import { bucketsSource } from './buckets-source.ts'
import { RedisFault } from './fault.ts'
import type { Link } from './link.ts'
import { run, scriptOf } from './script.ts'

/** Which clock decides: the one of Redis, which all nodes share, or a given moment, in tests. */
export type BucketClock = { readonly kind: 'redis' } | { readonly kind: 'given'; readonly nowMs: number }

const buckets = scriptOf(bucketsSource)

// A bucket is forgotten this long after it says nothing any more. With a given clock that moment is not Redis's.
const slackMs = 1_000
const givenSlackMs = 3_600_000

/**
 * Takes from all buckets or from none, in one round trip.
 *
 * @param names The names of the buckets, in the order of the checks.
 * @throws RedisFault
 */
export async function takeFrom(
  link: Link,
  names: readonly string[],
  checks: readonly LimitCheck[],
  clock: BucketClock,
): Promise<LimitDecision> {
  const reply = await run(link, buckets, names, valuesOf('take', checks, clock))
  return decisionOf(reply, checks)
}

/**
 * Gives back, or takes what was let through elsewhere, whether it fits or not.
 *
 * @throws RedisFault
 */
export async function adjust(
  link: Link,
  kind: 'refund' | 'add',
  names: readonly string[],
  checks: readonly LimitCheck[],
  clock: BucketClock,
): Promise<void> {
  await run(link, buckets, names, valuesOf(kind, checks, clock))
}

function valuesOf(
  kind: 'take' | 'refund' | 'add',
  checks: readonly LimitCheck[],
  clock: BucketClock,
): string[] {
  const [given, slack] =
    clock.kind === 'redis' ? ['', slackMs] : [String(Math.floor(clock.nowMs)), givenSlackMs]
  return [kind, given, String(slack), ...checks.flatMap(valuesOfCheck)]
}

function valuesOfCheck({ policy, cost = 1 }: LimitCheck): string[] {
  // What is no cost would compare as "fits" in the script, or give where it should take (ASVS 16.5.3).
  assert(Number.isSafeInteger(cost) && cost > 0, 'a request costs a whole number above zero')
  return [...valuesOfPolicy(policy), String(cost)]
}

function valuesOfPolicy(policy: LimitPolicy): string[] {
  const isWindow = policy.algorithm === 'sliding-window'
  return isWindow
    ? ['window', String(policy.count), String(policy.windowSeconds * 1_000)]
    : ['rate', String(policy.burst), String(policy.intervalMs)]
}

/** The reply is `allowed`, then for each check what remains and how long it waits. */
function decisionOf(reply: unknown, checks: readonly LimitCheck[]): LimitDecision {
  const numbers = Array.isArray(reply) ? reply.map(Number) : []
  if (numbers.length !== 1 + checks.length * 2 || !numbers.every(Number.isSafeInteger))
    throw new RedisFault('Redis gave an answer that is none.', 'REPLY')
  const states = checks.map(
    ({ policy }, index): BucketState => ({
      policy,
      remaining: numbers[1 + index * 2] ?? 0,
      waitMs: numbers[2 + index * 2] ?? 0,
    }),
  )
  if (numbers[0] === 1) {
    const remaining = Math.min(...states.map((state) => state.remaining))
    return { allowed: true, remaining, retryAfterMs: 0, buckets: states }
  }
  const retryAfterMs = Math.max(...states.map(({ waitMs }) => waitMs))
  return { allowed: false, remaining: 0, retryAfterMs, buckets: states }
}
