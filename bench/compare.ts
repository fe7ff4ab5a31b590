import { parseArgs } from 'node:util'
import { assert } from '../src/base/index.ts'
import { checkPeer } from './compare-checks.ts'
import { type Peer, peers } from './compare-peers.ts'
import { type LoadClient, type RunningPeer, startClient, startPeer } from './compare-process.ts'
import { type Measured, report } from './compare-report.ts'
import { median } from './figures.ts'

// What all of Holdfast costs on one authenticated read, beside the same read on other stacks. All run on the same
// processor, in turn, next to a client that has another one.
//   node --conditions=holdfast-source bench/compare.ts [--quick] [--only holdfast,fastify-bare] [--json FILE]

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    json: { type: 'string' },
  },
})
const times = values.quick
  ? { warmUpMs: 1_000, rounds: 3, roundMs: 1_000, steadyRounds: 2, steadyMs: 1_000 }
  : { warmUpMs: 3_000, rounds: 7, roundMs: 2_000, steadyRounds: 5, steadyMs: 2_000 }

interface Contestant {
  readonly peer: Peer
  readonly running: RunningPeer
  readonly path: string
  readonly measured: Measured
}

function chosen(): readonly Peer[] {
  if (values.only === undefined) return peers
  const names = values.only.split(',')
  for (const name of names)
    assert(
      peers.some((peer) => peer.name === name),
      `${name} is none of ${peers.map((peer) => peer.name).join(', ')}`,
    )
  return peers.filter((peer) => names.includes(peer.name))
}

async function started(peer: Peer): Promise<Contestant> {
  const running = await startPeer(peer)
  const path = running.paths[peer.reads]
  assert(path !== undefined, `${peer.name} says what to read`)
  const measured: Measured = { ...{ peer, full: [], steady: [], steadyPerSecond: 0, memoryBytes: 0 } }
  return { peer, running, path, measured }
}

/** One after the other, round by round, so that a busy moment of the machine meets all of them. */
async function measure(contestants: readonly Contestant[], client: LoadClient): Promise<void> {
  for (const { running, path } of contestants) await client.full(running, path, times.warmUpMs)
  for (let round = 0; round < times.rounds; round++)
    for (const { running, path, measured } of contestants) {
      running.emptyLog()
      measured.full.push(await client.full(running, path, times.roundMs))
    }
  for (const contestant of contestants)
    contestant.measured.steadyPerSecond = steadyRate(contestants, contestant)
  for (let round = 0; round < times.steadyRounds; round++)
    for (const { running, path, measured } of contestants) {
      running.emptyLog()
      measured.steady.push(await client.steady(running, path, times.steadyMs, measured.steadyPerSecond))
    }
  for (const { running, measured } of contestants) measured.memoryBytes = running.memoryBytes()
}

const rateOf = ({ measured }: Contestant): number =>
  median(measured.full.map(({ answerCount, durationMs }) => (answerCount * 1_000) / durationMs))

/** Half of what the slowest of those that are compared can do, the same for all; for slower ones half of their own. */
function steadyRate(contestants: readonly Contestant[], contestant: Contestant): number {
  const compared = contestants.filter(({ peer }) => /^(fastify|holdfast)/.test(peer.name))
  const common = Math.min(...(compared.length === 0 ? contestants : compared).map(rateOf))
  return Math.round(Math.min(common, rateOf(contestant)) / 2)
}

const some = chosen()
let failedCount = 0
for (const peer of some) {
  const faults = await checkPeer(peer)
  for (const fault of faults) process.stdout.write(`${peer.name}: ${fault}\n`)
  failedCount += faults.length
}
if (failedCount > 0) {
  process.stdout.write('What does not do the work is not timed.\n')
  process.exitCode = 1
} else {
  const client = startClient()
  const contestants: Contestant[] = []
  try {
    for (const peer of some) contestants.push(await started(peer))
    await measure(contestants, client)
  } finally {
    client.stop()
    for (const { running } of contestants) await running.stop()
  }
  report(
    contestants.map(({ measured }) => measured),
    { isQuick: values.quick, jsonFile: values.json },
  )
}
