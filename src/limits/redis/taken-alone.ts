import type { LimitCheck } from '../limit.ts'

/** What one caller took of a bucket while this node decided alone. */
export interface TakenAlone {
  readonly name: string
  readonly check: LimitCheck
}

interface Owed {
  readonly check: LimitCheck
  owedMs: number
  atMs: number
}

const bucketCount = 10_000

/**
 * What this node let through during an outage, so that Redis can count it afterwards. Best effort: bounded, and what
 * would have been refilled by then is not counted; the same estimate serves all algorithms.
 */
export class TakenAloneLedger {
  readonly #byName = new Map<string, Owed>()

  /** Notes what was taken. @param atMs On a clock that does not step back. */
  note(name: string, check: LimitCheck, atMs: number): void {
    this.#add(name, check, atMs, check.cost ?? 1)
  }

  /** What was noted was given back. */
  giveBack(name: string, check: LimitCheck, atMs: number): void {
    if (this.#byName.has(name)) this.#add(name, check, atMs, -(check.cost ?? 1))
  }

  /** What is still owed, in whole requests. */
  all(atMs: number): TakenAlone[] {
    return [...this.#byName].flatMap(([name, owed]) => {
      const { policy } = owed.check
      const cost = Math.round(owedAt(owed, atMs) / policy.intervalMs)
      return cost < 1 ? [] : [{ name, check: { ...owed.check, cost } }]
    })
  }

  clear(): void {
    this.#byName.clear()
  }

  #add(name: string, check: LimitCheck, atMs: number, costCount: number): void {
    const known = this.#byName.get(name)
    if (known === undefined && this.#byName.size >= bucketCount) return
    const beforeMs = known === undefined ? 0 : owedAt(known, atMs)
    const owedMs = Math.max(0, beforeMs + costCount * check.policy.intervalMs)
    if (known === undefined) this.#byName.set(name, { check, owedMs, atMs })
    else Object.assign(known, { owedMs, atMs })
  }
}

function owedAt({ owedMs, atMs: fromMs }: Owed, atMs: number): number {
  return Math.max(0, owedMs - Math.max(0, atMs - fromMs))
}
