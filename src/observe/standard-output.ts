import { writeSync } from 'node:fs'
import type { DestinationStream } from 'pino'

// More than this is written before the turn ends: memory stays small whatever is logged.
const batchChars = 65_536
// Pino's number for `error`.
const errorLevel = 50

/** Where the lines of a log go, told the level of each. */
interface BatchedStream extends DestinationStream {
  /** The level of the line that comes next, in pino's numbers. */
  lastLevel: number
  flush(done?: (error?: Error) => void): void
  readonly [name: symbol]: true
}

let shared: BatchedStream | undefined

/**
 * Standard output, one for the process. The lines of one turn of the event loop are written together, because a system
 * call for each costs as much as the whole request that it tells of. An error is written at once, and so is what is left
 * when the process ends: only a process that is killed in the middle of a turn takes that turn's lines with it.
 *
 * @see OWASP ASVS 5.0 §16.4.3
 */
export function standardOutput(): DestinationStream {
  shared ??= batched()
  return shared
}

function batched(): BatchedStream {
  let pending = ''
  let isGone = false
  const flush = (): void => {
    if (pending === '') return
    const lines = Buffer.from(pending)
    pending = ''
    isGone ||= !writeWhole(lines)
  }
  let isExiting = false
  process.on('exit', () => {
    isExiting = true
    flush()
  })
  const output: BatchedStream = {
    // Asks pino to tell the level.
    [Symbol.for('pino.metadata')]: true,
    lastLevel: 0,
    write(line) {
      if (isGone) return
      if (pending === '' && !isExiting) setImmediate(flush)
      pending += line
      if (isExiting || output.lastLevel >= errorLevel || pending.length > batchChars) flush()
    },
    flush(done) {
      flush()
      done?.()
    },
  }
  return output
}

const standardOutputFd = 1
const busyWaitMs = 5
const sleeper = new Int32Array(new SharedArrayBuffer(4))

/** @returns false when nobody reads any more: a server whose log is cut off goes on serving */
function writeWhole(bytes: Buffer): boolean {
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(standardOutputFd, bytes, at)
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined
      if (code === 'EPIPE') return false
      if (code !== 'EAGAIN' && code !== 'EBUSY') throw error
      // A pipe whose reader is slower than we are. Lines are waited for, not lost.
      Atomics.wait(sleeper, 0, 0, busyWaitMs)
    }
  }
  return true
}
