import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { assert } from '../src/base/index.ts'
import { median, tableText } from './figures.ts'
import type { ContestantName } from './limit-contestants.ts'

// One decision of a rate limit in memory, over a million keys in use, beside the usual libraries: how many in a second
// of one core, what the keys cost, and how long the slowest decision takes while they arrive. Each contestant runs in
// processes of its own, in turn with the others, so that a busy moment of the machine meets all of them.

const roundCount = 3
const targets = { perSecond: 3_000_000, rssBytes: 64_000_000, longestWorkMs: 5 }
const names: readonly ContestantName[] = [
  'holdfast',
  'holdfast, told the time',
  'holdfast sliding',
  'rate-limiter-flexible',
  'express-rate-limit',
]

interface Figures {
  /** Decisions about known keys. */
  readonly perSecond: number
  /** Decisions about keys that are not known yet. */
  readonly newPerSecond: number
  /** What a million keys add to the memory of the process. */
  readonly rssBytes: number
  /** What they add to the heap and to buffers. */
  readonly heldBytes: number
  readonly longestPauseMs: number
  /** The same in time of the processor: without what else the machine does. */
  readonly longestWorkMs: number
}

const figureNames: readonly (keyof Figures)[] = [
  'perSecond',
  'newPerSecond',
  'rssBytes',
  'heldBytes',
  'longestPauseMs',
  'longestWorkMs',
]

function measure(name: ContestantName): Figures {
  const script = join(import.meta.dirname, 'limit-process.ts')
  const args = ['--expose-gc', '--conditions=holdfast-source', script, name]
  const found: Figures = JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }))
  for (const figure of figureNames) assert(Number.isFinite(found[figure]), `${name} has measured ${figure}`)
  return found
}

const rounds = new Map<ContestantName, Figures[]>(names.map((name) => [name, []]))
for (let round = 0; round < roundCount; round++)
  for (const name of names) rounds.get(name)?.push(measure(name))

const results = names.map((name) => {
  const middle = (figure: keyof Figures): number =>
    median((rounds.get(name) ?? []).map((figures) => figures[figure]))
  return {
    name,
    perSecond: middle('perSecond'),
    newPerSecond: middle('newPerSecond'),
    rssBytes: middle('rssBytes'),
    heldBytes: middle('heldBytes'),
    longestPauseMs: middle('longestPauseMs'),
    longestWorkMs: middle('longestWorkMs'),
  }
})
const [own, store] = results
assert(own !== undefined && store !== undefined, 'we are measured too')
const isMet = {
  perSecond: store.perSecond >= targets.perSecond,
  rssBytes: own.rssBytes <= targets.rssBytes,
  longestWorkMs: own.longestWorkMs <= targets.longestWorkMs,
}

if (process.argv.includes('--json')) {
  const raw = Object.fromEntries(rounds)
  process.stdout.write(`${JSON.stringify({ targets, isMet, results, rounds: raw }, null, 2)}\n`)
} else {
  const millions = (value: number): string => `${(value / 1e6).toFixed(2)} M/s`
  const megabytes = (value: number): string => `${(value / 1e6).toFixed(0)} MB`
  const times = (value: number): string => `× ${value.toFixed(value < 10 ? 1 : 0)}`
  const said = (is: boolean): string => (is ? 'met' : 'not met')
  process.stdout.write(
    tableText([
      [
        'a million keys',
        'decisions',
        'ours',
        'new keys',
        'memory',
        'ours',
        'of it held',
        'longest pause',
        'of it work',
      ],
      ...results.map((one) => [
        one.name,
        millions(one.perSecond),
        times(own.perSecond / one.perSecond),
        millions(one.newPerSecond),
        megabytes(one.rssBytes),
        times(one.rssBytes / own.rssBytes),
        megabytes(one.heldBytes),
        `${one.longestPauseMs.toFixed(2)} ms`,
        `${one.longestWorkMs.toFixed(2)} ms`,
      ]),
    ]),
  )
  process.stdout.write(
    `\nTargets of holdfast: at least ${millions(targets.perSecond)}, told the time, ${said(isMet.perSecond)}; ` +
      `at most ${megabytes(targets.rssBytes)} ${said(isMet.rssBytes)}; ` +
      `no pause above ${targets.longestWorkMs} ms ${said(isMet.longestWorkMs)}.\n`,
  )
}
