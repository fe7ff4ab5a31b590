import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { memberOf } from '../kit/client.ts'

/** A server in a process of its own, to be killed. */
export interface KillableServer {
  readonly address: string
  readonly people: readonly KnownPerson[]
  /** Ends it without a warning: SIGKILL. Answers when the process is gone. */
  kill(): Promise<void>
}

/** Somebody to be. The same on every start with the same secret. */
export interface KnownPerson {
  readonly id: string
  readonly token: string
}

type Environment = Readonly<Record<string, string>>

const fixture = fileURLToPath(new URL('../fixtures/kill/serve.ts', import.meta.url))

/** Starts the server on data that may have been left by one that was killed. */
export async function startKillable(environment: Environment): Promise<KillableServer> {
  const child = spawnServer(environment)
  const exited = once(child, 'exit')
  const { stdout } = child
  if (stdout === null) throw new TypeError('the output is piped')
  const said: unknown = await Promise.race([
    once(createInterface({ input: stdout }), 'line').then(([line]) => JSON.parse(String(line))),
    exited.then(([code]) => {
      throw new TypeError(`the server did not start: ${code}`)
    }),
  ])
  const people = memberOf(said, 'people')
  return {
    address: String(memberOf(said, 'address')),
    people: Array.isArray(people) ? people.map(personOf) : [],
    async kill() {
      child.kill('SIGKILL')
      await exited
    },
  }
}

/** Kills a server some milliseconds after its start: while it loads, recovers its file or migrates. */
export async function killWhileStarting(environment: Environment, afterMs: number): Promise<void> {
  const child = spawnServer(environment)
  const exited = once(child, 'exit')
  await delay(afterMs)
  child.kill('SIGKILL')
  await exited
}

function spawnServer(environment: Environment): ChildProcess {
  return spawn(process.execPath, ['--conditions=holdfast-source', fixture], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { PATH: process.env['PATH'], NODE_ENV: 'test', PORT: '0', ...environment },
  })
}

function personOf(said: unknown): KnownPerson {
  return { id: String(memberOf(said, 'id')), token: String(memberOf(said, 'token')) }
}

/**
 * Random numbers from 0 to 1 that are the same for the same numbers given (mulberry32).
 *
 * @example randomFrom(seed, round, worker)
 */
export function randomFrom(...numbers: readonly number[]): () => number {
  let state = numbers.reduce((mixed, number) => Math.imul(mixed ^ number, 0x9e3779b1) + 0x6d2b79f5, 0)
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
