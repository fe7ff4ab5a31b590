import { eventCatalogue, isKnownEvent, type RecordedEvent } from '../events/index.ts'
import { type Family, family, type Sample } from './catalogue.ts'

const appNameMaxCount = 100
const wordMaxCount = 100
const responseMaxCount = 200

/** Counts the events of the trail. Every label is a name of the code, and of each there is a bounded number. */
export class EventCounts {
  // From zero, because Prometheus does not see a counter grow that was not there before.
  readonly #byName = new Map<string, number>(Object.keys(eventCatalogue).map((name) => [name, 0]))
  readonly #findings: BoundedCounts
  readonly #responses = new BoundedCounts(responseMaxCount)
  #appNameCount = 0
  #foreignRowCount = 0

  /** @param detectors The names of the detectors that run; their findings begin at zero. */
  constructor(detectors: readonly string[] = []) {
    this.#findings = new BoundedCounts(wordMaxCount, detectors)
  }

  /** @returns the name that it was counted under */
  add(recorded: RecordedEvent): string {
    const name = this.#nameOf(recorded.event)
    this.#byName.set(name, (this.#byName.get(name) ?? 0) + 1)
    this.#addDetails(recorded)
    return name
  }

  #addDetails(recorded: RecordedEvent): void {
    const { event, details } = recorded
    if (details === undefined || !isKnownEvent(event)) return
    if (isFinding(recorded)) this.#findings.add(wordOf(details['detector']))
    else if (event === 'response_applied')
      this.#responses.add(['response', 'mode', 'outcome'].map((name) => wordOf(details[name])).join(' '))
    else if (event === 'authz_fail' && details['resource'] !== undefined) this.#foreignRowCount += 1
  }

  /** How many events of this name. */
  count(name: string): number {
    return this.#byName.get(name) ?? 0
  }

  get foreignRowCount(): number {
    return this.#foreignRowCount
  }

  /** Names and counts, those that have happened. */
  byName(): Record<string, number> {
    return Object.fromEntries([...this.#byName].filter(([, count]) => count > 0))
  }

  families(): Family[] {
    const responses = this.#responses.entries().map(([key, value]): Sample => {
      const [response = 'other', mode = 'other', outcome = 'other'] = key.split(' ')
      return { labels: { response, mode, outcome }, value }
    })
    return [
      family(
        'holdfast_security_events_total',
        [...this.#byName].map(([event, value]) => ({ labels: { event }, value })),
      ),
      family(
        'holdfast_findings_total',
        this.#findings.entries().map(([detector, value]) => ({ labels: { detector }, value })),
      ),
      family('holdfast_responses_total', responses),
    ]
  }

  #nameOf(event: string): string {
    if (this.#byName.has(event)) return event
    if (this.#appNameCount >= appNameMaxCount) return 'other'
    this.#appNameCount += 1
    return event
  }
}

/**
 * Whether an event stands for what a detector has found. Such an event names the detector and its detection points,
 * and no other does.
 */
export function isFinding({ event, details }: RecordedEvent): boolean {
  return isKnownEvent(event) && details?.['detector'] !== undefined && details['points'] !== undefined
}

// An application may emit events of these names too, and put into them what a client has sent.
function wordOf(value: unknown): string {
  return typeof value === 'string' && /^[a-z0-9-]{1,60}$/.test(value) ? value : 'other'
}

/** Counts by words; those that come when there are too many are counted as `other`. */
class BoundedCounts {
  readonly #counts: Map<string, number>
  readonly #maxCount: number

  constructor(maxCount: number, known: readonly string[] = []) {
    this.#maxCount = maxCount
    this.#counts = new Map(known.slice(0, maxCount).map((word) => [word, 0]))
  }

  add(word: string): void {
    const known = this.#counts.has(word) || this.#counts.size < this.#maxCount ? word : 'other'
    this.#counts.set(known, (this.#counts.get(known) ?? 0) + 1)
  }

  entries(): [string, number][] {
    return [...this.#counts]
  }
}
