import { DistinctValues, type Hasher, SignalSlices } from './counts.ts'
import type { Detector } from './detector.ts'
import { Samples } from './samples.ts'
import { countedValue, type Signal } from './signal.ts'

/** What is remembered of one subject. */
export interface Track {
  readonly count: DistinctValues | SignalSlices
  /** The different accounts that raise the threshold. */
  readonly allowed: DistinctValues | undefined
  readonly samples: Samples
  firstMs: number
  lastMs: number
  /** Until when each stage says nothing. */
  readonly quietUntilMs: number[]
}

/** How much one detector remembers at most. */
export interface TallyBounds {
  readonly subjectCount: number
  /** Different values, of all subjects together. */
  readonly valueCount: number
}

/**
 * What one detector has counted, subject by subject. Whatever is sent, it has an end: the subject that was silent for
 * the longest goes first, so that an attacker with new addresses drives out old addresses and not the others at work.
 */
export class Tally {
  readonly #detector: Detector
  readonly #bounds: TallyBounds
  readonly #hash: Hasher
  // In the order of their last signal.
  readonly #tracks = new Map<string, Track>()
  #valueCount = 0

  constructor(detector: Detector, bounds: TallyBounds, hash: Hasher) {
    this.#detector = detector
    this.#bounds = bounds
    this.#hash = hash
  }

  get subjectCount(): number {
    return this.#tracks.size
  }

  /** How many different values it remembers. */
  get valueCount(): number {
    return this.#valueCount
  }

  /** Counts a signal. @returns `undefined` when it has nothing that this detector counts */
  add(subject: string, signal: Signal): Track | undefined {
    const { counts } = this.#detector
    const value = counts === 'signals' ? '' : countedValue(counts, signal)
    if (value === undefined) return undefined
    const track = this.#touched(subject, signal.atMs)
    this.#remember(track.count, value, signal.atMs)
    track.samples.add(signal)
    track.lastMs = signal.atMs
    this.#makeRoom()
    return track
  }

  /** Counts a signal that raises the threshold. @returns the account that it counts as */
  allow(subject: string, signal: Signal): string | undefined {
    const value = countedValue('accounts', signal)
    if (value === undefined) return undefined
    const { allowed } = this.#touched(subject, signal.atMs)
    if (allowed !== undefined) this.#remember(allowed, value, signal.atMs)
    this.#makeRoom()
    return value
  }

  find(subject: string): Track | undefined {
    return this.#tracks.get(subject)
  }

  #remember(count: DistinctValues | SignalSlices, value: string, atMs: number): void {
    const before = count.size
    count.add(value === '' ? 0 : this.#hash(value), atMs)
    this.#valueCount += count.size - before
  }

  #touched(subject: string, atMs: number): Track {
    const known = this.#tracks.get(subject)
    // What is older than the window is gone, with its samples.
    const track = known !== undefined && known.lastMs > atMs - this.#detector.windowMs ? known : undefined
    if (known !== undefined) this.#tracks.delete(subject)
    if (known !== undefined && track === undefined) this.#valueCount -= sizeOf(known)
    const kept = track ?? newTrack(this.#detector, atMs, known?.quietUntilMs)
    kept.lastMs = Math.max(kept.lastMs, atMs)
    this.#tracks.set(subject, kept)
    return kept
  }

  #makeRoom(): void {
    const { subjectCount, valueCount } = this.#bounds
    while (this.#tracks.size > 1 && (this.#tracks.size > subjectCount || this.#valueCount > valueCount)) {
      const [oldest] = this.#tracks
      if (oldest === undefined) return
      this.#tracks.delete(oldest[0])
      this.#valueCount -= sizeOf(oldest[1])
    }
  }
}

function newTrack(
  { counts, windowMs, allowance, ...detector }: Detector,
  atMs: number,
  quietUntilMs: number[] = [0, 0],
): Track {
  const most = Math.max(detector.thresholdCount, detector.escalation?.thresholdCount ?? 0)
  const room = (allowance?.mostCount ?? 0) * ((allowance?.eachPercent ?? 0) / 100)
  const valueCount = detector.valueCount ?? Math.ceil(most + room)
  return {
    count: counts === 'signals' ? new SignalSlices(windowMs) : new DistinctValues(windowMs, valueCount),
    allowed: allowance === undefined ? undefined : new DistinctValues(windowMs, allowance.mostCount),
    samples: new Samples(),
    firstMs: atMs,
    lastMs: atMs,
    quietUntilMs,
  }
}

function sizeOf({ count, allowed }: Track): number {
  return count.size + (allowed?.size ?? 0)
}
