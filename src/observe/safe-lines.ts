import type { DestinationStream, Logger } from 'pino'

/** Writes a line at the level `info` of fields that need no redaction, past everything that looks for it. */
export type WriteSafeLine = (fields: string, message: string) => void

type Source = Pick<Logger, 'bindings' | 'isLevelEnabled'>

const known = new WeakMap<object, { readonly logger: Source; readonly destination: DestinationStream }>()

/** Notes where the lines of a logger go. */
export function noteDestination(logger: Source, destination: DestinationStream | undefined): void {
  if (destination !== undefined) known.set(logger, { logger, destination })
}

/** Where the lines of a logger go, if it is one of ours. */
export function destinationOf(logger: object): DestinationStream | undefined {
  return known.get(logger)?.destination
}

/**
 * The short way into a log, for the one line that every request has: its fields are made by the server, so nothing in
 * them has to be looked over. The line is the same, letter by letter, as the one of `logger.info`.
 *
 * @param of One of `createLogger`, or a child of it; for any other there is no short way.
 * @returns how to write: `fields` is JSON without braces, `"status":200,"route":"/"`, and `message` is plain ASCII
 */
export function safeLines(of: object): WriteSafeLine | undefined {
  const found = known.get(of)
  if (found === undefined) return undefined
  const { logger, destination } = found
  const bindings = JSON.stringify(logger.bindings()).slice(1, -1)
  const start = bindings === '' ? '' : `${bindings},`
  return (fields, message) => {
    if (!logger.isLevelEnabled('info')) return
    if ('lastLevel' in destination) destination.lastLevel = infoLevel
    destination.write(`${beginning()}${start}${fields},"msg":"${message}"}\n`)
  }
}

// Pino's number for `info`.
const infoLevel = 30

let writtenMs = 0
let written = ''

/** Level and time as pino writes them; made anew once a millisecond. */
function beginning(): string {
  const nowMs = Date.now()
  if (nowMs !== writtenMs) {
    writtenMs = nowMs
    written = `{"level":"info","time":"${new Date(nowMs).toISOString()}",`
  }
  return written
}
