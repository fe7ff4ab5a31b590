import type { Gist } from './gist.ts'
import { PendingFindings, type PendingGist, type WrittenGist } from './pending.ts'

/** What a writer is made of. */
export interface WriterParts {
  /** Writes one gist in one transaction. */
  readonly write: (gist: Gist) => Promise<WrittenGist>
  readonly nowMs: () => number
  /** Told when writing has begun to fail; not again before it has worked. */
  readonly onFailure: (error: unknown) => void
}

const shortestWaitMs = 10
const longestWaitMs = 1_000
const lastAttemptCount = 3

/** Writes findings, one gist after the other. What a database does not take is kept, and tried again. */
export class FindingWriter {
  readonly #parts: WriterParts
  readonly #pending = new PendingFindings()
  #timer: NodeJS.Timeout | undefined
  #running: Promise<void> | null = null
  #isFailing = false
  #isEnded = false

  constructor(parts: WriterParts) {
    this.#parts = parts
  }

  add(gist: Gist): void {
    if (this.#isEnded) return
    this.#pending.add(gist, this.#parts.nowMs())
    this.#schedule()
  }

  /** Writes everything now, due or not. */
  async idle(): Promise<void> {
    await this.#running
    if (this.#pending.count === 0) return
    await this.#run(Number.POSITIVE_INFINITY)
  }

  async end(): Promise<void> {
    this.#isEnded = true
    for (let attempt = 0; attempt < lastAttemptCount && this.#pending.count > 0; attempt += 1)
      await this.idle()
    clearTimeout(this.#timer)
    await this.#running
  }

  #schedule(): void {
    if (this.#running !== null || this.#timer !== undefined) return
    const { nowMs } = this.#parts
    const dueAtMs = this.#pending.nextDueAtMs()
    if (dueAtMs === undefined) return
    const waitMs = dueAtMs - nowMs()
    if (waitMs <= 0) {
      void this.#run()
      return
    }
    // Looked at again after a second at the latest: the wall clock may be put back.
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined
        void this.#run()
      },
      Math.min(longestWaitMs, Math.max(shortestWaitMs, waitMs)),
    )
    this.#timer.unref()
  }

  /** One round at a time. @param untilMs Up to when a gist has to be due; now unless given. */
  async #run(untilMs?: number): Promise<void> {
    while (this.#running !== null) await this.#running
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#running = this.#round(untilMs)
    try {
      await this.#running
    } finally {
      this.#running = null
    }
    this.#schedule()
  }

  async #round(untilMs: number | undefined): Promise<void> {
    const failed: PendingGist[] = []
    for (;;) {
      const pending = this.#pending.take(untilMs ?? this.#parts.nowMs())
      if (pending === undefined) break
      if (!(await this.#write(pending))) failed.push(pending)
    }
    for (const pending of failed) this.#pending.putBack(pending, this.#parts.nowMs())
  }

  async #write(pending: PendingGist): Promise<boolean> {
    const { write, nowMs, onFailure } = this.#parts
    try {
      this.#pending.written(pending, await write(pending.gist), nowMs())
      this.#isFailing = false
      return true
    } catch (error) {
      if (!this.#isFailing) onFailure(error)
      this.#isFailing = true
      return false
    }
  }
}
