import type { LimitClass, LimitSubject } from '../route/limit-class.ts'
import { Concurrency, type Places } from './concurrency.ts'
import { addressChecksOf, type CountedClass, checksOf, countedClass } from './counted-class.ts'
import { concurrencyFields, type FieldStyle, limitFields } from './fields.ts'
import type { LimitCheck, LimitDecision, LimitStore } from './limit.ts'
import { delayMsOf } from './slow-down.ts'

/** What a limiter is made of. */
export interface LimiterParts {
  /** Names the class, in header fields too. Limiters of one name on one store share their buckets. */
  readonly name: string
  readonly store: LimitStore
  /** Which header fields it gives; the IETF ones unless given. */
  readonly fields?: FieldStyle
  /** Milliseconds on a clock that does not step back. */
  readonly nowMs?: () => number
}

/** A request that is to be counted. */
export interface LimitRequest extends LimitSubject {
  /** How much it takes; 1 unless given. A whole number above zero, at most the burst of each rule. */
  readonly cost?: number
}

/** What the limiter says about one request. */
export interface LimitOutcome {
  readonly allowed: boolean
  /** Requests left before the next refusal, in the bucket with the fewest. */
  readonly remaining: number
  /** Milliseconds until a refused request would pass; 0 when allowed. */
  readonly retryAfterMs: number
  /** Milliseconds for which an admitted request should be held back. */
  readonly delayMs: number
  /** Header fields for the reply, with lower-case names. */
  readonly fields: Readonly<Record<string, string>>
  /** The names of the policies that refuse. */
  readonly violated: readonly string[]
  /**
   * Says how an admitted request ended, once; `undefined` where nobody needs to know. A rule that counts failures gives
   * back what a request took that ended well.
   */
  readonly settle: ((outcome: 'well' | 'badly') => void) | undefined
}

const busyRetryMs = 1_000

/**
 * Decides about requests of one limit class: its rules, their keys, concurrency and delays in one step.
 *
 * @example
 * const outcome = await limiter.take({ address: '203.0.113.9', account: 'ann' })
 * if (!outcome.allowed) reply(429, outcome.fields)
 * @see OWASP ASVS 5.0 §2.4.1
 */
export class Limiter {
  readonly counted: CountedClass
  readonly #store: LimitStore
  readonly #fields: FieldStyle
  readonly #nowMs: () => number
  readonly #countsFailures: boolean
  readonly #underWay: Places

  constructor(limits: LimitClass, { name, store, fields = 'ietf', nowMs = monotonicMs }: LimiterParts) {
    this.counted = countedClass(name, limits)
    this.#countsFailures = this.counted.rules.some(({ isRefunded }) => isRefunded)
    this.#store = store
    this.#fields = fields
    this.#nowMs = nowMs
    this.#underWay = store.placesFor?.(name) ?? new Concurrency()
  }

  /** Whether it matters how and when a request ends: most classes need not look. */
  get watchesEnd(): boolean {
    const { concurrentCount, slowDown } = this.counted.limits
    return this.#countsFailures || concurrentCount !== undefined || slowDown !== undefined
  }

  /**
   * The refusal of a request whose address this process knows to be over its limit, without asking anybody; takes
   * nothing. For what is dear to find out before a request is counted, such as who sends it.
   */
  addressRefusal(request: LimitRequest): LimitOutcome | undefined {
    const nowMs = this.#nowMs()
    const refusing = addressChecksOf(this.counted, request, request.cost)
      .map((check) => ({
        policy: check.policy,
        remaining: 0,
        waitMs: this.#store.refusedMs([check], nowMs),
      }))
      .filter(({ waitMs }) => waitMs > 0)
    if (refusing.length === 0) return undefined
    const retryAfterMs = Math.max(...refusing.map(({ waitMs }) => waitMs))
    return this.#refused({ allowed: false, remaining: 0, retryAfterMs, buckets: refusing })
  }

  /** Takes a request from its buckets, or from none of them. */
  take(request: LimitRequest): LimitOutcome | Promise<LimitOutcome> {
    // First of all: the application's own keys could throw, and nobody would give a place back that was taken before.
    const checks = checksOf(this.counted, request, request.cost)
    const place = this.#enter(request)
    if (place === null) return this.#busy()
    // Nobody whom a rule counts: the boot gate has seen to it that this is no accident.
    if (checks.length === 0) return { ...free, settle: place }
    let decision: LimitDecision | Promise<LimitDecision>
    try {
      decision = this.#store.consume(checks, this.#nowMs())
    } catch (error) {
      place?.()
      throw error
    }
    if (!(decision instanceof Promise)) return this.#outcome(decision, checks, place)
    return decision.then(
      (made) => this.#outcome(made, checks, place),
      (error: unknown) => {
        place?.()
        throw error
      },
    )
  }

  #outcome(
    decision: LimitDecision,
    checks: readonly LimitCheck[],
    leave: (() => void) | undefined,
  ): LimitOutcome {
    if (!decision.allowed) {
      leave?.()
      return this.#refused(decision)
    }
    const refunded = this.#refundedOf(checks)
    return {
      allowed: true,
      remaining: decision.remaining,
      retryAfterMs: 0,
      delayMs: delayMsOf(this.counted, decision),
      fields: limitFields(decision, this.#fields),
      violated: [],
      settle:
        refunded.length > 0 || leave !== undefined
          ? (outcome) => {
              leave?.()
              if (refunded.length > 0 && outcome === 'well') this.#store.refund(refunded, this.#nowMs())
            }
          : undefined,
    }
  }

  /** The checks of rules that count failures alone. */
  #refundedOf(checks: readonly LimitCheck[]): readonly LimitCheck[] {
    if (!this.#countsFailures) return []
    const policies = new Set(this.counted.rules.filter((rule) => rule.isRefunded).map(({ policy }) => policy))
    return checks.filter(({ policy }) => policies.has(policy))
  }

  #refused(decision: LimitDecision): LimitOutcome {
    const refusing = decision.buckets.filter(({ waitMs }) => waitMs > 0)
    return {
      allowed: false,
      remaining: 0,
      retryAfterMs: decision.retryAfterMs,
      delayMs: 0,
      fields: limitFields(decision, this.#fields),
      violated: [...new Set(refusing.map(({ policy }) => policy.name))],
      settle: undefined,
    }
  }

  /** @returns how to give the place back; `undefined` where nobody counts; `null` when there is none */
  #enter({ address, account }: LimitRequest): (() => void) | undefined | null {
    const { concurrentCount } = this.counted.limits
    if (concurrentCount === undefined) return undefined
    const key = account === undefined ? `address:${address}` : `account:${account}`
    if (!this.#underWay.enter(key, concurrentCount)) return null
    return () => this.#underWay.leave(key)
  }

  #busy(): LimitOutcome {
    const name = `${this.counted.name}-concurrent`
    const maxCount = this.counted.limits.concurrentCount ?? 0
    return {
      ...free,
      allowed: false,
      retryAfterMs: busyRetryMs,
      fields: concurrencyFields(name, maxCount, busyRetryMs),
      violated: [name],
    }
  }
}

const free: LimitOutcome = {
  allowed: true,
  remaining: Number.POSITIVE_INFINITY,
  retryAfterMs: 0,
  delayMs: 0,
  fields: {},
  violated: [],
  settle: undefined,
}

// Read once: it is a getter, and not a quick one.
const originMs = performance.timeOrigin

/** Unix milliseconds that never step back, whatever happens to the wall clock. */
export function monotonicMs(): number {
  return Math.floor(originMs + performance.now())
}
