import fc from 'fast-check'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createLogger, type Logger, type LogLevel, safeLines } from './index.ts'

const message = 'request completed'
const lines: string[] = []
const destination = { write: (line: string): void => void lines.push(line) }

beforeEach(() => {
  vi.useFakeTimers({ now: Date.parse('2026-03-01T12:00:00.005Z'), toFake: ['Date'] })
  lines.length = 0
})
afterEach(() => void vi.useRealTimers())

function fresh(level: LogLevel = 'info', sensitiveNames: readonly string[] = []): Logger {
  return createLogger({ level, destination, sensitiveNames })
}

/** The line of the short way, and the one of the long way. */
function both(logger: Logger, fields: Readonly<Record<string, unknown>>): readonly [string[], string[]] {
  const text = JSON.stringify(fields).slice(1, -1)
  safeLines(logger)?.(text, message)
  const short = lines.splice(0)
  logger.info(fields, message)
  return [short, lines.splice(0)]
}

const sample = {
  requestId: 'c0ffee00-0000-4000-8000-000000000000',
  method: 'GET',
  route: '/api/notes/:id',
  status: 200,
  durationMs: 1.5,
  clientAddress: '2001:db8::1',
  bytes: 17,
}

describe('V16.2.2 the short way into the log', () => {
  const loggers: Readonly<Record<string, () => Logger>> = {
    'the logger itself': () => fresh(),
    'a child without bindings': () => fresh().child({}),
    'a child': () => fresh().child({ worker: 3 }),
    'a child of a child': () =>
      fresh()
        .child({ worker: 3 })
        .child({ part: 'a "quoted" one', deep: { list: [1, null] } }),
    'a child with secrets': () => fresh().child({ password: 'canary', who: { token: 'canary' } }),
    'a child with what the application calls sensitive': () =>
      fresh('info', ['birthName']).child({ birthName: 'canary' }),
    'a child with letters of any kind': () => fresh().child({ name: 'Ä\n\u2028"\\ \ud83d' }),
    'one that writes more': () => fresh('trace'),
  }

  it.each(Object.entries(loggers))('writes the same line, letter by letter: %s', (_what, make) => {
    const [short, long] = both(make(), sample)
    expect(short).toHaveLength(1)
    expect(short).toEqual(long)
    expect(short.join('')).not.toContain('canary')
  })

  it('writes the same line of any fields that a server makes', () => {
    const value = fc.oneof(
      fc.integer(),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.constant(null),
    )
    const fields = fc.record({
      route: fc.string({ unit: fc.constantFrom('/', ':', 'a', '"', '\\', 'ü') }),
      status: value,
      durationMs: value,
    })
    const logger = fresh().child({ worker: 1 })
    fc.assert(
      fc.property(fields, (made) => {
        const [short, long] = both(logger, made)
        expect(short).toEqual(long)
      }),
    )
  })

  it('tells the time of each line', () => {
    const write = safeLines(fresh())
    for (const ms of [0, 0, 1, 999, -5_000]) {
      vi.setSystemTime(Date.now() + ms)
      write?.('"a":1', 'x')
      expect(JSON.parse(lines.pop() ?? '')).toEqual({
        level: 'info',
        time: new Date().toISOString(),
        a: 1,
        msg: 'x',
      })
    }
  })

  it.each(['fatal', 'error', 'warn', 'silent'] as const)('writes nothing where the level is %s', (level) => {
    const [short, long] = both(fresh(level), sample)
    expect([short, long]).toEqual([[], []])
  })

  it('follows a level that changes', () => {
    const logger = fresh('info')
    const write = safeLines(logger)
    logger.level = 'warn'
    write?.('"a":1', 'x')
    expect(lines).toEqual([])
    logger.level = 'debug'
    write?.('"a":1', 'x')
    expect(lines).toHaveLength(1)
  })

  it('tells a destination that asks for levels that the line is no error', () => {
    const levels: unknown[] = []
    const telling = {
      [Symbol.for('pino.metadata')]: true,
      lastLevel: 0,
      write: () => void levels.push(telling.lastLevel),
    }
    const logger = createLogger({ level: 'info', destination: telling })
    logger.error('x')
    safeLines(logger)?.('"a":1', 'x')
    logger.info('x')
    expect(levels).toEqual([50, 30, 30])
  })

  it('is there for loggers of ours alone', () => {
    const foreign: readonly object[] = [
      pino({ level: 'silent' }),
      Object.create(fresh()),
      {},
      console,
      { ...fresh() },
    ]
    for (const logger of foreign) expect(safeLines(logger)).toBeUndefined()
    expect(safeLines(fresh())).toBeTypeOf('function')
  })
})
