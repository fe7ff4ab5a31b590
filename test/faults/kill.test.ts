import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { memberOf } from '../kit/client.ts'
import { freshPostgres } from '../kit/postgres.ts'
import { check } from './kill-check.ts'
import { bodyOf, emptyLedger, enter, type KnownNote, type Ledger } from './kill-ledger.ts'
import { send, work } from './kill-load.ts'
import { type KillableServer, killWhileStarting, randomFrom, startKillable } from './killed-server.ts'

const rounds = Number(process.env['HOLDFAST_KILL_ROUNDS'] ?? 120)
const seed = Number(process.env['HOLDFAST_KILL_SEED'] ?? Math.floor(Math.random() * 0x7fffffff))
const workerCount = 6

interface Outcome {
  readonly ledger: Ledger
  /** Kills under load. */
  readonly killed: number
  /** Kills between a start and the first request. */
  readonly killedStarting: number
}

/** A note that everybody may change, so that changes of several people wait for one another. */
async function commonNote(server: KillableServer, ledger: Ledger): Promise<KnownNote> {
  const [owner, ...others] = server.people
  if (owner === undefined) throw new TypeError('there are people')
  const title = 'common-00'
  const made = await send(server, owner, 'POST', '/api/notes', { body: { title, body: bodyOf(title) } })
  const draft = { owner, title, key: undefined, isAcknowledged: true }
  const note = enter(ledger, draft, String(memberOf(made?.json, 'id')))
  for (const other of others) {
    const body = { permission: 'write' }
    const shared = await send(server, owner, 'PUT', `/api/notes/${note.id}/shares/${other.id}`, { body })
    expect(shared?.status).toBe(200)
    note.shares.set(other, { acknowledged: 'write', unanswered: undefined })
  }
  return note
}

/** Kills the server of one database again and again under load, each time on what the last one left. */
async function killAgainAndAgain(
  database: number,
  url: Record<string, string>,
  count: number,
): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-kill-'))
  const environment = {
    ...url,
    HOLDFAST_DATA_DIR: join(folder, 'data'),
    NODE_COMPILE_CACHE: join(folder, 'cache'),
  }
  const random = randomFrom(seed, database)
  const ledger = emptyLedger()
  let killedStarting = 0
  let server = await startKillable(environment)
  try {
    const common = await commonNote(server, ledger)
    for (let round = 0; round < count; round += 1) {
      const before = new Set(ledger.notes.values())
      const since = new Date().toISOString()
      const working = Array.from({ length: workerCount }, (_, worker) => {
        const person = server.people[worker % server.people.length] ?? common.owner
        const prefix = `${database}-${round}-${worker}`
        return work({
          server,
          ledger,
          person,
          common,
          random: randomFrom(seed, database, round, worker),
          prefix,
        })
      })
      // Any moment: while rows are written, committed, checkpointed, or nothing at all is done.
      await delay(20 + random() * 200)
      await server.kill()
      await Promise.all(working)
      if (random() < 0.1) {
        killedStarting += 1
        await killWhileStarting(environment, random() * 500)
      }
      server = await startKillable(environment)
      const touched = [...ledger.notes.values()].filter((note) => note === common || !before.has(note))
      await check(server, ledger, touched, since)
    }
    // And at the end all of them once more: nothing later has undone an earlier one.
    await check(server, ledger, [...ledger.notes.values()], '')
  } finally {
    await server.kill()
    rmSync(folder, { recursive: true, force: true })
  }
  return { ledger, killed: count, killedStarting }
}

/** Prints the figures, and holds them against what must be. */
function conclude(name: string, outcomes: readonly Outcome[], startMs: number): void {
  const sum = (numberOf: (outcome: Outcome) => number) =>
    outcomes.reduce((total, outcome) => total + numberOf(outcome), 0)
  const killed = sum((outcome) => outcome.killed)
  const acknowledged = sum(({ ledger }) => ledger.acknowledged)
  const refused = sum(({ ledger }) => ledger.refused)
  const unanswered = sum(({ ledger }) => ledger.unanswered)
  const faults = outcomes.flatMap(({ ledger }) => ledger.faults)
  process.stdout.write(
    `kill -9 on ${name}: ${killed} rounds and ${sum(({ killedStarting }) => killedStarting)} while starting, ` +
      `${acknowledged} writes acknowledged, ${refused} asked to come again, ${faults.length} lost or halved, ${unanswered} in flight at the kill, ` +
      `${sum(({ ledger }) => ledger.found)} of them found whole, ` +
      `${((performance.now() - startMs) / 1_000).toFixed(1)} s, seed ${seed}\n`,
  )
  expect(faults).toEqual([])
  // Each kill came while every worker was at work. How much was done before it is up to the machine.
  expect(unanswered).toBe(killed * workerCount)
  expect(acknowledged).toBeGreaterThan(killed)
  expect(refused).toBeLessThan(acknowledged / 20)
}

it(
  'V2.3.3 a write acknowledged by HTTP survives kill -9 at any moment, on SQLite',
  async () => {
    const startMs = performance.now()
    const half = Math.ceil(rounds / 2)
    const outcomes = [killAgainAndAgain(0, {}, half), killAgainAndAgain(1, {}, rounds - half)]
    conclude('SQLite', await Promise.all(outcomes), startMs)
  },
  rounds * 5_000 + 20_000,
)

it(
  'V2.3.3 a write acknowledged by HTTP survives kill -9 at any moment, on PostgreSQL',
  async () => {
    const startMs = performance.now()
    const postgres = await freshPostgres()
    try {
      const outcome = await killAgainAndAgain(2, { DATABASE_URL: postgres.url }, Math.ceil(rounds / 10))
      conclude('PostgreSQL', [outcome], startMs)
    } finally {
      await postgres.drop()
    }
  },
  rounds * 5_000 + 20_000,
)
