import { Problem } from '../errors/index.ts'

/** Places to work that several queues share, such as those of the workers of one machine. */
export interface HashPlaces {
  /** Takes one of so many; `false` when all are taken. */
  enter(maxCount: number): boolean
  leave(): void
}

/** The bounds of a {@link HashQueue}. */
export interface QueueBounds {
  readonly runningMaxCount: number
  readonly waitingMaxCount: number
  readonly waitMaxMs: number
  /** Where the places of `runningMaxCount` are counted together with other queues. */
  readonly places?: HashPlaces | undefined
}

// A hash takes a tenth of a second: nobody says when another queue has given a place back.
const lookAgainMs = 10

interface Waiting {
  readonly start: () => void
  readonly refuse: (problem: Problem) => void
  timer: NodeJS.Timeout | undefined
}

/**
 * Lets a few do heavy work at once and some wait, fairly between those who ask: one after the other in turn, however
 * many of one are waiting. Who would wait too long is told so at once.
 */
export class HashQueue {
  readonly #bounds: QueueBounds
  /** By who asks, in the order of turns. */
  readonly #lines = new Map<string, Waiting[]>()
  #runningCount = 0
  #waitingCount = 0
  #refusedCount = 0
  #isClosed = false
  #lookAgain: NodeJS.Timeout | undefined

  constructor(bounds: QueueBounds) {
    this.#bounds = bounds
  }

  get waitingCount(): number {
    return this.#waitingCount
  }

  get runningCount(): number {
    return this.#runningCount
  }

  /** How many were refused since the start. */
  get refusedCount(): number {
    return this.#refusedCount
  }

  /** @throws OVERLOADED when too many wait, when the wait was too long, and once it is closed */
  async run<T>(from: string, work: () => Promise<T>): Promise<T> {
    await this.#admission(from)
    try {
      return await work()
    } finally {
      this.#runningCount -= 1
      this.#bounds.places?.leave()
      this.#next()
    }
  }

  /** Refuses whoever waits. What runs is finished. */
  close(): void {
    this.#isClosed = true
    clearTimeout(this.#lookAgain)
    for (const line of this.#lines.values()) {
      for (const waiting of line) {
        clearTimeout(waiting.timer)
        waiting.refuse(busy('the server stops'))
      }
    }
    this.#lines.clear()
    this.#waitingCount = 0
  }

  #admission(from: string): Promise<void> {
    if (this.#isClosed) throw busy('the server stops')
    if (this.#enter()) return Promise.resolve()
    const line = this.#lines.get(from) ?? []
    // One who asks for everything gets a quarter of the places.
    const perLineMaxCount = Math.max(1, this.#bounds.waitingMaxCount >> 2)
    if (this.#waitingCount >= this.#bounds.waitingMaxCount || line.length >= perLineMaxCount) {
      this.#refusedCount += 1
      throw busy('too many passwords wait to be hashed')
    }
    return new Promise((resolve, reject) => {
      const waiting: Waiting = { start: resolve, refuse: reject, timer: undefined }
      waiting.timer = setTimeout(() => this.#giveUp(from, waiting), this.#bounds.waitMaxMs)
      line.push(waiting)
      this.#lines.set(from, line)
      this.#waitingCount += 1
      this.#lookSoon()
    })
  }

  #enter(): boolean {
    const { runningMaxCount, places } = this.#bounds
    if (this.#runningCount >= runningMaxCount || places?.enter(runningMaxCount) === false) return false
    this.#runningCount += 1
    return true
  }

  /** Where another queue has the places that this one waits for, none of its own will end and make room. */
  #lookSoon(): void {
    const { runningMaxCount, places } = this.#bounds
    if (places === undefined || this.#waitingCount === 0 || this.#runningCount >= runningMaxCount) return
    this.#lookAgain ??= setTimeout(() => {
      this.#lookAgain = undefined
      this.#next()
    }, lookAgainMs)
  }

  #giveUp(from: string, waiting: Waiting): void {
    const line = this.#lines.get(from)
    const index = line?.indexOf(waiting) ?? -1
    if (line === undefined || index < 0) return
    line.splice(index, 1)
    if (line.length === 0) this.#lines.delete(from)
    this.#waitingCount -= 1
    this.#refusedCount += 1
    waiting.refuse(busy('the wait for a hash was too long'))
  }

  #next(): void {
    const [from, line] = this.#lines.entries().next().value ?? []
    const waiting = line?.shift()
    if (from === undefined || line === undefined || waiting === undefined) return
    if (!this.#enter()) {
      line.unshift(waiting)
      this.#lookSoon()
      return
    }
    // To the end of the turns.
    this.#lines.delete(from)
    if (line.length > 0) this.#lines.set(from, line)
    this.#waitingCount -= 1
    clearTimeout(waiting.timer)
    waiting.start()
    this.#lookSoon()
  }
}

function busy(reason: string): Problem {
  return new Problem('OVERLOADED', reason, { headers: { 'retry-after': '2' } })
}
