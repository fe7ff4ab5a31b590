import { type Gist, joined, restOf } from './gist.ts'

/** Findings that wait to be written, in one gist for each alert. */
export interface PendingGist {
  gist: Gist
  /** The alert that they belong to, where this node knows it. */
  readonly alertId: string | null
  dueAtMs: number
  failedCount: number
}

/** What became of a gist. */
export interface WrittenGist {
  readonly alertId: string
  /** It went to what there is too much of. */
  readonly isRest: boolean
}

const groupMaxCount = 100
const knownKeyMaxCount = 20_000
const knownAlertMaxCount = 1_000
const everyMs = 1_000
const restMs = 60_000
const longestWaitMs = 60_000

/**
 * What has been found and is not written yet. The first finding of an attack is due at once, and what follows at most
 * once a second for each alert, in one gist: a flood of findings is not a flood of UPDATEs. However many different
 * attacks there are, it holds a hundred gists, and one more for each detector.
 *
 * @see OWASP ASVS 5.0 §15.2.2
 */
export class PendingFindings {
  readonly #waiting = new Set<PendingGist>()
  readonly #byKey = new Map<string, PendingGist>()
  readonly #byAlert = new Map<string, PendingGist>()
  // What this node has written lately: the oldest is forgotten first, and costs no more than a write too many.
  readonly #alertOfKey = new Map<string, string>()
  readonly #writtenAtMs = new Map<string, number>()
  readonly #restUntilMs = new Map<string, number>()

  get count(): number {
    return this.#waiting.size
  }

  add(gist: Gist, nowMs: number): void {
    const lookups = [...gist.own, ...gist.also]
    const alertId = firstOf(lookups, this.#alertOfKey) ?? null
    const waiting =
      (alertId === null ? undefined : this.#byAlert.get(alertId)) ?? firstOf(lookups, this.#byKey)
    if (waiting !== undefined) this.#join(waiting, gist)
    else if (alertId !== null || !this.#isTooMuch(gist, nowMs)) this.#begin(gist, alertId, nowMs)
    else this.#addRest(restOf(gist), nowMs)
  }

  #isTooMuch({ everybody }: Gist, nowMs: number): boolean {
    return this.#waiting.size >= groupMaxCount || nowMs < (this.#restUntilMs.get(everybody) ?? 0)
  }

  #addRest(rest: Gist, nowMs: number): void {
    const waiting = this.#byKey.get(rest.everybody)
    if (waiting !== undefined) this.#join(waiting, rest)
    else this.#begin(rest, this.#alertOfKey.get(rest.everybody) ?? null, nowMs)
  }

  #begin(gist: Gist, alertId: string | null, nowMs: number): void {
    const writtenAtMs = alertId === null ? undefined : this.#writtenAtMs.get(alertId)
    const dueAtMs = writtenAtMs === undefined ? nowMs : Math.max(nowMs, writtenAtMs + everyMs)
    const pending: PendingGist = { gist, alertId, dueAtMs, failedCount: 0 }
    this.#waiting.add(pending)
    this.#index(pending)
  }

  #join(pending: PendingGist, gist: Gist): void {
    pending.gist = joined(pending.gist, gist)
    this.#index(pending)
  }

  #index(pending: PendingGist): void {
    for (const key of pending.gist.own) if (!this.#byKey.has(key)) this.#byKey.set(key, pending)
    if (pending.alertId !== null) this.#byAlert.set(pending.alertId, pending)
  }

  /** When the next gist is due; `undefined` when none waits. */
  nextDueAtMs(): number | undefined {
    let next: number | undefined
    for (const { dueAtMs } of this.#waiting) if (next === undefined || dueAtMs < next) next = dueAtMs
    return next
  }

  /** Takes a gist that is due out: what comes from now on begins another. */
  take(nowMs: number): PendingGist | undefined {
    for (const pending of this.#waiting) {
      if (pending.dueAtMs > nowMs) continue
      this.#waiting.delete(pending)
      for (const key of pending.gist.own) if (this.#byKey.get(key) === pending) this.#byKey.delete(key)
      const { alertId } = pending
      if (alertId !== null && this.#byAlert.get(alertId) === pending) this.#byAlert.delete(alertId)
      return pending
    }
    return undefined
  }

  /** Remembers where a gist went. */
  written({ gist }: PendingGist, { alertId, isRest }: WrittenGist, nowMs: number): void {
    if (isRest) this.#restUntilMs.set(gist.everybody, nowMs + restMs)
    for (const key of isRest ? [gist.everybody] : gist.own)
      remember(this.#alertOfKey, key, alertId, knownKeyMaxCount)
    remember(this.#writtenAtMs, alertId, nowMs, knownAlertMaxCount)
  }

  /** Takes a gist back that could not be written, for a later time: longer each time, a minute at most. */
  putBack(pending: PendingGist, nowMs: number): void {
    const failedCount = pending.failedCount + 1
    const dueAtMs = nowMs + Math.min(longestWaitMs, everyMs * 2 ** (failedCount - 1))
    // What came meanwhile and belongs to it stands by itself; the database brings both together.
    const again: PendingGist = { ...pending, dueAtMs, failedCount }
    this.#waiting.add(again)
    for (const key of again.gist.own) if (!this.#byKey.has(key)) this.#byKey.set(key, again)
    if (again.alertId !== null && !this.#byAlert.has(again.alertId)) this.#byAlert.set(again.alertId, again)
  }
}

function firstOf<T>(keys: readonly string[], map: ReadonlyMap<string, T>): T | undefined {
  for (const key of keys) {
    const found = map.get(key)
    if (found !== undefined) return found
  }
  return undefined
}

function remember<T>(map: Map<string, T>, key: string, value: T, maxCount: number): void {
  map.delete(key)
  map.set(key, value)
  if (map.size <= maxCount) return
  const oldest = map.keys().next()
  if (!oldest.done) map.delete(oldest.value)
}
