import type { Metric, Registry, RegistryContentType } from 'prom-client'
import type { Family, MetricKind, Sample } from './catalogue.ts'

/** An exposition, and the type that it is sent as. */
export interface Exposition {
  readonly type: string
  readonly content: string
}

/** The module, loaded at the first scrape: it costs 30 ms and 15 MiB, which a server that nobody scrapes need not pay. */
type Client = typeof import('prom-client')

let loading: Promise<Client> | undefined

async function client(): Promise<Client> {
  loading ??= import('prom-client')
  return await loading
}

/**
 * Whether whoever scrapes wants OpenMetrics; else they get the text format 0.0.4.
 *
 * @see https://prometheus.io/docs/instrumenting/content_negotiation/
 */
export function wantsOpenMetrics(accept: string | undefined): boolean {
  if (accept === undefined) return false
  let openMetrics = 0
  let plain = 0
  for (const range of accept.slice(0, 1_000).toLowerCase().split(',')) {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim())
    const weight = weightOf(parameters)
    if (type === 'application/openmetrics-text' && !isForeignVersion(parameters))
      openMetrics = Math.max(openMetrics, weight)
    else if (type === 'text/plain') plain = Math.max(plain, weight)
  }
  return openMetrics > 0 && openMetrics >= plain
}

function isForeignVersion(parameters: readonly string[]): boolean {
  const version = parameters.find((parameter) => parameter.startsWith('version='))
  return version !== undefined && !version.startsWith('version=1.') && !version.startsWith('version=0.')
}

function weightOf(parameters: readonly string[]): number {
  const given = parameters.find((parameter) => parameter.startsWith('q='))
  const weight = given === undefined ? 1 : Number(given.slice(2))
  return weight >= 0 && weight <= 1 ? weight : 0
}

/**
 * Writes metrics, and those of the process, in one of the two formats.
 *
 * The registry is made anew for each scrape, and filled: prom-client changes the names of counters for good when it
 * writes OpenMetrics, and two servers of one process must not meet in one registry.
 */
export async function expose(families: readonly Family[], isOpenMetrics: boolean): Promise<Exposition> {
  const prom = await client()
  const registry = new prom.Registry<RegistryContentType>()
  registry.setContentType(isOpenMetrics ? prom.openMetricsContentType : prom.prometheusContentType)
  const all = [...families, ...(await processFamilies(prom))]
  for (const each of all) registry.registerMetric(metricOf(prom, each))
  return { type: registry.contentType, content: await registry.metrics() }
}

function metricOf(prom: Client, { name, kind, samples }: Family): Metric {
  const { type, help, labels } = kind
  // In no registry yet: without this it would be in the global one.
  const described = { name, help, labelNames: [...labels], registers: [] }
  if (type === 'counter') {
    const counter = new prom.Counter(described)
    for (const sample of samples) counter.inc(sample.labels, sample.value)
    return counter
  }
  if (type === 'gauge') {
    const gauge = new prom.Gauge(described)
    for (const sample of samples) gauge.set(sample.labels, sample.value)
    return gauge
  }
  // Counted already, in buckets: prom-client could only be given every single value.
  const values = async () => ({ name, help, type, values: samples })
  return Object.assign(new prom.Histogram(described), { getForPromString: values })
}

const unmeasuredLagSeconds = Number(2n ** 63n - 1n) / 1e9

let processRegistry: Registry | undefined

/**
 * What prom-client tells of the process. It is collected once, whatever number of servers there is: what measures the
 * event loop and the garbage collection cannot be stopped again, does not keep the process alive, and would be there
 * once for each server otherwise.
 */
async function processFamilies(prom: Client): Promise<Family[]> {
  processRegistry ??= collecting(prom)
  const objects = await processRegistry.getMetricsAsJSON()
  return objects.flatMap(({ name, help, type, values }) => {
    const samples = values.map(sampleOf).filter(({ value }) => isMeasured(value))
    if (samples.length === 0 && values.length > 0) return []
    const labels = new Set(samples.flatMap((sample) => Object.keys(sample.labels)))
    labels.delete('le')
    return [{ name, kind: { type: typeOf(type), labels: [...labels], help }, samples }]
  })
}

function collecting(prom: Client): Registry {
  const register = new prom.Registry()
  prom.collectDefaultMetrics({ register })
  return register
}

// Before anything was measured, the lag of the event loop is no number, and its least the highest there is.
function isMeasured(value: number): boolean {
  return Number.isFinite(value) && value !== unmeasuredLagSeconds
}

function sampleOf(value: { labels: object; value: number; metricName?: string }): Sample {
  const labels = Object.entries(value.labels).map(([name, text]) => [name, String(text)] as const)
  return { labels: Object.fromEntries(labels), value: value.value, metricName: value.metricName }
}

// Declared as an enum of numbers, and a word at run time.
function typeOf(type: unknown): MetricKind['type'] {
  return type === 'counter' || type === 'histogram' ? type : 'gauge'
}
