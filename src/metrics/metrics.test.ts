import { spawnSync } from 'node:child_process'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { recordOf, type SecurityEvent } from '../events/index.ts'
import type { ObservedRequest } from '../http/index.ts'
import { createMetrics, type Metrics, type MetricsParts, securitySummarySchema } from './index.ts'

const observed: ObservedRequest = {
  method: 'GET',
  route: '/api/notes/:id',
  target: '/api/notes/7?token=canary',
  status: 200,
  durationMs: 3,
  problem: null,
  reason: null,
  address: '203.0.113.77',
  userAgent: 'canary-agent',
  requestId: 'canary-request',
  userId: 'canary-user',
  sessionId: 'canary-session',
}

const minuteMs = 60_000

describe('requests', () => {
  it('are counted by method, route and status, with their durations in buckets', async () => {
    const metrics = withParts()
    metrics.observe(observed)
    metrics.observe({ ...observed, durationMs: 30 })
    metrics.observe({ ...observed, status: 404, durationMs: 60_000, problem: 'NOT_FOUND' })
    const text = await textOf(metrics)
    const route = 'route="/api/notes/:id"'
    expect(numberOf(text, `holdfast_http_requests_total{method="GET",${route},status="200"}`)).toBe(2)
    expect(numberOf(text, `holdfast_http_requests_total{method="GET",${route},status="404"}`)).toBe(1)
    const name = 'holdfast_http_request_duration_seconds'
    expect(numberOf(text, `${name}_bucket{le="0.005",method="GET",${route}}`)).toBe(1)
    expect(numberOf(text, `${name}_bucket{le="0.05",method="GET",${route}}`)).toBe(2)
    expect(numberOf(text, `${name}_bucket{le="10",method="GET",${route}}`)).toBe(2)
    expect(numberOf(text, `${name}_bucket{le="+Inf",method="GET",${route}}`)).toBe(3)
    expect(numberOf(text, `${name}_count{method="GET",${route}}`)).toBe(3)
    expect(numberOf(text, `${name}_sum{method="GET",${route}}`)).toBeCloseTo(60.033)
    expect(numberOf(text, 'holdfast_problems_total{code="NOT_FOUND"}')).toBe(1)
  })

  it('V15.2.2 what clients send makes no more series: methods and paths are theirs, labels are not', async () => {
    const metrics = withParts()
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.webPath(), (method, path) => {
        metrics.observe({ ...observed, method, route: null, target: path, status: 404 })
      }),
      { numRuns: 2_000 },
    )
    for (const method of ['__proto__', 'constructor', 'BREW"}\n1', 'GET'])
      metrics.observe({ ...observed, method, route: null, status: 404 })
    const text = await textOf(metrics)
    const series = text.split('\n').filter((line) => line.startsWith('holdfast_http_requests_total{'))
    expect(series.map((line) => line.replace(/ \d+$/, '')).toSorted()).toEqual([
      'holdfast_http_requests_total{method="GET",route="unmatched",status="404"}',
      'holdfast_http_requests_total{method="other",route="unmatched",status="404"}',
    ])
  })

  it('V15.2.2 there is an end to routes too', async () => {
    const metrics = withParts()
    for (let number = 0; number < 6_000; number += 1) metrics.observe({ ...observed, route: `/r${number}` })
    const text = await textOf(metrics)
    expect(text.match(/^holdfast_http_requests_total\{/gm)).toHaveLength(5_001)
    expect(numberOf(text, 'holdfast_http_requests_total{method="GET",route="other",status="200"}')).toBe(
      1_000,
    )
  })
})

describe('events', () => {
  it('V16.3.1 are counted by name, and log-ins, findings and responses under names of their own', async () => {
    const metrics = withParts()
    emit(metrics, [
      { event: 'authn_login_fail' },
      { event: 'authn_login_success' },
      { event: 'authn_login_successafterfail' },
      { event: 'authz_fail', details: { resource: 'notes', key: 'canary-key', action: 'read' } },
      { event: 'attack_detected', details: { detector: 'password-spraying', points: 'AE1 AE2' } },
      {
        event: 'response_applied',
        details: { response: 'ban-address', detector: 'scanner', mode: 'applied', outcome: 'done' },
      },
      { event: 'session_renewed' },
      { event: 'authn_token_reuse' },
    ])
    const text = await textOf(metrics)
    expect(numberOf(text, 'holdfast_security_events_total{event="authn_login_fail"}')).toBe(1)
    expect(numberOf(text, 'holdfast_security_events_total{event="audit_tampering"}')).toBe(0)
    expect(numberOf(text, 'holdfast_logins_total{result="success"}')).toBe(2)
    expect(numberOf(text, 'holdfast_logins_total{result="failure"}')).toBe(1)
    expect(numberOf(text, 'holdfast_denials_total{kind="foreign_row"}')).toBe(1)
    expect(numberOf(text, 'holdfast_findings_total{detector="password-spraying"}')).toBe(1)
    expect(text).not.toContain('detector="scanner"')
    const response = 'response="ban-address",mode="applied",outcome="done"'
    expect(numberOf(text, `holdfast_responses_total{${response}}`)).toBe(1)
    expect(numberOf(text, 'holdfast_tokens_issued_total{grant="refresh"}')).toBe(1)
    expect(numberOf(text, 'holdfast_tokens_refused_total{kind="reused"}')).toBe(1)
    expect(text).not.toContain('canary')
  })

  it('findings begin at zero for the detectors that run, so that the first burst is seen to grow', async () => {
    const metrics = withParts({ detectors: ['scanner', 'password-spraying'] })
    expect(numberOf(await textOf(metrics), 'holdfast_findings_total{detector="scanner"}')).toBe(0)
    emit(metrics, [{ event: 'attack_detected', details: { detector: 'scanner', points: 'X' } }])
    const text = await textOf(metrics)
    expect(numberOf(text, 'holdfast_findings_total{detector="scanner"}')).toBe(1)
    expect(numberOf(text, 'holdfast_findings_total{detector="password-spraying"}')).toBe(0)
  })

  it('V15.2.2 have words for labels, or none: what an application puts into them is no label', async () => {
    const metrics = withParts()
    emit(metrics, [
      { event: 'attack_detected', details: { detector: 'canary" text\n', points: 'X' } },
      { event: 'response_applied', details: { response: 'canary canary', mode: 7, outcome: 'done' } },
    ])
    const text = await textOf(metrics)
    expect(numberOf(text, 'holdfast_findings_total{detector="other"}')).toBe(1)
    const response = 'response="other",mode="other",outcome="done"'
    expect(numberOf(text, `holdfast_responses_total{${response}}`)).toBe(1)
    expect(text).not.toContain('canary')
  })

  it('V15.2.2 have 100 detectors and 200 responses at most, whatever words an application comes up with', async () => {
    const metrics = withParts()
    emit(
      metrics,
      Array.from({ length: 1_000 }, (_, number): SecurityEvent[] => [
        { event: 'attack_detected', details: { detector: `made-${number}`, points: 'X' } },
        { event: 'response_applied', details: { response: `made-${number}`, mode: 'm', outcome: 'o' } },
      ]).flat(),
    )
    const text = await textOf(metrics)
    expect(text.match(/^holdfast_findings_total\{/gm)).toHaveLength(101)
    expect(numberOf(text, 'holdfast_findings_total{detector="other"}')).toBe(900)
    const responses = [...text.matchAll(/^holdfast_responses_total\{.*\} (\d+)$/gm)].map(([, count]) =>
      Number(count),
    )
    expect(responses).toHaveLength(201)
    expect(responses.reduce((sum, count) => sum + count, 0)).toBe(1_000)
  })

  it('V15.2.2 of the application have 100 names at most', async () => {
    const metrics = withParts()
    emit(
      metrics,
      Array.from({ length: 1_000 }, (_, number) => ({
        event: `app_made_${number}` as const,
        // What an application calls a detector is none of Holdfast's.
        details: { detector: `d${number}`, points: 'X' },
      })),
    )
    const text = await textOf(metrics)
    expect(text.match(/event="app_/g)).toHaveLength(100)
    expect(numberOf(text, 'holdfast_security_events_total{event="other"}')).toBe(900)
    expect(text).not.toContain('detector=')
  })
})

describe('sources', () => {
  it('may fail, be late or be missing without the scrape failing', async () => {
    const failures: string[] = []
    const metrics = withParts({
      sourcesMs: 50,
      onFailure: (source) => failures.push(source),
      sources: {
        bans: () => ({ addressCount: 4, accountCount: 1 }),
        mail: async () => Promise.reject(new TypeError('no table')),
        redis: () => {
          throw new TypeError('no client')
        },
        sessions: () => new Promise(() => undefined),
      },
    })
    const text = await textOf(metrics)
    expect(numberOf(text, 'holdfast_bans{kind="address"}')).toBe(4)
    expect(numberOf(text, 'holdfast_metric_source_up{source="bans"}')).toBe(1)
    for (const source of ['mail', 'redis', 'sessions'])
      expect(numberOf(text, `holdfast_metric_source_up{source="${source}"}`)).toBe(0)
    expect(text).not.toMatch(/^holdfast_(mail|redis|active)_/m)
    expect(text).not.toContain('source="keys"')
    // The one that has not answered is told of too, and once: it is not asked again.
    await textOf(metrics)
    expect(failures.filter((source) => source === 'sessions')).toHaveLength(1)
    expect(new Set(failures)).toEqual(new Set(['mail', 'redis', 'sessions']))
  })

  it('V16.5.2 a database that hangs is down: the rule that watches it must have a number to see', async () => {
    const hanging = withParts({ sourcesMs: 50, sources: { database: () => new Promise(() => undefined) } })
    const text = await textOf(hanging)
    expect(numberOf(text, 'holdfast_database_up')).toBe(0)
    expect(numberOf(text, 'holdfast_metric_source_up{source="database"}')).toBe(0)
    expect(await textOf(withParts())).not.toMatch(/^holdfast_database_up /m)
  })

  it('V15.2.2 are asked once, however many scrapes come before they have answered', async () => {
    let askedCount = 0
    const slow = Promise.withResolvers<{ waitingCount: number }>()
    const clock = { nowMs: 0 }
    const metrics = withParts({
      sourcesMs: 10,
      nowMs: () => clock.nowMs,
      sources: {
        mail: () => {
          askedCount += 1
          return slow.promise
        },
      },
    })
    for (clock.nowMs = 0; clock.nowMs < 5 * minuteMs; clock.nowMs += minuteMs) await textOf(metrics)
    expect(askedCount).toBe(1)
    slow.resolve({ waitingCount: 3 })
    await slow.promise
    await new Promise((resolve) => setImmediate(resolve))
    await textOf(metrics)
    expect(askedCount).toBe(2)
    // Again at once: the answer is used a second time.
    expect(numberOf(await textOf(metrics), 'holdfast_mail_waiting')).toBe(3)
    expect(askedCount).toBe(2)
  })
})

describe('the exposition', () => {
  it('is text, or OpenMetrics for whoever prefers it, and one does not spoil the other', async () => {
    const metrics = withParts()
    metrics.observe(observed)
    const accept = 'application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.5,*/*;q=0.1'
    const open = await metrics.exposition(accept)
    expect(open.type).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8')
    expect(open.content).toMatch(/# EOF\n$/)
    expect(open.content).toContain('# TYPE holdfast_http_requests counter\n')
    const plain = await metrics.exposition('text/plain')
    expect(plain.type).toBe('text/plain; version=0.0.4; charset=utf-8')
    expect(plain.content).toContain('# TYPE holdfast_http_requests_total counter\n')
    expect(plain.content).toContain('# TYPE process_cpu_seconds_total counter\n')
    expect(plain.content).toMatch(/^nodejs_heap_size_used_bytes \d+$/m)
  })

  it('is text for a preference that cannot be read', async () => {
    const metrics = withParts()
    for (const accept of [
      undefined,
      '',
      '*/*',
      'application/openmetrics-text;q=0',
      ',;q=,',
      'x'.repeat(9_999),
    ])
      expect((await metrics.exposition(accept)).type, accept).toMatch(/^text\/plain/)
  })

  it('is of one server: another in the same process has its own', async () => {
    const [one, other] = [withParts(), withParts()]
    one.observe(observed)
    const texts = await Promise.all([textOf(one), textOf(other)])
    expect(texts.map((text) => /^holdfast_http_requests_total\{/m.test(text))).toEqual([true, false])
    for (const text of texts) expect(text).toContain('process_resident_memory_bytes')
  })

  it('loads its library for the first scrape, and nothing of it keeps the process alive', () => {
    const script = `
      import { createRequire } from 'node:module'
      import { createMetrics } from ${JSON.stringify(new URL('./index.ts', import.meta.url).href)}
      const loaded = () => Object.keys(createRequire(import.meta.url).cache).some((path) => path.includes('prom-client'))
      const metrics = createMetrics({ version: '1' })
      const before = loaded()
      await metrics.exposition(undefined)
      console.log(before, loaded())`
    const run = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      encoding: 'utf8',
      timeout: 60_000,
    })
    expect(run).toMatchObject({ status: 0, signal: null, stdout: 'false true\n' })
  })
})

describe('the summary', () => {
  it('V16.2.5 counts since the start, for an hour and for a day, and names nobody', async () => {
    const clock = { nowMs: Date.UTC(2030, 0, 1) }
    const metrics = withParts({
      nowMs: () => clock.nowMs,
      sources: { bans: () => ({ addressCount: 4, accountCount: 1 }) },
    })
    metrics.observe({ ...observed, status: 403, problem: 'FORBIDDEN' })
    emit(metrics, [{ event: 'authn_login_fail', address: '203.0.113.77', userId: 'canary-user' }])
    clock.nowMs += 90 * minuteMs
    metrics.observe({ ...observed, status: 429, problem: 'QUOTA_EXCEEDED' })
    metrics.observe({ ...observed, status: 429, problem: 'ABNORMAL_USAGE' })
    metrics.observe({ ...observed, status: 500, problem: 'INTERNAL' })
    emit(metrics, [{ event: 'attack_detected', details: { detector: 'scanner', points: 'X' } }])
    const summary = await metrics.securitySummary()
    expect(securitySummarySchema.parse(summary)).toEqual(summary)
    expect(summary).toMatchObject({
      ...{ uptimeSeconds: 5_400, blockedAddresses: 4, bannedAccounts: 1, activeUsers: null },
      sinceStart: { totalRequests: 4, deniedRequests: 1, failedAuthentications: 1, suspiciousRequests: 1 },
      lastHour: {
        ...{ totalRequests: 3, deniedRequests: 0, rateLimitedRequests: 1, bannedRequests: 1 },
        ...{ serverErrors: 1, failedAuthentications: 0, events: { attack_detected: 1 } },
      },
      lastDay: { totalRequests: 4, events: { attack_detected: 1, authn_login_fail: 1 } },
    })
    expect(JSON.stringify(summary)).not.toMatch(/canary|203\.0\.113/)
    clock.nowMs += 3 * 24 * 60 * minuteMs
    const later = await metrics.securitySummary()
    expect(later.lastDay).toMatchObject({ totalRequests: 0, events: {}, topEvents: [] })
    expect(later.sinceStart.totalRequests).toBe(4)
  })

  it('forgets a day at a time: the minute of the day before does not count again', async () => {
    const clock = { nowMs: Date.UTC(2030, 0, 1) }
    const metrics = withParts({ nowMs: () => clock.nowMs })
    metrics.observe(observed)
    clock.nowMs += 24 * 60 * minuteMs
    metrics.observe(observed)
    expect((await metrics.securitySummary()).lastDay.totalRequests).toBe(1)
  })
})

function withParts(parts: Partial<MetricsParts> = {}): Metrics {
  return createMetrics({ version: '1.2.3', ...parts })
}

function emit(metrics: Metrics, events: readonly SecurityEvent[]): void {
  metrics.observeEvents(events.map((event) => recordOf(event, Date.now())))
}

async function textOf(metrics: Metrics): Promise<string> {
  return (await metrics.exposition(undefined)).content
}

function numberOf(text: string, series: string): number | undefined {
  const line = text.split('\n').find((each) => each.startsWith(`${series} `))
  return line === undefined ? undefined : Number(line.slice(series.length + 1))
}
