import { assert } from '../src/base/index.ts'
import { type ContestantName, contestant } from './limit-contestants.ts'

// One contestant in a process of its own: how it takes a million new keys, what they cost in memory, and how fast it
// decides about them afterwards. Prints its figures as JSON. Speed is told in time of the processor, so that what else
// the machine does makes no difference to it; pauses in both, because that can make one.

const keyCount = 1_000_000
const batchCount = 1_000
const passCount = 4
const names: readonly ContestantName[] = [
  'holdfast',
  'holdfast, told the time',
  'holdfast sliding',
  'rate-limiter-flexible',
  'express-rate-limit',
]

function spentMs({ user, system }: NodeJS.CpuUsage): number {
  return (user + system) / 1_000
}

const name = names.find((one) => one === process.argv[2])
assert(name !== undefined, 'a contestant is named')
const { gc } = globalThis
assert(gc !== undefined, 'runs with --expose-gc')

/** As a request brings it: new text each time, in one piece. */
function keyOf(index: number): string {
  const address = `address:10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`
  return Buffer.from(address).toString('latin1')
}

// The same order each time, and no order at all: a full period of a congruential generator.
function* anyOrder(): Generator<number> {
  let state = 1
  for (let index = 0; index < 2 ** 20; index++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) & (2 ** 20 - 1)
    if (state < keyCount) yield state
  }
}

// What it needs in any case is loaded and compiled before anything is measured.
const trial = await contestant(name, keyCount)
await trial.decide([keyOf(0)])
await new Promise((resolve) => setTimeout(resolve, 100))
gc()
const before = process.memoryUsage()
const measured = await contestant(name, keyCount * 2)
let longestPauseMs = 0
let longestWorkMs = 0
let newKeysMs = 0
for (let index = 0; index < keyCount; index++) {
  const keys = [keyOf(index)]
  const work = process.threadCpuUsage()
  const startMs = performance.now()
  const decided = measured.decide(keys)
  if (decided !== undefined) await decided
  longestPauseMs = Math.max(longestPauseMs, performance.now() - startMs)
  const workMs = spentMs(process.threadCpuUsage(work))
  longestWorkMs = Math.max(longestWorkMs, workMs)
  newKeysMs += workMs
}
gc()
const after = process.memoryUsage()

let bestPerSecond = 0
for (let pass = 0; pass < passCount; pass++) {
  let decidedCount = 0
  let passMs = 0
  let keys: string[] = []
  for (const index of anyOrder()) {
    keys.push(keyOf(index))
    if (keys.length < batchCount) continue
    const work = process.threadCpuUsage()
    const decided = measured.decide(keys)
    if (decided !== undefined) await decided
    passMs += spentMs(process.threadCpuUsage(work))
    decidedCount += keys.length
    keys = []
  }
  bestPerSecond = Math.max(bestPerSecond, (decidedCount / passMs) * 1_000)
}

process.stdout.write(
  JSON.stringify({
    perSecond: bestPerSecond,
    newPerSecond: (keyCount / newKeysMs) * 1_000,
    rssBytes: after.rss - before.rss,
    heldBytes: after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers,
    longestPauseMs,
    longestWorkMs,
  }),
)
// The timers of some would keep it for an hour.
process.exit(0)
