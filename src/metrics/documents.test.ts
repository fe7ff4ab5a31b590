import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, it } from 'vitest'
import { createMetrics, type MetricSources, metricCatalogue } from './index.ts'

// What the documents name must be there: a dashboard that shows nothing, or a rule that never fires, looks like a
// server that is fine.

const sources: MetricSources = {
  bans: () => ({ addressCount: 1, accountCount: 1 }),
  responses: () => ({ inForceCount: 1 }),
  alerts: () => ({ openCount: 1, deliveriesWaitingCount: 1, deliveriesDeadCount: 1 }),
  hashing: () => ({ waitingCount: 1, runningCount: 1, refusedCount: 1 }),
  database: () => ({
    isUp: true,
    pool: { inUseCount: 1, idleCount: 1, waitingCount: 1 },
    errorCount: 1,
  }),
  redis: () => ({ isUp: true }),
  load: () => ({ shedCount: 1, delayMs: 1 }),
  sockets: () => ({ openCount: 1 }),
  mail: () => ({ waitingCount: 1 }),
  keys: () => [{ name: 'signing key', ageSeconds: 1 }],
  trail: () => ({ waitingCount: 1, droppedCount: 1, rowCount: 1 }),
  sessions: () => ({ userCount: 1, sessionCount: 1 }),
}

// What Prometheus itself adds to each series.
const everywhere = ['instance', 'job']
const byHistogram = ['_bucket', '_sum', '_count']

/** The labels of each series that is exposed, by its name. */
const exposed = new Map<string, ReadonlySet<string>>([['up', new Set(everywhere)]])

beforeAll(async () => {
  const { content } = await createMetrics({ version: '1', sources }).exposition(undefined)
  for (const [, name = '', type] of content.matchAll(/^# TYPE (\S+) (\S+)$/gm)) {
    const found = content
      .split('\n')
      .filter((line) => new RegExp(`^${name}(_bucket)?\\{`).test(line))
      .flatMap((line) => [...line.matchAll(/[{,](\w+)="/g)].map((match) => match[1] ?? ''))
    const known = Object.entries(metricCatalogue).find(([each]) => each === name)?.[1].labels ?? []
    // Nothing need have been collected yet.
    const gc = name === 'nodejs_gc_duration_seconds' ? ['kind'] : []
    const labels = [...everywhere, ...known, ...found, ...gc]
    if (type !== 'histogram') exposed.set(name, new Set(labels))
    else for (const suffix of byHistogram) exposed.set(`${name}${suffix}`, new Set([...labels, 'le']))
  }
})

it('every metric of the catalogue is exposed, with the type that it says', async () => {
  const { content } = await createMetrics({ version: '1', sources }).exposition(undefined)
  for (const [name, { type, help }] of Object.entries(metricCatalogue)) {
    expect(content).toContain(`# TYPE ${name} ${type}\n`)
    expect(content).toContain(`# HELP ${name} ${help}\n`)
  }
  const own = [...content.matchAll(/^# TYPE (holdfast_\S+)/gm)].map((match) => match[1])
  expect(own.toSorted()).toEqual(Object.keys(metricCatalogue).toSorted())
})

it('the table of the guide is the catalogue, and the guide names no metric that is none', () => {
  const guide = readFileSync('docs/guide/metrics.md', 'utf8')
  const rows = Object.entries(metricCatalogue).map(([name, { type, labels, help }]) => {
    const named = labels.map((label) => `\`${label}\``).join(', ')
    return `| \`${name}\` | ${type} | ${named} | ${help} |`
  })
  expect(guide.split('\n').filter((line) => line.startsWith('| `holdfast_'))).toEqual(rows)
  expect(unknownNames(guide.replaceAll(/process_\*|\/metrics/g, ''))).toEqual([])
  for (const source of Object.keys(sources)) expect(guide).toContain(`\`${source}\``)
})

describe('the dashboard', () => {
  const text = readFileSync('docs/grafana/holdfast.json', 'utf8')
  const dashboard: unknown = JSON.parse(text)
  const panels = listOf(partOf(dashboard, 'panels'))
  const targets = panels.flatMap((panel) => listOf(partOf(panel, 'targets')))

  it('shows only what is exposed', () => {
    expect(targets.length).toBeGreaterThan(40)
    for (const target of targets) expectExposed(textOf(target, 'expr'), textOf(target, 'legendFormat'))
    expect(unknownNames(text)).toEqual([])
  })

  it('shows every metric of the catalogue', () => {
    const all = targets.map((target) => textOf(target, 'expr')).join('\n')
    for (const name of Object.keys(metricCatalogue)) expect(all).toContain(name)
  })

  it('can be imported: a variable for the data source, which every panel takes, and no id twice', () => {
    expect(dashboard).toMatchObject({ title: 'Holdfast', schemaVersion: 41 })
    expect(text).toMatch(/"name": "datasource"/)
    for (const part of [...targets, ...panels.filter((panel) => partOf(panel, 'type') !== 'row')])
      expect(partOf(part, 'datasource')).toEqual({ type: 'prometheus', uid: '$' + '{datasource}' })
    const ids = panels.map((panel) => partOf(panel, 'id'))
    expect(new Set(ids).size).toBe(ids.length)
  })
})

describe('the alert rules', () => {
  const rules = readRules(readFileSync('docs/prometheus/alerts.yml', 'utf8'))

  it('ask only for what is exposed', () => {
    expect(rules.length).toBeGreaterThan(15)
    for (const { expr = '' } of rules) expectExposed(expr, '')
  })

  it('say how bad it is, what is wrong and what to do', () => {
    for (const rule of rules) {
      expect(rule['severity']).toMatch(/^(critical|warning)$/)
      expect(rule['summary']).toMatch(/^[A-Z].*\.$/)
      expect(rule['description']).toMatch(/^[A-Z].{40,}\.$/)
      expect(rule['for'] ?? '1m').toMatch(/^\d+[mh]$/)
    }
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length)
  })
})

/** Holds a query against what is exposed: the names of metrics, and the labels that it selects, groups and shows by. */
function expectExposed(expr: string, legend: string): void {
  const withoutTexts = expr.replaceAll(/"[^"]*"/g, '""')
  const selected = [...withoutTexts.matchAll(/\b([a-z]\w*)\s*\{([^}]*)\}/g)]
  for (const [, name = '', matchers = ''] of selected) {
    const labels = exposed.get(name)
    expect.assert(labels !== undefined, `${name} is not exposed: ${expr}`)
    for (const [, label = ''] of matchers.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g))
      expect(labels, `${name}: ${expr}`).toContain(label)
  }
  const names = namesIn(withoutTexts)
  expect(names.length + selected.length, expr).toBeGreaterThan(0)
  for (const name of names) expect([...exposed.keys()], expr).toContain(name)
  const together = new Set(names.flatMap((name) => [...(exposed.get(name) ?? [])]))
  const grouped = [...withoutTexts.matchAll(/\bby\s*\(([^)]*)\)/g)].flatMap(([, list = '']) =>
    list.split(',').map((label) => label.trim()),
  )
  const shown = [...legend.matchAll(/\{\{(\w+)\}\}/g)].map(([, label = '']) => label)
  for (const label of [...grouped, ...shown]) expect([...together], expr).toContain(label)
}

function namesIn(text: string): readonly string[] {
  return [...text.matchAll(/\b(?:holdfast|nodejs|process)_[a-z0-9_]+\b/g)].map(([name]) => name)
}

function unknownNames(text: string): readonly string[] {
  const bases = new Set([...exposed.keys()].map((name) => name.replace(/_(bucket|sum|count)$/, '')))
  return namesIn(text).filter((name) => !exposed.has(name) && !bases.has(name))
}

/**
 * Reads the rules, which are written in a small part of YAML: one group, each rule a list item of plain keys, texts in
 * single quotes. Whatever else a line is, it is refused.
 */
function readRules(text: string): readonly Readonly<Record<string, string>>[] {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('# '))
  expect(lines.slice(0, 3)).toEqual(['groups:', '  - name: holdfast', '    rules:'])
  const rules: Record<string, string>[] = []
  for (const line of lines.slice(3)) {
    const shape =
      /^(?:( {6}- )(alert): (\w+)|( {8})(expr|for): (.+)| {8}(?:labels|annotations):|( {10})(severity|summary|description): (.+))$/
    const found = shape.exec(line)
    expect.assert(found !== null, `not in the form of these rules: ${line}`)
    const name = found[2] ?? found[5] ?? found[8]
    const value = found[3] ?? found[6] ?? found[9]
    if (name === 'alert') rules.push({})
    if (name === undefined || value === undefined) continue
    const rule = rules.at(-1)
    expect.assert(rule !== undefined && rule[name] === undefined, `twice, or outside of a rule: ${line}`)
    rule[name] = plainOf(value)
  }
  return rules
}

function plainOf(value: string): string {
  if (/^\w+$/.test(value)) return value
  // A quote within is written twice.
  expect(value).toMatch(/^'(?:[^']|'')*'$/)
  return value.slice(1, -1).replaceAll("''", "'")
}

function partOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function textOf(value: unknown, name: string): string {
  const text = partOf(value, name)
  return typeof text === 'string' ? text : ''
}
