import { unguessableBytes } from '../crypto/index.ts'
import type { RecordedEvent } from '../events/index.ts'
import type { ObservedRequest } from '../http/index.ts'
import type { SharedCounts } from '../limits/index.ts'
import { hasherOf } from './counts.ts'
import { type Discovery, Engine } from './engine.ts'
import { type EventView, eventSignals } from './event-signals.ts'
import type { Finding } from './finding.ts'
import { addressMatcher, type DetectionOptions, detectorsFor } from './options.ts'
import { type RequestView, signalsOf } from './request-signals.ts'
import { SessionWatch } from './session-watch.ts'
import { Sharing } from './sharing.ts'
import type { Signal } from './signal.ts'
import { workingHours } from './working-hours.ts'

/** What detection is made of. */
export interface DetectionParts {
  readonly options?: DetectionOptions
  /** What other nodes count as well; this node alone unless given. */
  readonly shared?: SharedCounts
  /** Told of each finding, outside of any request. An error of it is swallowed: detection goes on. */
  readonly onFinding: (finding: Finding) => void
  /** The name of an e-mail address in events, where there is no account. Honeytokens that are addresses need it. */
  readonly pseudonymOf?: (email: string) => string
  /** Milliseconds since 1970; the clock unless given. */
  readonly nowMs?: () => number
}

/** Detectors at work. */
export interface Detection {
  /** Looks at a request whose reply is out. It never throws and waits for nothing. */
  observeRequest(request: ObservedRequest): void
  /** Looks at events, as a listener of the audit trail. It never throws and waits for nothing. */
  observeEvents(events: readonly RecordedEvent[]): void
  /** What all detectors remember at the moment. */
  readonly size: { readonly subjectCount: number; readonly valueCount: number; readonly sessionCount: number }
  /** Tells the other nodes what is left to be told, and ends. */
  close(): Promise<void>
}

const defaultSubjectCount = 10_000
// Different values of all subjects of one detector: some 10 MB for each, when somebody fills all of it.
const valueCount = 100_000

/**
 * Starts the detectors: they look at every request and every event, count by rules that are data, and tell what is over
 * its threshold. They remember a bounded amount, whatever is sent.
 *
 * @throws DetectionFault with everything that is wrong with the options
 * @see OWASP AppSensor; OWASP ASVS 5.0 §6.3.5, §16.3.3
 * @example
 * const detection = createDetection({ onFinding: (finding) => defence.onFinding(finding) })
 * trail.listen(detection.observeEvents)
 */
export function createDetection(parts: DetectionParts): Detection {
  const { options = {}, shared, onFinding, nowMs = Date.now } = parts
  const detectors = detectorsFor(options)
  const hash = hasherOf(unguessableBytes(16))
  const { subjectCount = defaultSubjectCount } = options
  const isTrusted = addressMatcher(options.trustedScanners ?? [])
  const tell = ({ finding }: Discovery): void => guarded(() => onFinding(finding))
  const sharing: Sharing | undefined =
    shared === undefined
      ? undefined
      : new Sharing(shared, tell, (detector, subject, totals) =>
          engine.judgeByTotals(detector, subject, totals, nowMs()),
        )
  const engine = new Engine(detectors, { subjectCount, valueCount }, hash, {
    ...(sharing === undefined ? {} : { onCounted: (counted) => sharing.add(counted) }),
    onDiscovery: (discovery) => (sharing === undefined ? tell(discovery) : sharing.claim(discovery)),
  })
  const take = (signal: Signal): void => {
    if (engine.takes(signal.name) && !isTrusted(signal.address)) engine.take(signal)
  }
  const sessions = engine.takes('session-moved') ? new SessionWatch(subjectCount, hash) : undefined
  const requestView = requestViewOf(options, sessions)
  const eventView = eventViewOf(parts)
  const isOff = detectors.length === 0
  return {
    observeRequest(request) {
      if (isOff || isTrusted(request.address)) return
      guarded(() => signalsOf(request, requestView, nowMs(), take))
    },
    observeEvents(events) {
      if (isOff) return
      for (const event of events) guarded(() => eventSignals(event, eventView, take))
    },
    get size() {
      return { ...engine.size, sessionCount: sessions?.sessionCount ?? 0 }
    },
    close: async () => sharing?.close(),
  }
}

function requestViewOf({ honeytokens }: DetectionOptions, sessions: SessionWatch | undefined): RequestView {
  return {
    sessions,
    trapRoutes: new Set((honeytokens?.routes ?? []).map((path) => path.toLowerCase())),
    trapFields: honeytokens?.fields ?? [],
  }
}

function eventViewOf({ options = {}, pseudonymOf }: DetectionParts): EventView {
  const { honeytokens, workingHours: hours } = options
  const credentials = honeytokens?.credentials ?? []
  const pseudonyms = credentials
    .filter((text) => text.includes('@'))
    .flatMap((email) => (pseudonymOf === undefined ? [] : [pseudonymOf(email.toLowerCase())]))
  return {
    trapAccounts: new Set([...credentials, ...pseudonyms]),
    trapFields: honeytokens?.fields ?? [],
    isWorkingTime: hours === undefined ? undefined : workingHours(hours),
  }
}

/** A reply is out and an event is in the table: what fails here concerns nobody. */
function guarded(work: () => void): void {
  try {
    work()
  } catch {
    // The next signal finds the same again.
  }
}
