import type { Terminal } from './terminal.ts'

/** Tells how far a long job is. */
export interface Progress {
  tell(text: string): void
  /** Takes the last line away, where it changes. */
  end(): void
}

const lineEveryMs = 5_000
const changeEveryMs = 100

/** On one line that changes where somebody is looking, else on a line now and then. */
export function progressOn(terminal: Terminal, isLive: boolean): Progress {
  let toldAt = Number.NEGATIVE_INFINITY
  return {
    tell(text) {
      const now = performance.now()
      if (now - toldAt < (isLive ? changeEveryMs : lineEveryMs)) return
      toldAt = now
      terminal.err(isLive ? `\r\u001b[K${text}` : `${text}\n`)
    },
    end() {
      if (isLive && toldAt > 0) terminal.err('\r\u001b[K')
    },
  }
}

/** Runs a job that SIGINT and SIGTERM stop where it is safe. */
export async function stoppable<T>(job: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const stop = new AbortController()
  const onSignal = (): void => stop.abort()
  // The first signal stops it after the batch at hand, a second one at once: both are safe.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, onSignal)
  try {
    return await job(stop.signal)
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.removeListener(signal, onSignal)
  }
}
