import type { EventListener } from '../audit/index.ts'
import type { ProblemCode } from '../errors/index.ts'
import type { ObservedRequest, ObserveRequest } from '../http/index.ts'
import { type Family, family } from './catalogue.ts'
import { EventCounts, isFinding } from './event-counts.ts'
import { type Exposition, expose, wantsOpenMetrics } from './exposition.ts'
import { mergedFamilies, mergedSummary, type WorkerFigures } from './merge.ts'
import { type Figure, Minutes } from './minutes.ts'
import { RequestCounts } from './request-counts.ts'
import { sourceFamilies } from './source-families.ts'
import { type MetricSources, type SourceName, sourceReader } from './sources.ts'
import { countsOf, type SecuritySummary } from './summary.ts'

/** The metrics of one server. */
export interface Metrics {
  /** Counts a request; it takes less than half a microsecond and never throws. */
  readonly observe: ObserveRequest
  /** Counts events: a listener of the audit trail. */
  readonly observeEvents: EventListener
  /**
   * All metrics as Prometheus reads them.
   *
   * @param accept The field `Accept`: OpenMetrics for whoever prefers it, else the text format 0.0.4.
   */
  exposition(accept: string | undefined): Promise<Exposition>
  /** The figures about security, without addresses and ids. */
  securitySummary(): Promise<SecuritySummary>
  /** What this server alone tells of itself; plain data, to be added to that of others. */
  figures(): Promise<WorkerFigures>
}

/** What all workers tell of themselves. */
export interface AllFigures {
  readonly values: readonly WorkerFigures[]
  /** Of workers that have ended: what they had told last. */
  readonly left: readonly WorkerFigures[]
}

/** What {@link createMetrics} is made of. */
export interface MetricsParts {
  /** The version of the application or of Holdfast, for `holdfast_build_info`. */
  readonly version: string
  /** What is read at each scrape. */
  readonly sources?: MetricSources
  /**
   * The names of the detectors that run. Their findings begin at zero: Prometheus sees no growth in a series that
   * begins with the hundred findings of an attack.
   */
  readonly detectors?: readonly string[]
  /** Told of a source that has failed or has not answered in time, once for each time it is asked. */
  readonly onFailure?: (source: SourceName, error: unknown) => void
  /** Asks all workers for their {@link Metrics.figures}, this one too; a server that is alone has none to ask. */
  readonly workers?: (() => Promise<AllFigures>) | undefined
  /** How long all sources have together, in milliseconds; 2,000 unless given. */
  readonly sourcesMs?: number
  /** The wall clock, in milliseconds since 1970. */
  readonly nowMs?: () => number
}

const defaultSourcesMs = 2_000
const freshMs = 1_000
const hourMinuteCount = 60
const dayMinuteCount = 24 * 60

/**
 * Metrics of their own for one server: nothing is global, so two servers in one process do not meet. Counting needs
 * no timer and no library; prom-client is loaded by the first scrape.
 *
 * @see OWASP ASVS 5.0 §16.3, §13.4.5 (nothing that identifies anybody is in them)
 * @example
 * const metrics = createMetrics({ version: '1.4.0', sources: { mail: async () => ({ waitingCount: await countMails(db) }) } })
 * trail.listen(metrics.observeEvents)
 * const { type, content } = await metrics.exposition(request.headers.accept)
 */
export function createMetrics(parts: MetricsParts): Metrics {
  const { version, sources = {}, sourcesMs = defaultSourcesMs, nowMs = Date.now } = parts
  const requests = new RequestCounts()
  const events = new EventCounts(parts.detectors)
  const minutes = new Minutes(nowMs)
  const startedAtMs = nowMs()
  const read = sourceReader({
    sources,
    limitMs: sourcesMs,
    freshMs,
    nowMs,
    onFailure: parts.onFailure ?? (() => undefined),
  })
  const own = {
    async families(): Promise<readonly Family[]> {
      const reading = await read()
      return [
        family('holdfast_build_info', [{ labels: { version }, value: 1 }]),
        ...requests.families(),
        ...events.families(),
        ...derivedFamilies(requests, events),
        ...sourceFamilies(reading),
      ]
    },
    async summary(): Promise<SecuritySummary> {
      const { values } = await read()
      const now = nowMs()
      return {
        generatedAt: new Date(now).toISOString(),
        uptimeSeconds: Math.max(0, now - startedAtMs) / 1_000,
        blockedAddresses: values.bans?.addressCount ?? null,
        bannedAccounts: values.bans?.accountCount ?? null,
        activeUsers: values.sessions?.userCount ?? null,
        activeSessions: values.sessions?.sessionCount ?? null,
        openAlerts: values.alerts?.openCount ?? null,
        sinceStart: countsOf({ figures: minutes.sinceStart(), events: events.byName() }),
        lastHour: countsOf(minutes.last(hourMinuteCount)),
        lastDay: countsOf(minutes.last(dayMinuteCount)),
      }
    },
  }
  return {
    observe(request) {
      requests.add(request)
      countRequest(minutes, request)
    },
    observeEvents(batch) {
      const slot = minutes.slot()
      for (const recorded of batch) {
        minutes.addEvent(slot, events.add(recorded))
        const figure = isFinding(recorded) ? 'suspiciousRequests' : figureOfEvent[recorded.event]
        if (figure !== undefined) minutes.add(slot, figure)
      }
    },
    async exposition(accept) {
      const all = await parts.workers?.()
      const families =
        all === undefined || all.values.length === 0
          ? await own.families()
          : mergedFamilies(all.values.map(familiesOf), all.left.map(familiesOf))
      return await expose(families, wantsOpenMetrics(accept))
    },
    async securitySummary() {
      const all = await parts.workers?.()
      const [first, ...others] = all?.values.map(({ summary }) => summary) ?? []
      return first === undefined ? await own.summary() : mergedSummary(first, others)
    },
    figures: async () => ({ families: await own.families(), summary: await own.summary() }),
  }
}

function familiesOf({ families }: WorkerFigures): readonly Family[] {
  return families
}

const figureOfEvent: Readonly<Record<string, Figure>> = {
  authn_login_fail: 'failedAuthentications',
  authn_login_success: 'successfulLogIns',
  authn_login_successafterfail: 'successfulLogIns',
}

const figureOfProblem: Partial<Readonly<Record<ProblemCode, Figure>>> = {
  UNAUTHENTICATED: 'unauthenticatedRequests',
  REAUTHENTICATION_REQUIRED: 'unauthenticatedRequests',
  FORBIDDEN: 'deniedRequests',
  CROSS_SITE_REFUSED: 'deniedRequests',
  QUOTA_EXCEEDED: 'rateLimitedRequests',
  ABNORMAL_USAGE: 'bannedRequests',
}

function countRequest(minutes: Minutes, { status, problem }: ObservedRequest): void {
  const slot = minutes.slot()
  minutes.add(slot, 'requests')
  if (status >= 500) minutes.add(slot, 'serverErrors')
  const figure = problem === null ? undefined : figureOfProblem[problem]
  if (figure !== undefined) minutes.add(slot, figure)
}

/** What is known from requests and events, under names of its own. Each series is there from the start, at zero. */
function derivedFamilies(requests: RequestCounts, events: EventCounts): Family[] {
  const event = (...names: readonly string[]): number =>
    names.reduce((sum, name) => sum + events.count(name), 0)
  return [
    family('holdfast_logins_total', [
      { labels: { result: 'success' }, value: event('authn_login_success', 'authn_login_successafterfail') },
      { labels: { result: 'failure' }, value: event('authn_login_fail') },
    ]),
    family('holdfast_denials_total', [
      { labels: { kind: 'unauthenticated' }, value: requests.problemCount('UNAUTHENTICATED') },
      { labels: { kind: 'reauthentication' }, value: requests.problemCount('REAUTHENTICATION_REQUIRED') },
      { labels: { kind: 'forbidden' }, value: requests.problemCount('FORBIDDEN') },
      { labels: { kind: 'cross_site' }, value: requests.problemCount('CROSS_SITE_REFUSED') },
      { labels: { kind: 'foreign_row' }, value: events.foreignRowCount },
    ]),
    family('holdfast_limiter_refusals_total', [
      { labels: { kind: 'limit' }, value: requests.problemCount('QUOTA_EXCEEDED') },
      { labels: { kind: 'ban' }, value: requests.problemCount('ABNORMAL_USAGE') },
    ]),
    family('holdfast_tokens_issued_total', [
      { labels: { grant: 'login' }, value: event('session_created') },
      { labels: { grant: 'refresh' }, value: event('session_renewed') },
    ]),
    family('holdfast_tokens_refused_total', [
      { labels: { kind: 'reused' }, value: event('authn_token_reuse') },
      { labels: { kind: 'ended' }, value: event('session_use_after_expire') },
    ]),
  ]
}
