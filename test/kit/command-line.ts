import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))

/** How the command line ended. */
export interface Ended {
  /** The exit code; `null` when a signal ended it. */
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** Where and with what to run it. */
export interface RunOptions {
  readonly workingDir?: string
  /** Everything that is set besides PATH. */
  readonly environment?: Readonly<Record<string, string>>
  /** What its standard input holds; nothing unless given. */
  readonly input?: string
}

/** A command that is running. */
export interface Running {
  /** Waits until standard output holds this text; rejects when the process ends without. */
  says(text: string): Promise<void>
  signal(signal: NodeJS.Signals): void
  /** Closes this end of its standard output. */
  stopReading(): void
  /** What it has written so far. */
  heard(): { readonly out: string; readonly err: string }
  readonly ended: Promise<Ended>
}

/** The absolute path of one of the small applications for these tests. */
export function fixture(name: string): string {
  return fileURLToPath(new URL(`../fixtures/cli/${name}`, import.meta.url))
}

/** Runs `holdfast` as a process of its own, to the end. */
export function holdfast(words: readonly string[], options: RunOptions = {}): Promise<Ended> {
  return startHoldfast(words, options).ended
}

/** Starts `holdfast` as a process of its own. */
export function startHoldfast(words: readonly string[], options: RunOptions = {}): Running {
  const child = spawn(process.execPath, ['--conditions=holdfast-source', main, ...words], {
    cwd: options.workingDir,
    env: { PATH: process.env['PATH'], ...options.environment },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  child.stdin.on('error', () => undefined)
  child.stdin.end(options.input ?? '')
  const heard = { out: '', err: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    heard.out += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    heard.err += text
  })
  const ended = new Promise<Ended>((resolve) => {
    child.once('close', (code) => resolve({ code, ...heard }))
  })
  return {
    ended,
    heard: () => heard,
    says: (text) => said(child, text, () => heard.out),
    signal: (signal) => {
      child.kill(signal)
    },
    stopReading: () => {
      child.stdout.destroy()
    },
  }
}

function said(child: ChildProcess, text: string, heard: () => string): Promise<void> {
  return new Promise((resolve, reject) => {
    const look = (): void => {
      if (heard().includes(text)) resolve()
    }
    child.stdout?.on('data', look)
    child.once('close', () => reject(new Error(`the process ended without saying ${JSON.stringify(text)}`)))
    look()
  })
}
