import type { ProblemCode } from '../../src/errors/index.ts'
import { CATALOGUE } from '../../src/errors/index.ts'
import { type RecordedEvent, recordOf, type SecurityEvent } from '../../src/events/index.ts'
import type { ObservedRequest } from '../../src/http/index.ts'

/** Something that happens at a moment: a reply goes out, or an event is recorded. */
export type Step =
  | { readonly atMs: number; readonly request: ObservedRequest }
  | { readonly atMs: number; readonly event: RecordedEvent }

/** Who does it, from where. */
export interface Actor {
  readonly address: string
  readonly userAgent: string
  readonly userId: string | null
  readonly sessionId: string | null
}

/** What is asked for, and what came of it. */
export interface Ask {
  readonly method?: string
  /** Without a target, its own pattern. */
  readonly route: string | null
  readonly target?: string
  readonly status?: number
  readonly problem?: ProblemCode
  readonly isForeignOrigin?: true
}

/** A request of somebody's. */
export function request(atMs: number, actor: Actor, ask: Ask): Step {
  const { method = 'GET', route, target = route ?? '/', problem, isForeignOrigin } = ask
  const status = ask.status ?? (problem === undefined ? 200 : CATALOGUE[problem].status)
  return {
    atMs,
    request: {
      method,
      route,
      target,
      status,
      durationMs: 5,
      problem: problem ?? null,
      reason: null,
      requestId: 'r',
      ...actor,
      ...(isForeignOrigin === undefined ? {} : { isForeignOrigin }),
    },
  }
}

/** An event. */
export function event(atMs: number, given: SecurityEvent): Step {
  return { atMs, event: recordOf(given, atMs) }
}

/** A log-in that fails, as the application tells of it. */
export function failedLogin(atMs: number, actor: Omit<Actor, 'userId'>, account: Tried): readonly Step[] {
  const details = { account: account.pseudonym, purpose: 'login' }
  const { address, userAgent } = actor
  return [
    event(atMs, { event: 'authn_login_fail', userId: account.userId, address, details }),
    request(
      atMs,
      { address, userAgent, userId: null, sessionId: null },
      { method: 'POST', route: '/api/auth/login', problem: 'UNAUTHENTICATED' },
    ),
  ]
}

/** Whose password was tried. */
export interface Tried {
  /** `null` where there is no account. */
  readonly userId: string | null
  readonly pseudonym: string
}

/** A log-in that works. */
export function login(
  atMs: number,
  { address, userAgent }: Actor,
  userId: string,
  sessionId: string,
): readonly Step[] {
  return [
    event(atMs, { event: 'authn_login_success', userId, sessionId, address }),
    event(atMs, { event: 'session_created', userId, sessionId, address }),
    request(
      atMs,
      { address, userAgent, userId: null, sessionId: null },
      { method: 'POST', route: '/api/auth/login' },
    ),
  ]
}

/** In the order in which they happen. */
export function inOrder(...lists: readonly (readonly Step[])[]): readonly Step[] {
  return lists.flat().toSorted((a, b) => a.atMs - b.atMs)
}
