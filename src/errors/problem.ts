import { CATALOGUE, type ProblemCode } from './catalogue.ts'

/** One fault of an input: where, and what was expected there. Never the value that was sent. */
export interface InputFault {
  /** JSON Pointer into the request, the part first: `/body/title`, `/query/limit` (RFC 6901). */
  readonly path: string
  /** What is expected there. */
  readonly message: string
}

/** What accompanies a problem. */
export interface ProblemDetails {
  /** Faults of the input, for validation problems. */
  readonly errors?: readonly InputFault[]
  /** The limits that refuse, by name; for the problem types of draft-ietf-httpapi-ratelimit-headers. */
  readonly violatedPolicies?: readonly string[]
  /** Headers the reply must carry: `Allow`, `Retry-After`, `WWW-Authenticate`. Lower-case names. */
  readonly headers?: Readonly<Record<string, string>>
  /** The error that led here; logged, never sent. */
  readonly cause?: unknown
}

/** The body of an error reply. */
export interface ProblemBody {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  /** The request id, which also stands in the log. */
  readonly instance: string
  readonly errors?: readonly InputFault[]
  readonly 'violated-policies'?: readonly string[]
}

/**
 * An expected refusal. The public part comes from the catalogue by its code; the private part is the reason,
 * which is logged and never sent.
 *
 * @example throw new Problem('NOT_FOUND', 'note is absent or not the caller’s')
 * @see RFC 9457
 */
export class Problem extends Error {
  readonly code: ProblemCode
  readonly status: number
  /** Why, for the log. */
  readonly reason: string
  readonly errors: readonly InputFault[] | undefined
  readonly violatedPolicies: readonly string[] | undefined
  readonly headers: Readonly<Record<string, string>>

  constructor(code: ProblemCode, reason: string, details: ProblemDetails = {}) {
    super(`${code}: ${reason}`, details.cause === undefined ? undefined : { cause: details.cause })
    this.name = 'Problem'
    this.code = code
    this.status = CATALOGUE[code].status
    this.reason = reason
    this.errors = details.errors
    this.violatedPolicies = details.violatedPolicies
    this.headers = details.headers ?? {}
  }
}

/** The type URI of a problem. */
export function problemType(code: ProblemCode): string {
  return CATALOGUE[code].type ?? `urn:holdfast:problem:${code.toLowerCase().replaceAll('_', '-')}`
}

/** The reply body of a problem: the same in every environment, with nothing of the reason in it. */
export function problemBody(problem: Problem, requestId: string): ProblemBody {
  const { status, title } = CATALOGUE[problem.code]
  return {
    type: problemType(problem.code),
    title,
    status,
    detail: detailOf(problem),
    instance: requestId,
    ...(problem.errors === undefined ? {} : { errors: problem.errors }),
    ...(problem.violatedPolicies === undefined ? {} : { 'violated-policies': problem.violatedPolicies }),
  }
}

function detailOf(problem: Problem): string {
  const { title, status } = CATALOGUE[problem.code]
  if (problem.errors !== undefined) return 'See errors for each place and what is expected there.'
  if (status >= 500) return 'The log has the cause under this instance.'
  return title
}
