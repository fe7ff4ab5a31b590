import type { Family, Sample } from './catalogue.ts'
import { countsOf, type SecuritySummary } from './summary.ts'

/** What one worker tells of itself. */
export interface WorkerFigures {
  readonly families: readonly Family[]
  readonly summary: SecuritySummary
}

type Rule = (a: number, b: number) => number

const sum: Rule = (a, b) => a + b
const most: Rule = Math.max
const least: Rule = Math.min

// Gauges that each worker has a share of. All others say the same of all of them, such as the bans in force, or are
// worst in one of them.
const shared: ReadonlySet<string> = new Set([
  'holdfast_sockets',
  'holdfast_hashing_waiting',
  'holdfast_hashing_running',
  'holdfast_database_connections',
  'holdfast_database_waiting',
  'holdfast_audit_events_waiting',
])
const up: ReadonlySet<string> = new Set([
  'holdfast_database_up',
  'holdfast_redis_up',
  'holdfast_metric_source_up',
])

function ruleOf({ name, kind }: Family): Rule {
  if (kind.type !== 'gauge' || shared.has(name)) return sum
  return up.has(name) ? least : most
}

/**
 * The metrics of all workers as one: what is counted is added up.
 *
 * @param left Of workers that have ended: what they had counted stays counted, and nothing else of them.
 */
export function mergedFamilies(
  all: readonly (readonly Family[])[],
  left: readonly (readonly Family[])[],
): readonly Family[] {
  const merged = new Map<string, { readonly family: Family; readonly samples: Map<string, Sample> }>()
  const counted = left.map((families) => families.filter(({ kind }) => kind.type !== 'gauge'))
  for (const family of [...all, ...counted].flat()) {
    const rule = ruleOf(family)
    const { samples } = merged.get(family.name) ?? { samples: new Map<string, Sample>() }
    merged.set(family.name, { family, samples })
    for (const sample of family.samples) {
      const key = keyOf(sample)
      const known = samples.get(key)
      samples.set(key, known === undefined ? sample : { ...known, value: rule(known.value, sample.value) })
    }
  }
  return [...merged.values()].map(({ family, samples }) => ({ ...family, samples: [...samples.values()] }))
}

function keyOf({ metricName, labels }: Sample): string {
  return JSON.stringify([metricName, Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))])
}

/** The figures about security of all workers as one. */
export function mergedSummary(own: SecuritySummary, others: readonly SecuritySummary[]): SecuritySummary {
  const all = [own, ...others]
  const added = (part: 'sinceStart' | 'lastHour' | 'lastDay'): SecuritySummary['sinceStart'] =>
    addedCounts(all.map((one) => one[part]))
  return {
    ...own,
    uptimeSeconds: Math.max(...all.map(({ uptimeSeconds }) => uptimeSeconds)),
    sinceStart: added('sinceStart'),
    lastHour: added('lastHour'),
    lastDay: added('lastDay'),
  }
}

function addedCounts(all: readonly SecuritySummary['sinceStart'][]): SecuritySummary['sinceStart'] {
  const total = (name: keyof Omit<SecuritySummary['sinceStart'], 'events' | 'topEvents'>): number =>
    all.reduce((sumSoFar, one) => sumSoFar + one[name], 0)
  const events: Record<string, number> = {}
  for (const one of all)
    for (const [event, count] of Object.entries(one.events)) events[event] = (events[event] ?? 0) + count
  return countsOf({
    figures: {
      requests: total('totalRequests'),
      serverErrors: total('serverErrors'),
      failedAuthentications: total('failedAuthentications'),
      successfulLogIns: total('successfulLogIns'),
      unauthenticatedRequests: total('unauthenticatedRequests'),
      deniedRequests: total('deniedRequests'),
      rateLimitedRequests: total('rateLimitedRequests'),
      bannedRequests: total('bannedRequests'),
      suspiciousRequests: total('suspiciousRequests'),
    },
    events,
  })
}
