import { SharedBook } from '../detection/index.ts'
import { countAnswers, startPool } from '../workers/index.ts'
import { exitCodes } from './fault.ts'
import type { Terminal } from './terminal.ts'

/** What `holdfast start --workers` runs. */
export interface WorkersCall {
  /** The FILE of the command line. */
  readonly file: string | undefined
  readonly workerCount: number
  readonly terminal: Terminal
}

const entry = import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js'

/**
 * Starts the workers, and stops them when a signal says so: the first one in good order, the second at once. The
 * application itself is loaded by them, not here.
 *
 * @returns once all are listening; the exit code of the start when they could not
 */
export async function runWorkers({ file, workerCount, terminal }: WorkersCall): Promise<number> {
  const pool = startPool({
    entry: new URL(entry, import.meta.url),
    workerCount,
    data: file,
    answer: countAnswers(new SharedBook()),
    print: (text) => terminal.err(text),
  })
  let isStopping = false
  const onSignal = (secondCode: number) => (): void => {
    if (isStopping) process.exit(secondCode)
    isStopping = true
    pool.stop()
  }
  process.on('SIGTERM', onSignal(1))
  process.on('SIGINT', onSignal(130))
  const outcome = await pool.started
  if (outcome !== 'listening') return outcome
  void pool.ended.then((code) => process.exit(code))
  return exitCodes.fine
}
