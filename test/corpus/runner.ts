import { createDetection, type DetectionOptions, type Finding } from '../../src/detection/index.ts'
import type { Attack } from './attacks.ts'
import { inOrder, type Step } from './steps.ts'

/** A finding, and when it was told. */
export interface Told {
  readonly atMs: number
  readonly finding: Finding
}

/** Plays steps to the detectors on their clock. They must be in order. */
export async function replay(steps: readonly Step[], options: DetectionOptions): Promise<readonly Told[]> {
  const told: Told[] = []
  let nowMs = 0
  const detection = createDetection({
    options,
    nowMs: () => nowMs,
    pseudonymOf: (email) => `p-${email}`,
    onFinding: (finding) => told.push({ atMs: nowMs, finding }),
  })
  for (const step of steps) {
    nowMs = step.atMs
    if ('request' in step) detection.observeRequest(step.request)
    else detection.observeEvents([step.event])
  }
  await detection.close()
  return told
}

/** How many requests there are among steps. */
export function requestCount(steps: readonly Step[]): number {
  return steps.filter((step) => 'request' in step).length
}

/** What came of an attack. */
export interface Outcome {
  readonly attack: Attack
  /** How long it went on before it was found; `undefined` when it was not. */
  readonly delayMs: number | undefined
}

/** Plays each attack, hidden in an hour of its own. */
export async function playAttacks(
  attacks: readonly Attack[],
  hour: readonly Step[],
): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = []
  for (const attack of attacks) {
    const told = await replay(inOrder(hour, attack.steps), attack.options ?? {})
    const first = attack.steps[0]?.atMs ?? 0
    const found = told.find(
      ({ atMs, finding }) => finding.detector === attack.detector && atMs >= first && attack.isMeant(finding),
    )
    outcomes.push({ attack, delayMs: found === undefined ? undefined : found.atMs - first })
  }
  return outcomes
}

/** False alarms of hours without an attack, by detector. */
export interface Alarms {
  readonly requestCount: number
  readonly byDetector: ReadonlyMap<string, number>
  readonly count: number
}

/** Plays ordinary hours: whatever is found there is false. */
export async function falseAlarms(hours: readonly (readonly Step[])[]): Promise<Alarms> {
  const byDetector = new Map<string, number>()
  let requests = 0
  for (const hour of hours) {
    requests += requestCount(hour)
    for (const { finding } of await replay(hour, ordinaryOptions))
      byDetector.set(finding.detector, (byDetector.get(finding.detector) ?? 0) + 1)
  }
  const count = [...byDetector.values()].reduce((sum, one) => sum + one, 0)
  return { requestCount: requests, byDetector, count }
}

/** With everything switched on, so that everything can be wrong. */
const ordinaryOptions: DetectionOptions = {
  workingHours: { timeZone: 'UTC', from: '09:00', to: '18:00' },
  honeytokens: { routes: ['/admin.php'], fields: ['nickname2'], credentials: ['backup@example.com'] },
}

/** The table that is printed. */
export function reportOf(outcomes: readonly Outcome[], alarms: Alarms): string {
  const rows = outcomes.map(({ attack, delayMs }) => [
    attack.detector,
    attack.speed,
    attack.what,
    delayMs === undefined ? 'missed' : `after ${(delayMs / 1_000).toFixed(0)} s`,
    String(alarms.byDetector.get(attack.detector) ?? 0),
  ])
  const heads = ['detector', 'speed', 'attack', 'found', 'false']
  const widths = heads.map((head, place) =>
    Math.max(head.length, ...rows.map((row) => row[place]?.length ?? 0)),
  )
  const lines = [heads, ...rows].map((row) =>
    row
      .map((cell, place) => cell.padEnd(widths[place] ?? 0))
      .join('  ')
      .trimEnd(),
  )
  return [...lines, ...totalsOf(outcomes, alarms)].join('\n')
}

function totalsOf(outcomes: readonly Outcome[], alarms: Alarms): readonly string[] {
  const speeds = (['fast', 'slow', 'hidden'] as const).map((speed) => {
    const those = outcomes.filter(({ attack }) => attack.speed === speed)
    const found = those.filter(({ delayMs }) => delayMs !== undefined)
    return `${speed}: ${found.length} of ${those.length} found`
  })
  const per100k = ((alarms.count * 100_000) / alarms.requestCount).toFixed(2)
  const requests = alarms.requestCount.toLocaleString('en-US')
  return [
    ...speeds,
    `false alarms: ${alarms.count} in ${requests} ordinary requests (${per100k} per 100,000)`,
  ]
}
