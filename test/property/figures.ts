import type { Kind } from './queries.ts'

const endings = {
  /** Answered as the reference says. */
  equal: 0,
  /** Failed as the reference says: a key is taken, or the rules refuse a new row. */
  failed: 0,
  /** Refused, as it has to be. */
  rightlyRefused: 0,
  /** Refused, as it may be. */
  refused: 0,
  /** Not understood by the database, with rules and without. */
  invalid: 0,
  /** About what databases differ. */
  open: 0,
}

/** How a run ended that shows no fault. */
export type Ending = keyof typeof endings

/** True for the name of an ending. */
export function isEnding(text: string): text is Ending {
  return text in endings
}

/** The runs of one kind of query, counted. */
export interface Count extends Record<Ending, number> {
  /** Queries; each is run three times. */
  cases: number
  runs: number
  /** Runs whose outcome depends on the rules: a select that gives something else without them, a change of rows. */
  telling: number
}

/** What has been run, counted. */
export class Figures {
  readonly #counts = new Map<Kind, Count>()
  readonly #features = new Map<string, number>()
  #isStopped = false

  /** From now on nothing is counted: what runs is a failing case that is made smaller. */
  stop(): void {
    this.#isStopped = true
  }

  /** Counts one run. */
  run(kind: Kind, ending: Ending, isTelling: boolean): void {
    if (this.#isStopped) return
    const count = this.#of(kind)
    count.runs += 1
    count[ending] += 1
    if (isTelling) count.telling += 1
  }

  /** Counts a query and what it is made of. */
  query(kind: Kind, features: ReadonlySet<string>): void {
    if (this.#isStopped) return
    this.#of(kind).cases += 1
    for (const name of features) this.#features.set(name, (this.#features.get(name) ?? 0) + 1)
  }

  #of(kind: Kind): Count {
    const known = this.#counts.get(kind)
    if (known !== undefined) return known
    const count: Count = { cases: 0, runs: 0, telling: 0, ...endings }
    this.#counts.set(kind, count)
    return count
  }

  /** The counts by kind. */
  get counts(): ReadonlyMap<Kind, Readonly<Count>> {
    return this.#counts
  }

  /** How many queries have each of the things that queries are made of. */
  get features(): ReadonlyMap<string, number> {
    return this.#features
  }

  /** A count over all kinds. */
  total(of: keyof Count): number {
    return [...this.#counts.values()].reduce((sum, count) => sum + count[of], 0)
  }

  /** One line to be published. */
  line(engine: string, seed: number, seconds: number): string {
    const kinds = [...this.#counts].sort(([, a], [, b]) => b.cases - a.cases)
    const byKind = kinds.map(([kind, { cases }]) => `${kind} ${cases}`).join(', ')
    const share = (of: keyof Count): string =>
      `${((100 * this.total(of)) / Math.max(1, this.total('runs'))).toFixed(1)} %`
    return (
      `rows property: ${engine}: ${this.total('cases')} queries (${byKind}), ${this.total('runs')} runs; ` +
      `${share('telling')} depend on the rules; refused ${share('refused')}, and ${share('rightlyRefused')} ` +
      `that have to be; failed as expected ${share('failed')}; not valid ${share('invalid')}; ` +
      `left open ${share('open')}; ${seconds.toFixed(0)} s; seed ${seed}`
    )
  }
}
