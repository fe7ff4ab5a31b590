/** What is counted minute by minute, for `/metrics/security`. */
export const figures = [
  'requests',
  'serverErrors',
  'unauthenticatedRequests',
  'deniedRequests',
  'rateLimitedRequests',
  'bannedRequests',
  'failedAuthentications',
  'successfulLogIns',
  'suspiciousRequests',
] as const

/** One of {@link figures}. */
export type Figure = (typeof figures)[number]

/** What was counted in some time. */
export interface Counted {
  readonly figures: Readonly<Record<Figure, number>>
  readonly events: Readonly<Record<string, number>>
}

const minuteMs = 60_000
const minuteCount = 24 * 60
const width = figures.length

/**
 * Counts by minute over a day, in a ring: memory is the same after a minute and after a year. Names of events come from
 * a bounded set, see {@link import('./event-counts.ts').EventCounts}.
 */
export class Minutes {
  readonly #nowMs: () => number
  readonly #minuteOf = new Float64Array(minuteCount).fill(-1)
  readonly #counts = new Float64Array(minuteCount * width)
  readonly #events: (Map<string, number> | undefined)[] = Array.from({ length: minuteCount })
  readonly #sinceStart = new Float64Array(width)

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
  }

  /** The slot of this minute, emptied if it was another's. */
  slot(): number {
    const minute = Math.floor(this.#nowMs() / minuteMs)
    const slot = minute % minuteCount
    if (this.#minuteOf[slot] !== minute) {
      this.#minuteOf[slot] = minute
      this.#counts.fill(0, slot * width, (slot + 1) * width)
      this.#events[slot] = undefined
    }
    return slot
  }

  add(slot: number, figure: Figure): void {
    const index = indexOf[figure]
    const at = slot * width + index
    this.#counts[at] = (this.#counts[at] ?? 0) + 1
    this.#sinceStart[index] = (this.#sinceStart[index] ?? 0) + 1
  }

  addEvent(slot: number, name: string): void {
    const events = this.#events[slot] ?? new Map<string, number>()
    events.set(name, (events.get(name) ?? 0) + 1)
    this.#events[slot] = events
  }

  /** How often since the start. */
  sinceStart(): Counted['figures'] {
    return named((index) => this.#sinceStart[index] ?? 0)
  }

  /** What was counted in the last minutes, this one included. */
  last(lastMinuteCount: number): Counted {
    const now = Math.floor(this.#nowMs() / minuteMs)
    const sums = new Float64Array(width)
    const events = new Map<string, number>()
    this.#minuteOf.forEach((minute, slot) => {
      if (minute > now || minute <= now - lastMinuteCount) return
      for (let index = 0; index < width; index += 1)
        sums[index] = (sums[index] ?? 0) + (this.#counts[slot * width + index] ?? 0)
      for (const [name, count] of this.#events[slot] ?? []) events.set(name, (events.get(name) ?? 0) + count)
    })
    return { figures: named((index) => sums[index] ?? 0), events: Object.fromEntries(events) }
  }
}

const indexOf: Readonly<Record<Figure, number>> = named((index) => index)

function named(valueAt: (index: number) => number): Readonly<Record<Figure, number>> {
  return {
    requests: valueAt(0),
    serverErrors: valueAt(1),
    unauthenticatedRequests: valueAt(2),
    deniedRequests: valueAt(3),
    rateLimitedRequests: valueAt(4),
    bannedRequests: valueAt(5),
    failedAuthentications: valueAt(6),
    successfulLogIns: valueAt(7),
    suspiciousRequests: valueAt(8),
  }
}
