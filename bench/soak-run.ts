import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { freePort } from '../test/package/processes.ts'
import { percentile } from './figures.ts'
import { attacks, type Battlefield, floodsWereStopped, replayRefresh } from './soak-attacks.ts'
import { SoakClient } from './soak-client.ts'
import { Person } from './soak-people.ts'
import { type SoakServer, type StopFigures, startSoakServer } from './soak-process.ts'
import { compareNotes, doSomething, type Work } from './soak-work.ts'

/** How long and how hard. */
export interface SoakPlan {
  readonly durationMs: number
  /** Of the honest people together; attacks come on top. */
  readonly requestsPerSecond: number
  readonly personCount: number
  /** Of load, between two looks at the idle server. */
  readonly cycleMs: number
  /** Told what was done so far, about every ten seconds. */
  readonly onProgress: (line: string) => void
}

/** One look at the idle server after a cycle of load. */
export interface Cycle {
  readonly aliveBytes: number
  readonly residentBytes: number
  /** How late the event loop was during the cycle, 99th percentile. */
  readonly delayP99Ms: number
  /** Processor time of the server for one request of the cycle. */
  readonly processorMicroseconds: number
  readonly readMedianMs: number
  readonly readP99Ms: number
  readonly requestCount: number
}

/** What a soak came to; {@link judge} says whether it is good. */
export interface SoakFigures {
  readonly client: SoakClient
  readonly cycles: readonly Cycle[]
  readonly noteCount: number
  readonly stop: StopFigures
  readonly trail: { readonly rowCount: number; readonly findingCount: number }
  readonly floodsWereStopped: boolean
}

const attackerCount = 4
const signingInCount = 2
const progressEveryMs = 10_000
// What a detector or a limit may answer to an attacker who signs in.
const attackerStatuses = [401, 403, 429]

/** Runs the server, loads it, stops it, starts it again on the same data, and looks what is there. */
export async function runSoak(plan: SoakPlan): Promise<SoakFigures> {
  const dataDir = await mkdtemp(join(tmpdir(), 'holdfast-soak-'))
  // The same for each start, since the tokens name the origin that they are for.
  const port = await freePort()
  const client = new SoakClient()
  const running: { server?: SoakServer } = {}
  const start = async (): Promise<SoakServer> => {
    const server = await startSoakServer(dataDir, port, plan.personCount + attackerCount)
    running.server = server
    client.at(server.address)
    return server
  }
  try {
    const server = await start()
    const people = Array.from({ length: plan.personCount }, (_, index) => new Person(client, index))
    const attackers = Array.from(
      { length: attackerCount },
      (_, index) => new Person(client, plan.personCount + index, attackerStatuses),
    )
    await signInAll([...people, ...attackers])
    const cycles = await runCycles(plan, { server, client, people, attackers })
    await compareAll(client, people)
    const stop = await server.stop()
    const again = await start()
    const noteCount = await compareAll(client, people)
    const trail = await again.verifyTrail()
    await again.stop()
    return { client, cycles, noteCount, stop, trail, floodsWereStopped: floodsWereStopped(client) }
  } finally {
    running.server?.kill()
    client.close()
    await rm(dataDir, { recursive: true, force: true })
  }
}

// Each hashes a password: a hundred at once would only wait for each other.
async function signInAll(everybody: readonly Person[]): Promise<void> {
  const waiting = [...everybody]
  const lane = async (): Promise<void> => {
    for (let person = waiting.pop(); person !== undefined; person = waiting.pop()) await person.signIn()
  }
  await Promise.all(Array.from({ length: signingInCount }, lane))
}

async function compareAll(client: SoakClient, people: readonly Person[]): Promise<number> {
  let noteCount = 0
  for (const person of people) {
    await person.beSignedIn()
    noteCount += await compareNotes({ client, person, people, random: Math.random })
  }
  return noteCount
}

/** Everybody who takes part. */
interface Cast {
  readonly server: SoakServer
  readonly client: SoakClient
  readonly people: readonly Person[]
  readonly attackers: readonly Person[]
}

async function runCycles(plan: SoakPlan, cast: Cast): Promise<readonly Cycle[]> {
  const cycles: Cycle[] = []
  const startMs = performance.now()
  const progress = { atMs: startMs }
  while (performance.now() - startMs < plan.durationMs) {
    cycles.push(await runCycle(plan, cast))
    const nowMs = performance.now()
    if (nowMs - progress.atMs < progressEveryMs) continue
    progress.atMs = nowMs
    plan.onProgress(progressLine((nowMs - startMs) / 1_000, cast.client, cycles))
  }
  return cycles
}

function progressLine(seconds: number, client: SoakClient, cycles: readonly Cycle[]): string {
  const last = cycles.at(-1)
  const mebibytes = (bytes = 0): string => (bytes / 2 ** 20).toFixed(1)
  return (
    `${seconds.toFixed(0)} s: ${client.askedCount} requests, ${client.faultCount} faults, ` +
    `${client.turnedAwayCount} turned away, alive ${mebibytes(last?.aliveBytes)} MiB, ` +
    `resident ${mebibytes(last?.residentBytes)} MiB, ${last?.processorMicroseconds.toFixed(0)} µs each, ` +
    `loop p99 ${last?.delayP99Ms.toFixed(0)} ms${client.faultCount > 0 ? `; last fault: ${client.faults.at(-1)}` : ''}`
  )
}

async function runCycle(plan: SoakPlan, { server, client, people, attackers }: Cast): Promise<Cycle> {
  const before = { asked: client.askedCount, seconds: server.processorSeconds() }
  client.readsMs = []
  const endMs = performance.now() + plan.cycleMs
  const isOver = (): boolean => performance.now() >= endMs
  const pauseMs = (people.length * 1_000) / plan.requestsPerSecond
  const random = Math.random
  const field: Battlefield = { client, address: server.address, attackers, people, random, isOver }
  await Promise.all([
    ...people.map((person) => live({ client, person, people, random }, pauseMs, isOver)),
    ...attacks.map(({ everyMs, attack }) => repeat(everyMs, endMs, (turn) => attack(field, turn))),
    replayRefresh(field),
  ])
  const requestCount = client.askedCount - before.asked
  const processorMicroseconds = ((server.processorSeconds() - before.seconds) * 1e6) / requestCount
  const { aliveBytes, residentBytes, delayP99Ms } = await server.sample()
  return {
    ...{ aliveBytes, residentBytes, delayP99Ms, processorMicroseconds, requestCount },
    readMedianMs: percentile(client.readsMs, 0.5),
    readP99Ms: percentile(client.readsMs, 0.99),
  }
}

/** One person after another request, at times of their own. */
async function live(work: Work, pauseMs: number, isOver: () => boolean): Promise<void> {
  await delay(work.random() * pauseMs)
  while (!isOver()) {
    await doSomething(work)
    await delay(pauseMs * (0.5 + work.random()))
  }
}

let turnCount = 0

/** An attack again and again; the turns go on from one cycle to the next. */
async function repeat(
  everyMs: number,
  endMs: number,
  attack: (turn: number) => Promise<void>,
): Promise<void> {
  while (performance.now() < endMs) {
    turnCount += 1
    await attack(turnCount)
    await delay(Math.max(0, Math.min(everyMs, endMs - performance.now())))
  }
}
