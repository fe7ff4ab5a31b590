import type { Hasher } from './counts.ts'
import type { Detector } from './detector.ts'
import type { Finding, ResponseName } from './finding.ts'
import { countedValue, type Signal, type SignalName, subjectOf } from './signal.ts'
import { Tally, type TallyBounds, type Track } from './tally.ts'

/** What one detector has counted of one subject, to be told to other nodes. */
export interface CountedSignal {
  readonly detector: Detector
  readonly subject: string
  /** What it counts as where only different ones count; `undefined` where each does. */
  readonly value: string | undefined
  /** Whether it raises the threshold instead of being counted against it. */
  readonly isAllowance: boolean
}

/** What a detector has found, and what has to be claimed before it is told. */
export interface Discovery {
  readonly detector: Detector
  readonly subject: string
  /** `second` is the escalation. */
  readonly stage: 'first' | 'second'
  readonly finding: Finding
}

/** What the engine tells. */
export interface EngineHooks {
  /** At each signal that counts. */
  readonly onCounted?: (counted: CountedSignal) => void
  readonly onDiscovery: (discovery: Discovery) => void
}

/** Counts of all nodes together. */
export interface Totals {
  readonly count: number
  readonly allowedCount: number
}

/** Counts signals by detectors that are data, and tells when one is over its threshold. It waits for nothing. */
export class Engine {
  readonly #hooks: EngineHooks
  readonly #tallies: ReadonlyMap<string, Tally>
  readonly #bySignal = new Map<SignalName, Detector[]>()
  readonly #allowedBySignal = new Map<SignalName, Detector[]>()

  constructor(detectors: readonly Detector[], bounds: TallyBounds, hash: Hasher, hooks: EngineHooks) {
    this.#hooks = hooks
    this.#tallies = new Map(
      detectors.map((detector) => [detector.name, new Tally(detector, bounds, hash)] as const),
    )
    for (const detector of detectors) {
      for (const name of detector.signals) enter(this.#bySignal, name, detector)
      for (const name of detector.allowance?.signals ?? []) enter(this.#allowedBySignal, name, detector)
    }
  }

  /** Whether any detector takes such a signal. */
  takes(name: SignalName): boolean {
    return this.#bySignal.has(name) || this.#allowedBySignal.has(name)
  }

  /** How many subjects and values all detectors remember. */
  get size(): { readonly subjectCount: number; readonly valueCount: number } {
    const tallies = [...this.#tallies.values()]
    return {
      subjectCount: tallies.reduce((sum, tally) => sum + tally.subjectCount, 0),
      valueCount: tallies.reduce((sum, tally) => sum + tally.valueCount, 0),
    }
  }

  take(signal: Signal): void {
    for (const detector of this.#allowedBySignal.get(signal.name) ?? []) this.#allow(detector, signal)
    for (const detector of this.#bySignal.get(signal.name) ?? []) this.#count(detector, signal)
  }

  /** Judges a subject once more, by the counts of all nodes. */
  judgeByTotals(detector: Detector, subject: string, totals: Totals, nowMs: number): void {
    const track = this.#tallies.get(detector.name)?.find(subject)
    if (track !== undefined) this.#judge(detector, subject, track, { totals, nowMs })
  }

  #allow(detector: Detector, signal: Signal): void {
    const subject = subjectOf(detector.by, signal)
    const value = subject === undefined ? undefined : this.#tallies.get(detector.name)?.allow(subject, signal)
    if (subject !== undefined && value !== undefined)
      this.#hooks.onCounted?.({ detector, subject, value, isAllowance: true })
  }

  #count(detector: Detector, signal: Signal): void {
    const subject = subjectOf(detector.by, signal)
    const track = subject === undefined ? undefined : this.#tallies.get(detector.name)?.add(subject, signal)
    if (subject === undefined || track === undefined) return
    const value = detector.counts === 'signals' ? undefined : countedValue(detector.counts, signal)
    this.#hooks.onCounted?.({ detector, subject, value, isAllowance: false })
    this.#judge(detector, subject, track, { totals: { count: 0, allowedCount: 0 }, nowMs: signal.atMs })
  }

  #judge(
    detector: Detector,
    subject: string,
    track: Track,
    { totals, nowMs }: { readonly totals: Totals; readonly nowMs: number },
  ): void {
    const count = Math.max(track.count.at(nowMs), totals.count)
    // Below the floor nothing has to be counted out.
    if (count < detector.thresholdCount) return
    const allowance = allowanceOf(detector, track, totals.allowedCount, nowMs)
    if (allowance === undefined) return
    for (const [stage, { thresholdCount, responses }] of stagesOf(detector).entries()) {
      if (count < thresholdCount + allowance) return
      if (nowMs < (track.quietUntilMs[stage] ?? 0)) continue
      track.quietUntilMs[stage] = nowMs + detector.quietMs
      const finding = findingOf(detector, subject, track, { count, responses })
      this.#hooks.onDiscovery({ detector, subject, stage: stage === 0 ? 'first' : 'second', finding })
    }
  }
}

function enter(map: Map<SignalName, Detector[]>, name: SignalName, detector: Detector): void {
  const known = map.get(name)
  if (known === undefined) map.set(name, [detector])
  else known.push(detector)
}

interface Stage {
  readonly thresholdCount: number
  readonly responses: readonly ResponseName[]
}

function stagesOf(detector: Detector): readonly Stage[] {
  return detector.escalation === undefined ? [detector] : [detector, detector.escalation]
}

/** By how much the threshold is higher; `undefined` when there are more accounts than can be counted here. */
function allowanceOf(
  { allowance, by }: Detector,
  { allowed }: Track,
  totalCount: number,
  nowMs: number,
): number | undefined {
  if (allowance === undefined) return 0
  const count = Math.min(allowance.mostCount, Math.max(allowed?.at(nowMs) ?? 0, totalCount))
  // Of everybody there must be a share. Of an unknown number nobody knows it, and an alarm each hour helps nobody.
  if (by === 'everybody' && count >= allowance.mostCount) return undefined
  return Math.floor((count * allowance.eachPercent) / 100)
}

function findingOf(
  detector: Detector,
  subject: string,
  track: Track,
  { count, responses }: { readonly count: number; readonly responses: readonly ResponseName[] },
): Finding {
  const { name, points, event, level, by, summary, windowMs } = detector
  return {
    detector: name,
    points,
    event,
    level,
    subject: { by, value: subject },
    summary,
    count,
    windowMs,
    firstMs: Math.max(track.firstMs, track.lastMs - windowMs),
    lastMs: track.lastMs,
    ...track.samples.all,
    responses,
  }
}
