import type { Problem } from '../errors/index.ts'
import { maxCostOf } from './algorithm.ts'
import { Delays } from './delays.ts'
import type { LimitBy, LimitSubject } from './limit.ts'
import type { Limiter, LimitRequest } from './limiter.ts'
import { crowdedProblem, quotaProblem, type RefusalReply, refusalReply } from './refusal.ts'
import { type EndingReply, ReplyEnd } from './reply-end.ts'

/** As much of a reply as the limits of a request need. */
export interface LimitedReply extends EndingReply {
  readonly headersSent: boolean
  getHeader(name: string): unknown
  setHeader(name: string, value: string): unknown
}

/** How a limiter is put in front of requests. */
export interface GuardOptions<Request> {
  /**
   * What only the application knows about a request: `account`, `tenant`, `route`, `params`, `cost`. It sees the request
   * before anybody has validated it. Where it throws, the request is not let through.
   */
  readonly subject?: (request: Request) => Partial<LimitRequest> | Promise<Partial<LimitRequest>>
  /** A request is refused: for the log. `instance` stands in the reply too. Where it throws, that goes the way of errors. */
  readonly onRefused?: (request: Request, refusal: Refusal) => void
  /** How many requests may be held back at once by `slowDown`; 1,000 unless given. Further ones are refused. */
  readonly delayedCount?: number
}

/** A refusal, for the log. */
export interface Refusal {
  /** Names it in the body of the reply. */
  readonly instance: string
  /** `limit search`, after the policies that refuse. */
  readonly reason: string
}

/** What is known of a request without asking the application. */
export interface GuardedRequest<Request> {
  readonly request: Request
  readonly own: LimitSubject
  /** Names it in the body of a refusal. */
  readonly instance: string
}

/** What becomes of a request. `gone`: nobody is left to answer, and nothing must be done. */
export type Verdict = 'admitted' | 'gone' | RefusalReply

// Each holds a socket and about 10 kB.
const defaultDelayedCount = 1_000

/** What an application has to say itself: there is no telling who somebody is from a bare request. */
const said: ReadonlySet<LimitBy> = new Set<LimitBy>(['account', 'session', 'tenant', 'api-key', 'route'])

/**
 * A limiter in front of requests, whatever framework they come from: counts, tells, holds back, and gives back what has
 * to be given back. It never lets a request through because something failed.
 *
 * @see OWASP ASVS 5.0 §2.4.1, §2.4.2, §15.2.2, §16.5.3
 */
export class Guard<Request> {
  readonly #limiter: Limiter
  readonly #subject: GuardOptions<Request>['subject']
  readonly #onRefused: GuardOptions<Request>['onRefused']
  readonly #delays: Delays

  /**
   * @param known What of {@link LimitBy} the framework says by itself.
   * @throws TypeError for a limiter that could count nobody here
   */
  constructor(limiter: Limiter, options: GuardOptions<Request>, known: readonly LimitBy[] = []) {
    const { subject, onRefused, delayedCount = defaultDelayedCount } = options
    const isCounting = limiter.counted.rules.some(({ by }) =>
      by.some((key) => !said.has(key) || known.includes(key)),
    )
    if (subject === undefined && !isCounting)
      throw new TypeError(
        `the limit "${limiter.counted.name}" counts nobody without a subject that says who asks; write subject: (request) => ({ account: … })`,
      )
    this.#limiter = limiter
    this.#subject = subject
    this.#onRefused = onRefused
    this.#delays = new Delays(delayedCount)
  }

  /**
   * Decides about a request.
   *
   * @returns what becomes of it; a refusal has to be sent
   * @throws Error what the store or the subject throws; the request must not be let through then
   */
  async admit(guarded: GuardedRequest<Request>, reply: LimitedReply): Promise<Verdict> {
    try {
      return await this.#decide(guarded, reply)
    } catch (error) {
      // Express goes on after next(undefined), and skips to another route after next('route').
      throw error instanceof Error ? error : new TypeError('what was thrown is no error', { cause: error })
    }
  }

  async #decide(guarded: GuardedRequest<Request>, reply: LimitedReply): Promise<Verdict> {
    const end = new ReplyEnd(reply)
    if (end.isOver) return 'gone'
    const given = await this.#subject?.(guarded.request)
    const outcome = await this.#limiter.take(this.#requestOf(guarded.own, given ?? {}))
    if (outcome.settle !== undefined) end.onEnd(outcome.settle)
    // Somebody has answered meanwhile, or there is nobody any more: work that is done now is done for nobody.
    if (end.isOver || reply.headersSent) return 'gone'
    tell(reply, outcome.fields)
    if (!outcome.allowed) return this.#refuse(quotaProblem(outcome), guarded)
    if (outcome.delayMs === 0) return 'admitted'
    const ended = await this.#delays.wait(outcome.delayMs, (gone) => end.onEnd(gone))
    if (ended === 'full') return this.#refuse(crowdedProblem(outcome), guarded)
    // A client that goes away while it is held back must not have its work done without the wait.
    return ended === 'waited' && !end.isOver ? 'admitted' : 'gone'
  }

  #refuse(problem: Problem, { request, instance }: GuardedRequest<Request>): RefusalReply {
    this.#onRefused?.(request, { instance, reason: problem.reason })
    return refusalReply(problem, instance)
  }

  #requestOf(own: LimitSubject, given: Partial<LimitRequest>): LimitRequest {
    const { cost = 1, address = own.address } = given
    const most = Math.min(...this.#limiter.counted.rules.map(({ policy }) => maxCostOf(policy)))
    if (!Number.isInteger(cost) || cost < 1 || cost > most)
      throw new TypeError(
        `a request costs a whole number from 1 to ${most}, all that "${this.#limiter.counted.name}" lets through at once`,
      )
    return { ...own, ...given, address, cost }
  }
}

// The fields of the draft are lists (RFC 9651 §3.1): where two limiters stand behind one another, each adds its items.
const listNames: ReadonlySet<string> = new Set(['ratelimit', 'ratelimit-policy'])
const legacyRemaining = 'x-ratelimit-remaining'

function tell(reply: LimitedReply, fields: Readonly<Record<string, string>>): void {
  const leftBefore = reply.getHeader(legacyRemaining)
  // The old fields have room for one limiter: the tighter.
  const isLooser = leftBefore !== undefined && Number(leftBefore) < Number(fields[legacyRemaining])
  for (const [name, value] of Object.entries(fields)) {
    const before = reply.getHeader(name)
    if (listNames.has(name) && typeof before === 'string') reply.setHeader(name, `${before}, ${value}`)
    else if (!isLooser || !name.startsWith('x-ratelimit-')) reply.setHeader(name, value)
  }
}
