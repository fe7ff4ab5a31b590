import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { closeSync, ftruncateSync, openSync, readFileSync, rmSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { assert } from '../src/base/index.ts'
import type { Peer } from './compare-peers.ts'
import type { LatencyFigures, LoadFigures } from './load.ts'
import type { LoadAnswer, LoadOrder } from './load-process.ts'
import { rootDir } from './server-process.ts'

/** What a peer says of itself once it listens. */
export interface Introduction {
  readonly address: string
  readonly paths: { readonly read: string; readonly foreign: string; readonly note?: string }
  readonly tokens: {
    readonly good: string
    readonly expired: string
    readonly forged: string
    readonly revoked: string
  }
}

/** A peer that runs. */
export interface RunningPeer extends Introduction {
  readonly pid: number
  /** Resident memory. */
  memoryBytes(): number
  /** What it has written to its log since the log was last emptied. */
  log(): string
  emptyLog(): void
  stop(): Promise<void>
}

// Longer than any start: a server that says nothing must not hold up the bench for ever.
const startTimeoutMs = 20_000
const canPin = spawnSync('taskset', ['-c', '1', 'true']).status === 0

/** Whether each side has a processor of its own. */
export const isPinned: boolean = canPin

function pinned(cpu: number, args: readonly string[]): readonly [string, readonly string[]] {
  return canPin ? ['taskset', ['-c', String(cpu), process.execPath, ...args]] : [process.execPath, args]
}

// What is left of a bench that somebody interrupts: the peers end by themselves, their folders do not.
const dataDirs = new Set<string>()
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(130))
process.once('exit', () => {
  for (const dataDir of dataDirs) rmSync(dataDir, { recursive: true, force: true })
})

/** Starts a peer on the first processor, with an empty data folder and its log in a file, as all others. */
export async function startPeer(peer: Peer, limit?: number): Promise<RunningPeer> {
  const dataDir = await mkdtemp(join(tmpdir(), 'holdfast-bench-'))
  dataDirs.add(dataDir)
  const logFile = join(dataDir, 'log')
  const logFd = openSync(logFile, 'a')
  const [command, args] = pinned(0, ['--conditions=holdfast-source', join(rootDir, 'bench/peers', peer.file)])
  const child = spawn(command, args, {
    cwd: dataDir,
    env: {
      ...{ PATH: process.env['PATH'], HOLDFAST_DATA_DIR: dataDir, PORT: '0', ...peer.environment },
      ...(limit === undefined ? {} : { BENCH_LIMIT: String(limit) }),
    },
    // The channel is only there to close: a peer ends when the bench is gone.
    stdio: ['ignore', logFd, 'pipe', 'ipc'],
  })
  const ended = new Promise<void>((resolve) => {
    child.once('close', () => resolve())
  })
  const stop = async (): Promise<void> => {
    // A stack that waits for its connections to end would wait for ours.
    const timer = setTimeout(() => child.kill('SIGKILL'), 3_000)
    child.kill('SIGTERM')
    await ended
    clearTimeout(timer)
    closeSync(logFd)
    await rm(dataDir, { recursive: true, force: true })
    dataDirs.delete(dataDir)
  }
  try {
    const introduction = await introductionOf(child, peer.name)
    assert(child.pid !== undefined, 'it runs')
    const { pid } = child
    return {
      ...introduction,
      ...{ pid, stop, memoryBytes: () => memoryOf(pid) },
      log: () => readFileSync(logFile, 'utf8'),
      emptyLog: () => ftruncateSync(logFd),
    }
  } catch (error) {
    await stop()
    throw error
  }
}

function introductionOf(child: ChildProcess, name: string): Promise<Introduction> {
  return new Promise((resolve, reject) => {
    let said = ''
    const timer = setTimeout(() => reject(new Error(`${name} says nothing:\n${said}`)), startTimeoutMs)
    child.stderr?.on('data', (text: Buffer) => {
      said += String(text)
      const ready = /^ready (.*)\n/m.exec(said)?.[1]
      if (ready === undefined) return
      clearTimeout(timer)
      resolve(JSON.parse(ready))
    })
    child.once('close', (code) => {
      clearTimeout(timer)
      reject(new Error(`${name} ended with ${code}:\n${said}`))
    })
  })
}

function memoryOf(pid: number): number {
  const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  assert(kibibytes !== undefined, 'the kernel tells the resident memory of a process')
  return Number(kibibytes) * 1024
}

/** The client, on the second processor. */
export interface LoadClient {
  full(peer: RunningPeer, path: string, durationMs: number): Promise<LoadFigures>
  steady(peer: RunningPeer, path: string, durationMs: number, ratePerSecond: number): Promise<LatencyFigures>
  stop(): void
}

/** Starts the client. */
export function startClient(): LoadClient {
  const [command, args] = pinned(1, ['--conditions=holdfast-source', join(rootDir, 'bench/load-process.ts')])
  const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  const order = (sent: LoadOrder): Promise<LoadFigures | LatencyFigures> =>
    new Promise((resolve, reject) => {
      const late = (): void => reject(new Error(`no answers from ${sent.target.url}`))
      const timer = setTimeout(late, sent.durationMs * 5 + 10_000)
      child.once('message', (answer: LoadAnswer) => {
        clearTimeout(timer)
        if ('figures' in answer) resolve(answer.figures)
        else reject(new Error(answer.fault))
      })
      child.send(sent)
    })
  const targetOf = ({ address, tokens, pid }: RunningPeer, path: string): LoadOrder['target'] => ({
    ...{ url: `${address}${path}`, token: tokens.good, pid },
  })
  return {
    full: (peer, path, durationMs) => order({ target: targetOf(peer, path), durationMs }),
    async steady(peer, path, durationMs, ratePerSecond) {
      const figures = await order({ target: targetOf(peer, path), durationMs, ratePerSecond })
      assert('p99Ms' in figures, 'a steady load tells how long answers took')
      return figures
    },
    stop: () => child.disconnect(),
  }
}
