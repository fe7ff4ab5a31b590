import type { ProblemCode } from '../errors/index.ts'
import type { ObservedRequest } from '../http/index.ts'
import { type Family, family, type Sample } from './catalogue.ts'

/** The bounds of the buckets for durations, in seconds. */
export const durationBoundsSeconds: readonly number[] = [
  0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
]

const boundsMs = Float64Array.from(durationBoundsSeconds, (seconds) => seconds * 1_000)
const knownMethods: ReadonlySet<string> = new Set([
  ...['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'],
])
// Patterns come from declarations, so this is never reached; were it, memory would be bounded all the same.
const routeMaxCount = 5_000

/** Requests of one route and one method. */
class Series {
  readonly method: string
  readonly route: string
  readonly byStatus = new Map<number, number>()
  /** One more than there are bounds: the last is for what took longer than all of them. */
  readonly buckets = new Float64Array(boundsMs.length + 1)
  sumMs = 0

  constructor(method: string, route: string) {
    this.method = method
    this.route = route
  }

  add(status: number, durationMs: number): void {
    this.byStatus.set(status, (this.byStatus.get(status) ?? 0) + 1)
    let index = 0
    while (index < boundsMs.length && durationMs > (boundsMs[index] ?? 0)) index += 1
    this.buckets[index] = (this.buckets[index] ?? 0) + 1
    this.sumMs += durationMs
  }
}

/**
 * Counts requests by route, method and status, and their durations.
 *
 * Client text never becomes a label: the route is a declared pattern or `unmatched`, and a method that HTTP servers do
 * not have is `other`. Otherwise, a client that sends a new path with each request would fill the memory of this
 * process and of Prometheus.
 */
export class RequestCounts {
  readonly #series = new Map<string, Map<string, Series>>()
  readonly #problems = new Map<ProblemCode, number>()

  /** One look-up by route and one by method; it makes no garbage for a series that is there. */
  add({ method, route, status, durationMs, problem }: ObservedRequest): void {
    const series =
      this.#series.get(route ?? 'unmatched')?.get(method) ?? this.#seriesOf(method, route ?? 'unmatched')
    series.add(status, durationMs)
    if (problem !== null) this.#problems.set(problem, (this.#problems.get(problem) ?? 0) + 1)
  }

  /** How many requests were refused with this problem. */
  problemCount(code: ProblemCode): number {
    return this.#problems.get(code) ?? 0
  }

  families(): Family[] {
    const requests: Sample[] = []
    const durations: Sample[] = []
    for (const series of this.#all()) {
      const { method, route, byStatus } = series
      for (const [status, value] of byStatus) requests.push({ labels: { method, route, status }, value })
      durations.push(...durationsOf(series))
    }
    const problems = [...this.#problems].map(([code, value]) => ({ labels: { code }, value }))
    return [
      family('holdfast_http_requests_total', requests),
      family('holdfast_http_request_duration_seconds', durations),
      family('holdfast_problems_total', problems),
    ]
  }

  *#all(): Generator<Series> {
    for (const methods of this.#series.values()) yield* methods.values()
  }

  #seriesOf(method: string, route: string): Series {
    const knownMethod = knownMethods.has(method) ? method : 'other'
    const knownRoute = this.#series.has(route) || this.#series.size < routeMaxCount ? route : 'other'
    const methods = this.#series.get(knownRoute) ?? new Map<string, Series>()
    const series = methods.get(knownMethod) ?? new Series(knownMethod, knownRoute)
    methods.set(knownMethod, series)
    this.#series.set(knownRoute, methods)
    return series
  }
}

function durationsOf({ method, route, buckets, sumMs }: Series): Sample[] {
  const name = 'holdfast_http_request_duration_seconds'
  const labels = { method, route }
  let count = 0
  const cumulated = [...buckets].map((inBucket, index) => {
    count += inBucket
    const le = durationBoundsSeconds[index] ?? '+Inf'
    return { metricName: `${name}_bucket`, labels: { le, ...labels }, value: count }
  })
  return [
    ...cumulated,
    { metricName: `${name}_sum`, labels, value: sumMs / 1_000 },
    { metricName: `${name}_count`, labels, value: count },
  ]
}
