import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { dirname, join } from 'node:path'
import type { Peer } from './compare-peers.ts'
import { isPinned } from './compare-process.ts'
import { median, tableText } from './figures.ts'
import type { LatencyFigures, LoadFigures } from './load.ts'
import { rootDir } from './server-process.ts'

/** What was measured of one peer. */
export interface Measured {
  readonly peer: Peer
  readonly full: LoadFigures[]
  readonly steady: LatencyFigures[]
  steadyPerSecond: number
  memoryBytes: number
}

interface Summary {
  readonly name: string
  readonly title: string
  readonly perSecond: number
  readonly lowestPerSecond: number
  readonly highestPerSecond: number
  readonly serverMicrosecondsEach: number
  readonly serverBusyPercent: number
  readonly clientBusyPercent: number
  readonly steadyPerSecond: number
  readonly medianMs: number
  readonly p99Ms: number
  readonly memoryBytes: number
}

interface Target {
  readonly what: string
  readonly value: number
  /** The same by processor time for one answer, which others on the machine do not change. */
  readonly byProcessorTime: number | null
  readonly wanted: number
  readonly isReached: boolean
}

const rateOf = ({ answerCount, durationMs }: LoadFigures): number => (answerCount * 1_000) / durationMs

function summaryOf({ peer, full, steady, steadyPerSecond, memoryBytes }: Measured): Summary {
  const rates = full.map(rateOf)
  return {
    ...{ name: peer.name, title: peer.title, steadyPerSecond, memoryBytes },
    perSecond: median(rates),
    lowestPerSecond: Math.min(...rates),
    highestPerSecond: Math.max(...rates),
    serverMicrosecondsEach: median(full.map((one) => one.serverMicrosecondsEach)),
    serverBusyPercent: median(full.map((one) => one.serverBusyPercent)),
    clientBusyPercent: median(full.map((one) => one.clientBusyPercent)),
    medianMs: median(steady.map((one) => one.medianMs)),
    p99Ms: median(steady.map((one) => one.p99Ms)),
  }
}

/** Each target whose two sides were measured. */
function targetsOf(summaries: readonly Summary[]): readonly Target[] {
  const by = (name: string): Summary | undefined => summaries.find((one) => one.name === name)
  const atLeast = (wanted: number, against: string, what: string, name = 'holdfast'): readonly Target[] => {
    const [own, other] = [by(name), by(against)]
    if (own === undefined || other === undefined) return []
    const value = own.perSecond / other.perSecond
    const byProcessorTime = other.serverMicrosecondsEach / own.serverMicrosecondsEach
    return [{ what, value, byProcessorTime, wanted, isReached: value >= wanted }]
  }
  const [own, bare] = [by('holdfast'), by('fastify-bare')]
  const plugins = ['fastify-plugins', 'fastify-plugins-hs256'].flatMap((name) => by(name) ?? [])
  const faster = plugins.sort((a, b) => b.perSecond - a.perSecond)[0]
  const slower = own === undefined || bare === undefined ? undefined : own.p99Ms / bare.p99Ms
  return [
    ...atLeast(0.75, 'fastify-bare', 'of bare Fastify, requests a second'),
    ...atLeast(7, 'express', 'times Express'),
    ...(faster === undefined ? [] : atLeast(2.5, faster.name, `times ${faster.title}`)),
    ...(slower === undefined
      ? []
      : [
          {
            what: 'times the p99 of bare Fastify',
            ...{ value: slower, byProcessorTime: null, wanted: 1.5, isReached: slower <= 1.5 },
          },
        ]),
  ]
}

function rowOf(one: Summary, all: readonly Summary[]): readonly string[] {
  // What reads from SQLite is measured by what else does.
  const isStored = one.name.endsWith('-sqlite')
  const bare = all.find(({ name }) => name === (isStored ? 'fastify-bare-sqlite' : 'fastify-bare'))
  const raw = isStored ? undefined : all.find(({ name }) => name === 'node-http')
  const share = (other: Summary | undefined): string =>
    other === undefined ? '' : (one.perSecond / other.perSecond).toFixed(2)
  return [
    one.title,
    one.perSecond.toFixed(0),
    `${one.lowestPerSecond.toFixed(0)}-${one.highestPerSecond.toFixed(0)}`,
    share(bare),
    share(raw),
    one.serverMicrosecondsEach.toFixed(1),
    bare === undefined ? '' : (bare.serverMicrosecondsEach / one.serverMicrosecondsEach).toFixed(2),
    `${one.serverBusyPercent.toFixed(0)} %`,
    `${one.clientBusyPercent.toFixed(0)} %`,
    one.steadyPerSecond.toFixed(0),
    one.medianMs.toFixed(2),
    one.p99Ms.toFixed(2),
    (one.memoryBytes / 2 ** 20).toFixed(0),
  ]
}

const header = [
  ...['', 'requests/s', 'lowest-highest', 'of bare Fastify', 'of node:http', 'CPU µs each', 'of bare by CPU'],
  ...['server busy', 'client busy', 'at requests/s', 'p50 ms', 'p99 ms', 'MiB'],
]

function targetLine({ what, value, byProcessorTime, wanted, isReached }: Target): string {
  const also = byProcessorTime === null ? '' : `; by processor time ${byProcessorTime.toFixed(2)}`
  return `${isReached ? 'reached' : 'missed '}  ${value.toFixed(2)} ${what} (target ${wanted}${also})\n`
}

// Below, somebody else had the processor for long enough to be seen in the rates.
const quietPercent = 95

function disturbance(summaries: readonly Summary[]): string {
  const disturbed = summaries.filter(({ serverBusyPercent }) => serverBusyPercent < quietPercent)
  return disturbed.length === 0
    ? ''
    : `Not alone on this machine (${disturbed.map(({ name }) => name).join(', ')}): believe the processor time, neither rates nor latencies.\n`
}

/** Prints the table and the targets, and writes both as JSON. */
export function report(
  measured: readonly Measured[],
  { isQuick, jsonFile }: { readonly isQuick: boolean; readonly jsonFile: string | undefined },
): void {
  const summaries = measured.map(summaryOf)
  process.stdout.write(tableText([header, ...summaries.map((one) => rowOf(one, summaries))]))
  const targets = targetsOf(summaries)
  for (const target of targets) process.stdout.write(targetLine(target))
  process.stdout.write(disturbance(summaries))
  const file = jsonFile ?? join(rootDir, 'bench/results/latest.json')
  const [cpu] = cpus()
  const machine = {
    ...{ node: process.version, cpu: cpu?.model ?? 'unknown', cpuCount: cpus().length },
    ...{ memoryBytes: totalmem(), isPinned },
  }
  const rounds = measured.map(({ peer, full, steady }) => ({ name: peer.name, full, steady }))
  const found = { date: new Date().toISOString(), isQuick, machine, summaries, targets, rounds }
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, `${JSON.stringify(found, null, 2)}\n`)
}
