import type { BucketState, LimitCheck, LimitDecision } from '../limit.ts'
import type { LimitPolicy } from '../policy.ts'

/** How long a refusal is believed without asking again, so that a limit that was reset elsewhere is seen. */
const believedMs = 10_000
const refusalCount = 10_000

interface Refusal {
  /** On the caller's clock, which does not step back. */
  readonly untilMs: number
  readonly believedUntilMs: number
  readonly costCount: number
  readonly remaining: number
  /** All buckets of the decision that refused. */
  readonly beside: readonly BucketState[]
}

/**
 * What Redis has refused, for as long as it would refuse it again: a flood of one caller is answered here, and costs
 * neither a round trip nor Redis anything (ASVS 15.2.2). It only ever refuses what was refused before.
 *
 * Bounded: a new one pushes out the oldest, which is then asked about once more.
 */
export class Refusals {
  readonly #byName = new Map<string, Refusal>()

  /** Notes what a decision refuses. @param askedMs When it was asked, so that nobody waits for the way back as well. */
  note(
    checks: readonly LimitCheck[],
    names: readonly string[],
    decision: LimitDecision,
    askedMs: number,
  ): void {
    if (decision.allowed) return
    for (const [index, state] of decision.buckets.entries()) {
      const [check, name] = [checks[index], names[index]]
      if (state.waitMs === 0 || check === undefined || name === undefined) continue
      const untilMs = askedMs + state.waitMs
      const believedUntilMs = Math.min(untilMs, askedMs + believedMs)
      const { cost: costCount = 1 } = check
      const { remaining } = state
      // Taken out first, so that it becomes the newest.
      this.#byName.delete(name)
      this.#byName.set(name, { untilMs, believedUntilMs, costCount, remaining, beside: decision.buckets })
      if (this.#byName.size > refusalCount) this.#forgetOldest()
    }
  }

  /** How long a bucket would refuse this at least; 0 where that is not known. */
  waitMs(name: string, { cost = 1 }: LimitCheck, atMs: number): number {
    const known = this.#byName.get(name)
    if (known === undefined || cost < known.costCount || atMs >= known.believedUntilMs) return 0
    return Math.ceil(known.untilMs - atMs)
  }

  /** The decision about these, if one of them would be refused again; `undefined` if Redis has to be asked. */
  answer(checks: readonly LimitCheck[], names: readonly string[], atMs: number): LimitDecision | undefined {
    if (this.#byName.size === 0) return undefined
    const waits = checks.map((check, index) => this.waitMs(names[index] ?? '', check, atMs))
    const retryAfterMs = Math.max(...waits)
    if (retryAfterMs === 0) return undefined
    const refusing = this.#byName.get(names[waits.indexOf(retryAfterMs)] ?? '')
    const buckets = checks.map(({ policy }, index): BucketState => {
      const waitMs = waits[index] ?? 0
      if (waitMs === 0) return { policy, remaining: remainingBeside(policy, refusing), waitMs }
      return { policy, remaining: this.#byName.get(names[index] ?? '')?.remaining ?? 0, waitMs }
    })
    return { allowed: false, remaining: 0, retryAfterMs, buckets }
  }

  /** Something was given back: what was refused may pass now. */
  forget(name: string): void {
    this.#byName.delete(name)
  }

  #forgetOldest(): void {
    const oldest = this.#byName.keys().next()
    if (oldest.done !== true) this.#byName.delete(oldest.value)
  }
}

/** How the bucket of a policy stood when another one of the same request refused; 0 when nobody knows. */
function remainingBeside(policy: LimitPolicy, refusal: Refusal | undefined): number {
  return refusal?.beside.find((state) => state.policy === policy)?.remaining ?? 0
}
