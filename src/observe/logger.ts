import { format } from 'node:util'
import { type DestinationStream, type LoggerOptions, type Logger as PinoLogger, pino } from 'pino'
import { redactFields, redactValue } from './redact.ts'
import { destinationOf, noteDestination } from './safe-lines.ts'
import { safeText } from './sensitive-shapes.ts'
import { standardOutput } from './standard-output.ts'

/** The log: pino's, with redaction at any depth. */
export type Logger = PinoLogger

/** From only what ends the process to everything; `silent` writes nothing. */
export type LogLevel = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent'

/** How to make a logger. */
export interface LoggerSettings {
  readonly level: LogLevel
  /** Where the lines go, one JSON object each; standard output unless given. */
  readonly destination?: DestinationStream
  /** Names of fields that are redacted besides the usual ones, such as the personal columns of the application. */
  readonly sensitiveNames?: readonly string[]
}

/**
 * Makes the logger: one JSON object per line, UTC timestamps, every field and message redacted before it is
 * written, those of child loggers too.
 *
 * @see OWASP ASVS 5.0 §16.2.2, §16.2.5, §16.4.1
 * @example createLogger({ level: 'info' }).info({ userId }, 'note shared')
 */
export function createLogger({
  level,
  destination = standardOutput(),
  sensitiveNames = [],
}: LoggerSettings): Logger {
  const names = new Set(sensitiveNames.map((name) => name.toLowerCase()))
  const options: LoggerOptions = {
    level,
    // Neither process id nor host name: the collector knows them, and they are nobody else's business.
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    // The values are plain and safe when they get here; the usual serialisers would read them a second time.
    serializers: { err: asIs, req: asIs, res: asIs },
    hooks: {
      logMethod(args, method) {
        const { fields, message } = redactCall(args, names)
        if (fields === undefined) method.call(this, message ?? '')
        else method.call(this, fields, message)
      },
    },
  }
  const logger = pino(options, destination)
  redactBindings(logger, names)
  noteDestination(logger, destination)
  return logger
}

function asIs(value: unknown): unknown {
  return value
}

interface SafeCall {
  readonly fields: Record<string, unknown> | undefined
  readonly message: string | undefined
}

function redactCall(args: readonly unknown[], names: ReadonlySet<string>): SafeCall {
  const [first, ...rest] = args
  if (typeof first !== 'object' || first === null)
    return { fields: undefined, message: messageOf(args, names) }
  const message = messageOf(rest, names) ?? (first instanceof Error ? safeText(first.message) : undefined)
  return { fields: redactFields(first, names), message }
}

function messageOf(parts: readonly unknown[], names: ReadonlySet<string>): string | undefined {
  if (parts.length === 0 || parts[0] === undefined) return undefined
  if (parts.length === 1) return safeText(String(parts[0]))
  return safeText(format(...parts.map((part) => redactValue(part, names))))
}

// Pino writes the bindings of child loggers past its hooks; children inherit this method from the root.
function redactBindings(logger: Logger, names: ReadonlySet<string>): void {
  const child = logger.child
  const setBindings = logger.setBindings
  Object.defineProperties(logger, {
    child: {
      value(this: Logger, bindings: object, options?: Parameters<Logger['child']>[1]): unknown {
        const made = child.call(this, redactFields(bindings, names), options)
        noteDestination(made, destinationOf(this))
        return made
      },
    },
    setBindings: {
      value(this: Logger, bindings: object): void {
        setBindings.call(this, redactFields(bindings, names))
      },
    },
  })
}
