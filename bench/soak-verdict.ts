import { median } from './figures.ts'
import type { Cycle, SoakFigures } from './soak-run.ts'
import { trendOf } from './soak-trend.ts'

/** How far a soak may be from standing still. */
export interface Tolerances {
  /** What is alive after a full collection may grow by this from the warm-up to the end … */
  readonly aliveBytes: number
  /** … and by this for each request: what detectors remember of an hour, and tokens of ten minutes, fills up meanwhile. */
  readonly aliveRequestBytes: number
  /** Resident memory, which also depends on how the allocator fills its pages. */
  readonly residentBytes: number
  /** Of all requests, how many may be turned away with 503 and Retry-After, in percent: none is meant to be. */
  readonly turnedAwayPercent: number
  /** How much dearer a request may be at the end than after the warm-up, in percent. */
  readonly dearerPercent: number
}

/**
 * Two to three times what half an hour without a leak was measured at (4.5 MiB in 250,000 requests). A leak keeps at least an object and what refers to it for each
 * request or connection, which is 100 bytes, and mostly a request with its headers, which is some kilobytes.
 */
export const tolerances: Tolerances = {
  aliveBytes: 4 * 2 ** 20,
  aliveRequestBytes: 32,
  residentBytes: 32 * 2 ** 20,
  turnedAwayPercent: 1,
  dearerPercent: 50,
}

// Compiling, caches and the first garbage of everything take this share of a run, and never more than these cycles.
const warmUpShare = 0.3
const warmUpMaxCycles = 12
const stopMaxMs = 15_000
const fewestCycles = 4

/** The cycles after the warm-up. */
export function measuredCycles(cycles: readonly Cycle[]): readonly Cycle[] {
  return cycles.slice(Math.min(warmUpMaxCycles, Math.ceil(cycles.length * warmUpShare)))
}

/** Everything that is wrong with a soak; empty when it is good. */
export function judge(figures: SoakFigures, allowed: Tolerances = tolerances): readonly string[] {
  const { client, stop, trail } = figures
  const cycles = measuredCycles(figures.cycles)
  const faults: string[] = [...client.faults]
  const check = (isGood: boolean, fault: string): void => {
    if (!isGood) faults.push(fault)
  }
  check(cycles.length >= fewestCycles, `${cycles.length} cycles after the warm-up tell nothing about memory`)
  const alive = trendOf(cycles.map(({ aliveBytes }) => aliveBytes)).growthBytes
  const requestCount = cycles.reduce((sum, cycle) => sum + cycle.requestCount, 0)
  const allowedBytes = allowed.aliveBytes + allowed.aliveRequestBytes * requestCount
  check(alive <= allowedBytes, `what is alive grew by ${mebibytes(alive)} after the warm-up`)
  const resident = trendOf(cycles.map(({ residentBytes }) => residentBytes)).growthBytes
  check(resident <= allowed.residentBytes, `resident memory grew by ${mebibytes(resident)} after the warm-up`)
  const dearer = dearerPercent(cycles)
  check(dearer <= allowed.dearerPercent, `a request costs ${dearer.toFixed(0)} % more than after the warm-up`)
  const turnedAway = (client.turnedAwayCount * 100) / client.askedCount
  check(turnedAway <= allowed.turnedAwayPercent, `${turnedAway.toFixed(1)} % were turned away`)
  check(figures.noteCount > 0, 'no note was there to compare')
  check(figures.floodsWereStopped, 'no flood met a limit')
  check(stop.outcome === 'drained', `the stop was ${stop.outcome} instead of drained`)
  check(stop.exitCode === 0, `the server ended with ${stop.exitCode}`)
  check(stop.tookMs <= stopMaxMs, `the stop took ${stop.tookMs.toFixed(0)} ms`)
  check(trail.findingCount === 0, `verifying the audit trail finds ${trail.findingCount} faults`)
  return faults
}

/** How much dearer a request is in the last third than in the first, in percent of processor time. */
export function dearerPercent(cycles: readonly Cycle[]): number {
  const third = Math.ceil(cycles.length / 3)
  const cost = (some: readonly Cycle[]): number =>
    median(some.map(({ processorMicroseconds }) => processorMicroseconds))
  const first = cost(cycles.slice(0, third))
  return first === 0 ? 0 : (cost(cycles.slice(-third)) / first - 1) * 100
}

/** Bytes as text: `3.2 MiB`. */
export function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`
}
