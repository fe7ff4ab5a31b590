import { writeSync } from 'node:fs'
import { SharedLocks, type SharedMemory } from '../limits/index.ts'

const standardOutput = 1
// More than this is written before the turn ends: memory stays small whatever is logged.
const batchChars = 65_536
// Pino's number for `error`.
const errorLevel = 50
const retryMs = 1

/** Where the lines of a log go, told the level of each. */
export interface WorkerOutput {
  /** The level of the line that comes next, in pino's numbers. */
  lastLevel: number
  write(line: string): void
  flush(done?: () => void): void
}

/**
 * Standard output for one worker of several. The lines of one turn of the event loop are written together, an error at
 * once, and what one worker writes is never torn apart by another: a pipe that is full takes a part of a write, and the
 * rest would stand behind the lines of somebody else.
 *
 * @see OWASP ASVS 5.0 §16.4.1, §16.4.3
 */
export function workerOutput(
  memory: SharedMemory,
  put: (bytes: Uint8Array) => number = (bytes) => writeSync(standardOutput, bytes),
): WorkerOutput {
  const { buffer } = memory.region('output', 8)
  // Whoever reads the log may be slow for as long as it likes, as for one process.
  const lock = new SharedLocks(new Int32Array(buffer), memory, Number.POSITIVE_INFINITY)
  let batch = ''
  let isDue = false
  let isGone = false
  const flush = (): void => {
    isDue = false
    if (isGone || batch === '') return
    const bytes = Buffer.from(batch)
    batch = ''
    lock.acquire(0)
    try {
      isGone = !putAll(bytes, put)
    } finally {
      lock.release(0)
    }
  }
  process.on('exit', flush)
  const output: WorkerOutput & { readonly [name: symbol]: true } = {
    // Asks pino to tell the level.
    [Symbol.for('pino.metadata')]: true,
    lastLevel: 0,
    write(line) {
      if (isGone) return
      batch += line
      if (output.lastLevel >= errorLevel || batch.length >= batchChars) flush()
      else if (!isDue) {
        isDue = true
        setImmediate(flush)
      }
    },
    flush(done) {
      flush()
      done?.()
    },
  }
  return output
}

/** @returns whether anybody still reads: a server whose log is cut off goes on serving */
function putAll(bytes: Uint8Array, put: (bytes: Uint8Array) => number): boolean {
  const sleeper = new Int32Array(new SharedArrayBuffer(4))
  let left = bytes
  while (left.length > 0) {
    try {
      left = left.subarray(put(left))
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined
      if (code === 'EPIPE') return false
      if (code !== 'EAGAIN') throw error
      Atomics.wait(sleeper, 0, 0, retryMs)
    }
  }
  return true
}
