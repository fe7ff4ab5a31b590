import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { assert } from '../src/base/index.ts'

/** The folder of the checkout. */
export const rootDir: string = fileURLToPath(new URL('../', import.meta.url))

/** A server in a process of its own, on a free port, with an empty data folder. */
export interface ServerProcess {
  /** `http://127.0.0.1:PORT` */
  readonly address: string
  /** What it has printed until it said its address. */
  readonly said: string
  /** Resident memory in bytes. */
  memoryBytes(): number
  /** Stops it and removes its data folder. */
  stop(): Promise<void>
}

// Longer than any start worth measuring; a server that says nothing must not hold up the bench for ever.
const startTimeoutMs = 15_000

/** Starts a server; resolves once it has printed its address and, if one is asked for, this pattern. */
export async function startServer(args: readonly string[], waitFor = /^/): Promise<ServerProcess> {
  const dataDir = await mkdtemp(join(tmpdir(), 'holdfast-bench-'))
  const child = spawn(process.execPath, args, {
    cwd: dataDir,
    env: { PATH: process.env['PATH'], HOLDFAST_DATA_DIR: dataDir, PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = new Promise<void>((resolve) => {
    child.once('close', () => resolve())
  })
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM')
    await ended
    await rm(dataDir, { recursive: true, force: true })
  }
  try {
    const { address, said } = await introduction(child, waitFor)
    return { address, said, memoryBytes: () => memoryOf(child), stop }
  } catch (error) {
    await stop()
    throw error
  }
}

function introduction(child: ChildProcess, waitFor: RegExp): Promise<{ address: string; said: string }> {
  return new Promise((resolve, reject) => {
    let said = ''
    const timer = setTimeout(() => reject(new Error(`no address after ${startTimeoutMs} ms`)), startTimeoutMs)
    const listen = (text: Buffer): void => {
      said += String(text)
      const address = /http:\/\/127\.0\.0\.1:\d+/.exec(said)?.[0]
      if (address === undefined || !waitFor.test(said)) return
      clearTimeout(timer)
      // The log is still read, or the server would wait for us, but no longer looked at.
      child.stdout?.off('data', listen).resume()
      resolve({ address, said })
    }
    child.stdout?.on('data', listen)
    child.once('close', (code) => reject(new Error(`the server ended with ${code}:\n${said}`)))
  })
}

function memoryOf(child: ChildProcess): number {
  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8')
  const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]
  assert(kibibytes !== undefined, 'the kernel tells the resident memory of a process')
  return Number(kibibytes) * 1024
}
