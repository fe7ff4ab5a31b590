import { setTimeout as delay } from 'node:timers/promises'

/** What {@link openQueue} is made of. */
export interface QueueParts<Job> {
  readonly carryOut: (job: Job) => Promise<void>
  /** How many may wait. */
  readonly maxCount: number
  /** How many are carried out within a second. */
  readonly perSecondCount: number
  readonly onFailure: (error: unknown) => void
  /** Told once when there begins to be no room, for the log. */
  readonly onFull: () => void
}

/** Jobs that are carried out one after the other, and never too many of them. */
export interface JobQueue<Job> {
  /** Takes a job. One that waits under the same key is replaced; when there is no room it is dropped. */
  add(key: string, job: Job): void
  readonly waitingCount: number
  /** Resolves when nothing waits and nothing runs. */
  idle(): Promise<void>
  /** Ends when the job at hand is done; those that wait are dropped. */
  close(): Promise<void>
}

/**
 * Opens a queue. Whoever attacks from very many places makes very many findings: what they cost the database is bounded
 * here, in number and in time.
 *
 * @see OWASP ASVS 5.0 §15.2.2
 */
export function openQueue<Job>(parts: QueueParts<Job>): JobQueue<Job> {
  const { carryOut, maxCount, perSecondCount, onFailure, onFull } = parts
  const waiting = new Map<string, Job>()
  const closing = new AbortController()
  let running: Promise<void> | undefined
  let isFull = false

  async function run(): Promise<void> {
    let startedAtMs = performance.now()
    let count = 0
    // The one who adds goes on first.
    await Promise.resolve()
    for (let next = first(waiting); next !== undefined && !closing.signal.aborted; next = first(waiting)) {
      const [key, job] = next
      waiting.delete(key)
      try {
        await carryOut(job)
      } catch (error) {
        onFailure(error)
      }
      count += 1
      if (count < perSecondCount) continue
      await pause(1_000 - (performance.now() - startedAtMs))
      startedAtMs = performance.now()
      count = 0
    }
    isFull = false
    // Here and not in a callback: whoever adds between the two would wait for nobody.
    running = undefined
  }

  async function pause(forMs: number): Promise<void> {
    if (forMs <= 0) return
    await delay(forMs, undefined, { signal: closing.signal, ref: false }).catch(() => undefined)
  }

  return {
    add(key, job) {
      if (closing.signal.aborted) return
      if (waiting.size >= maxCount && !waiting.has(key)) {
        if (!isFull) onFull()
        isFull = true
        return
      }
      waiting.set(key, job)
      running ??= run()
    },
    get waitingCount() {
      return waiting.size
    },
    async idle() {
      while (running !== undefined) await running
    },
    async close() {
      closing.abort()
      waiting.clear()
      await running
    },
  }
}

function first<Job>(waiting: ReadonlyMap<string, Job>): [string, Job] | undefined {
  for (const entry of waiting) return entry
  return undefined
}
