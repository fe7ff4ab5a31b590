import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { median, tableText } from './figures.ts'
import { rootDir } from './server-process.ts'
import { runSoak, type SoakFigures } from './soak-run.ts'
import { trendOf } from './soak-trend.ts'
import { dearerPercent, judge, measuredCycles, mebibytes } from './soak-verdict.ts'

// Mixed work and attacks against the example for as long as you like: nothing may be lost, leak, fail or grow slower.
//   node --conditions=holdfast-source bench/soak.ts --minutes 30 [--rate 120] [--people 80]
// There are no uploads yet; JSON bodies up to the limit stand in for them.

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    rate: { type: 'string', default: '120' },
    people: { type: 'string', default: '80' },
  },
})
const minutes = Number(values.minutes)
if (!(minutes > 0)) throw new RangeError(`--minutes is a number above zero, not ${values.minutes}`)
const shortCycleMs = 5_000
const longCycleMs = 18_000

const figures = await runSoak({
  durationMs: minutes * 60_000,
  requestsPerSecond: Number(values.rate),
  personCount: Number(values.people),
  cycleMs: minutes < 5 ? shortCycleMs : longCycleMs,
  onProgress: (line) => process.stdout.write(`${line}\n`),
})
const faults = judge(figures)
process.stdout.write(`\n${summary(figures)}\n`)
for (const fault of faults) process.stdout.write(`WRONG: ${fault}\n`)
process.stdout.write(faults.length === 0 ? 'PASS\n' : `FAIL: ${faults.length} faults\n`)
save(figures)
process.exitCode = faults.length === 0 ? 0 : 1

function summary({ client, cycles, noteCount, stop, trail }: SoakFigures): string {
  const kinds = [...client.tallies].sort(([one], [other]) => (one < other ? -1 : 1))
  const measured = measuredCycles(cycles)
  const growth = (of: 'aliveBytes' | 'residentBytes'): string =>
    `${mebibytes(measured[0]?.[of] ?? 0)} to ${mebibytes(measured.at(-1)?.[of] ?? 0)}, trend ${mebibytes(trendOf(measured.map((cycle) => cycle[of])).growthBytes)}`
  return [
    tableText([
      ['what', 'requests', 'answers'],
      ...kinds.map(([what, { count, statuses }]) => [
        what,
        String(count),
        [...statuses].map(([status, times]) => `${times} × ${status === 0 ? 'closed' : status}`).join(', '),
      ]),
    ]),
    tableText([
      ['figure', 'value'],
      ['requests', `${client.askedCount}, ${client.turnedAwayCount} turned away`],
      ['cycles', `${cycles.length}, ${measured.length} after the warm-up`],
      ['alive after a full collection', growth('aliveBytes')],
      ['resident memory', growth('residentBytes')],
      [
        'processor time of a request',
        `${median(measured.map((one) => one.processorMicroseconds)).toFixed(0)} µs, last third ${dearerPercent(measured).toFixed(0)} % dearer than the first`,
      ],
      [
        'a read, median and p99',
        `${median(measured.map((one) => one.readMedianMs)).toFixed(1)} ms, ${median(measured.map((one) => one.readP99Ms)).toFixed(1)} ms`,
      ],
      [
        'delay of the event loop, p99',
        `${median(measured.map((one) => one.delayP99Ms)).toFixed(0)} ms, worst cycle ${Math.max(...measured.map((one) => one.delayP99Ms)).toFixed(0)} ms`,
      ],
      ['notes compared after the restart', String(noteCount)],
      ['stop', `${stop.outcome} in ${stop.tookMs.toFixed(0)} ms, exit code ${stop.exitCode}`],
      ['audit trail', `${trail.rowCount} rows verified, ${trail.findingCount} findings`],
    ]),
  ].join('\n')
}

function save({ client, cycles, noteCount, stop, trail }: SoakFigures): void {
  const machine = { node: process.version, cpuCount: cpus().length, cpu: cpus()[0]?.model ?? 'unknown' }
  const statuses = Object.fromEntries(
    [...client.tallies].map(([what, tally]) => [what, Object.fromEntries(tally.statuses)]),
  )
  const { askedCount, turnedAwayCount, faultCount } = client
  const results = {
    minutes,
    askedCount,
    turnedAwayCount,
    faultCount,
    noteCount,
    stop,
    trail,
    statuses,
    cycles,
  }
  mkdirSync(join(rootDir, 'bench/results'), { recursive: true })
  writeFileSync(
    join(rootDir, 'bench/results/soak.json'),
    `${JSON.stringify({ machine, ...results }, null, 2)}\n`,
  )
}
