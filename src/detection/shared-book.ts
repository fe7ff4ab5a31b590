import { unguessableBytes } from '../crypto/index.ts'
import type { CountClaim, CountDelta } from '../limits/index.ts'
import { DistinctValues, hasherOf, SignalSlices } from './counts.ts'

interface Entry {
  readonly count: DistinctValues | SignalSlices
}

/** How much a book remembers at most. */
export interface BookBounds {
  readonly subjectCount: number
  /** Different values, of all subjects together. */
  readonly valueCount: number
  readonly claimCount: number
}

const defaultBounds: BookBounds = { subjectCount: 50_000, valueCount: 400_000, claimCount: 10_000 }

/**
 * Counts of several workers, kept by the thread that has started them: what `redisCounts` is for several machines.
 * Whatever is sent, it has an end: who was silent for the longest goes first.
 */
export class SharedBook {
  readonly #bounds: BookBounds
  readonly #hash = hasherOf(unguessableBytes(16))
  // In the order of when they were last counted.
  readonly #entries = new Map<string, Entry>()
  readonly #claims = new Map<string, number>()
  #valueCount = 0

  constructor(bounds: BookBounds = defaultBounds) {
    this.#bounds = bounds
  }

  /** Adds, and gives what all have counted within the windows, in the order of the deltas. */
  add(deltas: readonly CountDelta[], nowMs: number): readonly number[] {
    return deltas.map((delta) => {
      const { count } = this.#touched(delta)
      const before = count.size
      if (delta.kind === 'signals') for (let more = 0; more < delta.amountCount; more++) count.add(0, nowMs)
      else for (const value of delta.values) count.add(this.#hash(value), nowMs)
      this.#valueCount += count.size - before
      const total = count.at(nowMs)
      this.#makeRoom()
      return total
    })
  }

  /** Whether nobody has claimed it within its time. */
  claim({ series, subject, forMs }: CountClaim, nowMs: number): boolean {
    const name = nameOf(series, subject)
    if ((this.#claims.get(name) ?? 0) > nowMs) return false
    this.#claims.delete(name)
    this.#claims.set(name, nowMs + forMs)
    const [oldest] = this.#claims.keys()
    if (this.#claims.size > this.#bounds.claimCount && oldest !== undefined) this.#claims.delete(oldest)
    return true
  }

  #touched(delta: CountDelta): Entry {
    const name = nameOf(`${delta.kind} ${delta.windowMs} ${delta.series}`, delta.subject)
    const entry = this.#entries.get(name) ?? { count: newCount(delta) }
    this.#entries.delete(name)
    this.#entries.set(name, entry)
    return entry
  }

  #makeRoom(): void {
    const { subjectCount, valueCount } = this.#bounds
    while (this.#entries.size > 1 && (this.#entries.size > subjectCount || this.#valueCount > valueCount)) {
      const [oldest] = this.#entries
      if (oldest === undefined) return
      this.#entries.delete(oldest[0])
      this.#valueCount -= oldest[1].count.size
    }
  }
}

function newCount(delta: CountDelta): Entry['count'] {
  return delta.kind === 'signals'
    ? new SignalSlices(delta.windowMs)
    : new DistinctValues(delta.windowMs, delta.mostCount)
}

/** The length in front keeps any two pairs of series and subject apart. */
function nameOf(series: string, subject: string): string {
  return `${series.length}:${series}${subject}`
}
