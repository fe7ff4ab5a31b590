import { Counter, Histogram, Registry } from 'prom-client'
import type { ObservedRequest } from '../src/http/index.ts'
import { createMetrics, openTraces } from '../src/metrics/index.ts'
import { tableText } from './figures.ts'

// What metrics cost a request, against prom-client used as its documentation shows; what a scrape takes; and what
// traces cost a server without a provider.
//   node --conditions=holdfast-source bench/metrics.ts

const routeCount = 100
const requestCount = 2_000_000

const requests: readonly ObservedRequest[] = Array.from({ length: 1_024 }, (_, number) => ({
  ...{ method: number % 3 === 0 ? 'POST' : 'GET', route: `/api/things${number % routeCount}/:id` },
  ...{ target: '/api/things/7', status: number % 10 === 0 ? 404 : 200, durationMs: (number % 97) / 3 },
  ...{ problem: number % 10 === 0 ? 'NOT_FOUND' : null, reason: null, address: '203.0.113.7', userAgent: '' },
  ...{ requestId: '', userId: null, sessionId: null },
}))

const metrics = createMetrics({ version: '0' })
const registry = new Registry()
const labelNames = ['method', 'route', 'status']
const total = new Counter({ name: 'requests_total', help: 'x', labelNames, registers: [registry] })
const seconds = new Histogram({
  ...{ name: 'seconds', help: 'x', labelNames: ['method', 'route'], registers: [registry] },
})

const rows = [
  ['', 'ns per request'],
  ['observe', perRequestNs((request) => metrics.observe(request))],
  [
    'prom-client, labels()',
    perRequestNs(({ method, route, status, durationMs }) => {
      const labels = { method, route: route ?? 'unmatched' }
      total.labels({ ...labels, status }).inc()
      seconds.labels(labels).observe(durationMs / 1_000)
    }),
  ],
]
process.stdout.write(tableText(rows))

await metrics.exposition(undefined)
const startMs = performance.now()
for (let round = 0; round < 20; round += 1) await metrics.exposition(undefined)
const scrapeMs = (performance.now() - startMs) / 20
const { content } = await metrics.exposition(undefined)
console.log(
  `a scrape of ${routeCount} routes: ${scrapeMs.toFixed(1)} ms, ${(content.length / 1e3).toFixed(0)} kB`,
)

const traces = await openTraces({ origin: () => 'http://127.0.0.1', version: '0' })
const headers = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' }
const withoutProvider = perRequestNs(({ method }) => void traces?.startRequest(headers, method))
console.log(`traces without a provider: ${withoutProvider} ns per request`)

function perRequestNs(work: (request: ObservedRequest) => void): string {
  const run = (count: number): void => {
    for (let number = 0; number < count; number += 1) {
      const request = requests[number & 1_023]
      if (request !== undefined) work(request)
    }
  }
  run(requestCount / 10)
  // The time of the processor, so that what else runs on the machine does not count.
  const before = process.cpuUsage()
  run(requestCount)
  return ((process.cpuUsage(before).user * 1e3) / requestCount).toFixed(0)
}
