import type { FastifyBaseLogger } from 'fastify'
import type { Edge } from './edge.ts'

/** Something to close once no request runs any more: a database, a queue. */
export interface Closer {
  readonly name: string
  close(): void | Promise<void>
}

/** What is needed to stop. */
export interface StopPlan {
  readonly edge: Pick<Edge, 'fastify' | 'health'>
  readonly logger: FastifyBaseLogger & { flush?: (done?: (error?: Error) => void) => void }
  /** Milliseconds for running requests to finish; then their connections are cut. */
  readonly deadlineMs: number
  /** Closed one after the other, in this order. */
  readonly closers: readonly Closer[]
}

/** How a stop went: everything finished, requests were cut off, or a part did not close. */
export type StopOutcome = 'drained' | 'cut-off' | 'failed'

const sweepMs = 50
const closerTimeoutMs = 5_000

/**
 * Stops the server: not ready any more, no new connections, running requests finish within the deadline, then
 * the closers, then the log is flushed.
 *
 * @see OWASP ASVS 5.0 §16.5.3
 */
export async function stopGracefully({ edge, logger, deadlineMs, closers }: StopPlan): Promise<StopOutcome> {
  edge.health.stop()
  logger.info('stopping')
  const { server } = edge.fastify
  let outcome: StopOutcome = 'drained'
  // A connection whose request has just finished is idle, and nobody else would close it before its timeout.
  const sweep = setInterval(() => server.closeIdleConnections(), sweepMs)
  const deadline = setTimeout(() => {
    outcome = 'cut-off'
    server.closeAllConnections()
  }, deadlineMs)
  try {
    // A hook that hangs must not hold up what follows.
    await within(edge.fastify.close(), deadlineMs + closerTimeoutMs)
  } catch (error) {
    logger.error({ err: error }, 'the server did not close')
    outcome = 'failed'
  } finally {
    clearTimeout(deadline)
    clearInterval(sweep)
  }
  for (const closer of closers) {
    try {
      await within(
        Promise.resolve().then(() => closer.close()),
        closerTimeoutMs,
      )
    } catch (error) {
      logger.error({ err: error, part: closer.name }, 'a part did not close')
      outcome = 'failed'
    }
  }
  logger.info({ outcome }, 'stopped')
  await flush(logger)
  return outcome
}

/** The part of `process` that signals and last-resort errors come from. */
export interface SignalSource {
  on(signal: 'SIGINT' | 'SIGTERM', listener: () => void): unknown
  on(event: 'uncaughtException', listener: (error: unknown) => void): unknown
  exit(code: number): unknown
}

/**
 * Stops on SIGTERM and SIGINT and exits: 0, or 1 when something did not close. A second signal exits at once, with
 * 1 after SIGTERM and 130 after SIGINT. An error that nobody caught is logged, and the process stops in the same
 * way with 1, because its state cannot be trusted any more.
 *
 * @see OWASP ASVS 5.0 §16.5.4
 * @example onSignals(process, logger, () => stopGracefully(plan))
 */
export function onSignals(
  source: SignalSource,
  logger: FastifyBaseLogger,
  stop: () => Promise<StopOutcome>,
): void {
  let isStopping = false
  const begin = (codeWhenDone: number): void => {
    isStopping = true
    stop().then(
      (outcome) => source.exit(outcome === 'failed' ? 1 : codeWhenDone),
      () => source.exit(1),
    )
  }
  const onSignal = (secondCode: number) => (): void => {
    if (isStopping) source.exit(secondCode)
    else begin(0)
  }
  source.on('SIGTERM', onSignal(1))
  source.on('SIGINT', onSignal(130))
  source.on('uncaughtException', (error) => {
    logger.fatal({ err: error }, 'an error that nobody caught')
    if (isStopping) source.exit(1)
    else begin(1)
  })
}

async function within(work: PromiseLike<unknown>, timeoutMs: number): Promise<void> {
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(
    () => reject(new DOMException(`not done in ${timeoutMs} ms`, 'TimeoutError')),
    timeoutMs,
  )
  try {
    await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

async function flush(logger: StopPlan['logger']): Promise<void> {
  if (logger.flush === undefined) return
  const { promise, resolve } = Promise.withResolvers<void>()
  logger.flush(() => resolve())
  // A destination that never calls back, a closed pipe for one, must not keep the process alive.
  const timer = setTimeout(resolve, 1_000)
  await promise
  clearTimeout(timer)
}
