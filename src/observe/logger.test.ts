import { createServer, get } from 'node:http'
import { describe, expect, it } from 'vitest'
import { Secret } from '../base/index.ts'
import { createLogger, type Logger } from './index.ts'

function recorder(): { readonly logger: Logger; readonly lines: string[] } {
  const lines: string[] = []
  const logger = createLogger({ level: 'trace', destination: { write: (line) => void lines.push(line) } })
  return { logger, lines }
}

const jwt = 'eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJ1MSJ9.c2lnbmF0dXJlLW9mLXRoaXM'
const canary = 'canary-4f1c'

it('V16.2.5 keeps out what the application calls sensitive, at any depth and in any case', () => {
  const lines: string[] = []
  const logger = createLogger({
    level: 'info',
    destination: { write: (line) => void lines.push(line) },
    sensitiveNames: ['birthName'],
  })
  logger.info({ person: { birthName: 'Ada', BIRTHNAME: 'Bea', name: 'shown' } }, 'with %o', {
    birthName: 'Cat',
  })
  logger.child({ birthName: 'Dan' }).info('hello')
  expect(lines.join('')).not.toMatch(/Ada|Bea|Cat|Dan/)
  expect(lines.join('')).toContain('shown')
})

describe('redaction by name', () => {
  const names = [
    'password',
    'PASSWORD',
    'new_password',
    'newPassword',
    'accessToken',
    'client-secret',
    'Authorization',
    'Cookie',
    'set-cookie',
    'apiKey',
    'x-api-key',
    'API KEY',
    'otp',
    'totp_code',
    'pin',
    'userPin',
    'cvv',
    'cardNumber',
    'recoveryCodes',
    'private_key',
  ]
  for (const name of names) {
    it(`V16.2.5 hides ${name} at any depth`, () => {
      const { logger, lines } = recorder()
      logger.info({ [name]: canary, a: [{ b: { [name]: { c: canary } } }] }, 'x')
      expect(lines.join('')).not.toContain(canary)
    })
  }

  it('keeps harmless names that contain a short word', () => {
    const { logger, lines } = recorder()
    logger.info({ mapping: 1, spinCount: 2, pancake: 'kept', code: 'FST_X' }, 'x')
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      mapping: 1,
      spinCount: 2,
      pancake: 'kept',
      code: 'FST_X',
    })
  })

  it('V16.2.5 hides what the bindings of a child logger hold', () => {
    const { logger, lines } = recorder()
    const child = logger.child({ token: canary, note: `Bearer ${canary}${canary}` }).child({ pin: canary })
    child.setBindings({ secret: canary })
    child.info('x')
    expect(lines.join('')).not.toContain(canary)
  })
})

describe('redaction by shape', () => {
  const texts: readonly (readonly [string, string, string])[] = [
    ['a JWT', `got ${jwt} here`, jwt.slice(4, 20)],
    ['a JWT cut short', jwt.slice(0, 30), jwt.slice(4, 20)],
    ['a bearer header', `authorization: bearer ${canary}-abcdef`, canary],
    ['basic credentials', 'Basic dXNlcjpwYXNzd29yZA==', 'dXNlcjpw'],
    ['a PEM key', `-----BEGIN PRIVATE KEY-----\n${canary}\n-----END PRIVATE KEY-----`, canary],
    ['a PEM key without end', `-----BEGIN EC PRIVATE KEY-----\n${canary}`, canary],
    ['a database URL', `connect postgres://app:${canary}@db:5432/x failed`, canary],
    ['a database URL with @ in the password', `postgres://app:p@${canary}@db/x`, canary],
    ['a token in a query', `GET /verify?token=${canary} failed`, canary],
    ['a hexadecimal key', 'key '.concat('0123456789abcdef'.repeat(4)), '0123456789abcdef'],
    ['a base64 key', 'q83vEjRWeJq83vEjRWeJq83vEjRWeJq83vEjRWeJq80=', 'q83vEjRW'],
    ['a base64url key', 'aB3_'.repeat(11), 'aB3_aB3_'],
    ['an API key of ours', 'hf_live_0123456789abcdef', '0123456789abcdef'],
    ['a card number', 'paid with 4111 1111 1111 1111 today', '1111 1111'],
  ]
  for (const [name, text, leak] of texts) {
    it(`V16.2.5 hides ${name} in messages, fields, lists, errors and causes`, () => {
      const { logger, lines } = recorder()
      logger.info(text)
      logger.info('%s', text)
      logger.info({ note: text, list: [[text]], [text]: 1, map: new Map([['k', text]]) }, 'x')
      logger.error(new Error(text, { cause: new TypeError('low', { cause: text }) }))
      logger.error({ err: new AggregateError([new Error(text)], text) }, 'x')
      expect(lines).toHaveLength(5)
      expect(lines.join('').replaceAll('\\n', '\n')).not.toContain(leak)
    })
  }

  it('V16.2.5 hides a card number that is a number, and keeps times and ids', () => {
    const { logger, lines } = recorder()
    logger.info({ a: 4111111111111111, atMs: 1760000000000, id: '0199f3b2-7c1e-7000-9d3b-5a1b0c2d3e4f' }, 'x')
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      a: '[card]',
      atMs: 1760000000000,
      id: '0199f3b2-7c1e-7000-9d3b-5a1b0c2d3e4f',
    })
  })

  it('V16.2.5 lets a Secret print itself', () => {
    const { logger, lines } = recorder()
    logger.info(
      { holder: { value: new Secret(canary) }, list: [new Secret(canary)] },
      `${new Secret(canary)}`,
    )
    expect(lines[0]).toContain('[secret]')
    expect(lines.join('')).not.toContain(canary)
  })

  it('V1.3.12 takes linear time on hostile text', () => {
    const { logger } = recorder()
    const startMs = performance.now()
    for (const unit of ['a.', 'a-', 'eyJ', '4', '4 ', 'a:', 'Bearer ', '-----BEGIN ', '?key', 'aB3', '::/']) {
      logger.info({ text: unit.repeat(200_000 / unit.length) }, 'x')
    }
    expect(performance.now() - startMs).toBeLessThan(1_500)
  })
})

describe('what a line holds', () => {
  it('V16.2.5 writes no body, query, header or query string of a request', async () => {
    const { logger, lines } = recorder()
    const server = createServer((request, response) => {
      logger.info({ req: request, res: response, request: { raw: request } }, 'direct')
      logger.info(
        { body: canary, query: { q: canary }, headers: { x: canary }, url: `/p?q=${canary}` },
        'named',
      )
      response.end()
    })
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    const address = server.address()
    const port = typeof address === 'object' ? address?.port : undefined
    await new Promise((done) => get({ port, path: `/p?q=${canary}`, headers: { 'x-a': canary } }, done))
    server.close()
    expect(lines).toHaveLength(2)
    expect(lines.join('')).not.toContain(canary)
    expect(JSON.parse(lines[0] ?? '').req).toEqual({ method: 'GET', path: '/p' })
  })

  it('V16.4.1 stays one line whatever the text holds', () => {
    const { logger, lines } = recorder()
    const forged = 'a\r\n{"level":"info","msg":"forged"}\u2028b\u2029c\u0085d\u001b[31me\u202ef'
    logger.info({ text: forged, [forged]: 1 }, forged)
    logger.info('%s', forged)
    for (const line of lines) {
      expect(line.endsWith('\n')).toBe(true)
      // biome-ignore lint/suspicious/noControlCharactersInRegex: no line may hold any of them
      expect(line.trimEnd()).not.toMatch(/[\r\n\u2028\u2029\u0085\u001b\u202e]/)
      expect(JSON.parse(line).level).toBe('info')
    }
  })

  it('V16.2.2 has a UTC time and no host or process', () => {
    const { logger, lines } = recorder()
    logger.warn('x')
    const line: unknown = JSON.parse(lines[0] ?? '')
    expect(line).toEqual({ level: 'warn', time: expect.stringMatching(/^\d{4}-.*Z$/), msg: 'x' })
  })

  it('V16.4.1 survives cycles, getters that throw and huge values', () => {
    const { logger, lines } = recorder()
    const cycle: Record<string, unknown> = {}
    cycle['self'] = cycle
    const broken = {
      get x(): string {
        throw new TypeError('no')
      },
    }
    const deep = Array.from({ length: 100 }).reduce<object>(
      (inner) => ({ inner, wide: Array(1_000).fill('w') }),
      {},
    )
    const error = new Error('a')
    error.cause = error
    logger.info({ cycle, broken, deep, error, wide: Array(1e5).fill({ a: 1 }), text: 'x'.repeat(1e6) }, 'x')
    const leaf = Array.from({ length: 64 }, () => 'leaf')
    const branch = Object.fromEntries(Array.from({ length: 64 }, (_, i) => [`k${i}`, leaf]))
    logger.info({ list: Array(64).fill(branch) }, 'x')
    expect(lines).toHaveLength(2)
    for (const line of lines) expect(line.length).toBeLessThan(100_000)
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      cycle: { self: '[circular]' },
      broken: '[unreadable]',
    })
  })

  it('writes errors with type, message, stack and cause', () => {
    const { logger, lines } = recorder()
    logger.error({ err: new RangeError('low', { cause: new TypeError('lower') }) }, 'failed')
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      msg: 'failed',
      err: { type: 'RangeError', message: 'low', cause: { type: 'TypeError', message: 'lower' } },
    })
  })
})
