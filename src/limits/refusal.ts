import { Problem, problemBody } from '../errors/index.ts'
import type { LimitOutcome } from './limiter.ts'

/** The refusal of whoever has had enough. */
export function quotaProblem({ fields, violated }: Pick<LimitOutcome, 'fields' | 'violated'>): Problem {
  return new Problem('QUOTA_EXCEEDED', `limit ${violated.join(', ')}`, {
    headers: fields,
    violatedPolicies: violated,
  })
}

/** The refusal of a request that would be slowed down, while as many as may be are already. */
export function crowdedProblem({ fields, delayMs }: Pick<LimitOutcome, 'fields' | 'delayMs'>): Problem {
  const retryAfter = String(Math.max(1, Math.ceil(delayMs / 1_000)))
  return new Problem('QUOTA_EXCEEDED', 'too many requests are being slowed down', {
    headers: { ...fields, 'retry-after': retryAfter },
  })
}

/** A refusal, written out. */
export interface RefusalReply {
  readonly status: number
  /** Header fields with lower-case names, but for those of the limits. */
  readonly fields: Readonly<Record<string, string>>
  readonly text: string
}

/** Writes a refusal out, for whoever has no edge that does. @param instance Names this refusal in its body. */
export function refusalReply(problem: Problem, instance: string): RefusalReply {
  const { 'retry-after': retryAfter = '1' } = problem.headers
  const fields = {
    'content-type': 'application/problem+json',
    // A cache that kept it would go on refusing, and others too.
    'cache-control': 'no-store',
    'retry-after': retryAfter,
  }
  return { status: problem.status, fields, text: JSON.stringify(problemBody(problem, instance)) }
}
