import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { Readable } from 'node:stream'
import type { FastifyBaseLogger, FastifyRequest } from 'fastify'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { memberOf } from '../../test/kit/client.ts'
import { askOnWire, bytesFrom } from '../../test/kit/wire.ts'
import { Problem } from '../errors/index.ts'
import { createLogger } from '../observe/index.ts'
import { createEdge, type Edge } from './edge.ts'
import type { ObservedRequest } from './observed.ts'

/** An edge that listens, and what it has told. */
interface Told {
  readonly edge: Edge
  readonly port: number
  readonly lines: string[]
  readonly seen: ObservedRequest[]
  /** What the handler of `/held` waits for. */
  readonly held: (() => void)[]
}

const strange = '/a "b" \\c ü'

async function start(
  wrap: (logger: FastifyBaseLogger) => FastifyBaseLogger = (logger) => logger,
): Promise<Told> {
  const lines: string[] = []
  const seen: ObservedRequest[] = []
  const held: (() => void)[] = []
  const edge = createEdge({
    origin: new URL('http://localhost'),
    mode: 'test',
    trustedProxies: [],
    allowedOrigins: [],
    logger: wrap(createLogger({ level: 'info', destination: { write: (line) => void lines.push(line) } })),
    watchers: { observe: (request) => void seen.push(request) },
  })
  const { fastify } = edge
  // As the gatekeeper of our own routes does; only their lines go the short way.
  fastify.addHook('onRequest', async (request) => {
    request.state.pattern = request.routeOptions.url
  })
  const tenant = async (request: FastifyRequest): Promise<void> => {
    request.log = request.log.child({ tenant: 'acme' })
  }
  fastify.get('/tenant', { onRequest: tenant }, async () => ({ ok: true }))
  fastify.get('/json/:id', async () => ({ text: 'ü' }))
  fastify.get('/held', () => new Promise((resolve) => held.push(() => resolve({ ok: true }))))
  fastify.delete('/json/:id', async (_request, reply) => reply.code(204).send())
  fastify.get('/unchanged', async (_request, reply) => reply.code(304).send())
  fastify.get(strange, async () => ({ ok: true }))
  fastify.get('/stream', async (_request, reply) => reply.send(Readable.from(['a', 'b'])))
  fastify.get('/conflict', async () => Promise.reject(new Problem('CONFLICT', 'taken')))
  fastify.get('/crash', async () => Promise.reject(new TypeError('x')))
  fastify.post('/json', async () => ({ ok: true }))
  fastify.get('/half', (_request, reply) => {
    reply.hijack()
    reply.raw.writeHead(200, { 'content-length': 10 }).write('12345')
    reply.raw.on('close', () => reply.raw.end())
  })
  fastify.get('/twice', (_request, reply) => {
    reply.hijack()
    reply.raw.end('a')
    reply.raw.end()
  })
  await fastify.listen({ host: '127.0.0.1', port: 0 })
  const address = fastify.server.address()
  return { edge, lines, seen, held, port: typeof address === 'object' && address !== null ? address.port : 0 }
}

/** The lines about requests that are over, without what differs each time. */
function ended({ lines }: Told): readonly Record<string, unknown>[] {
  return lines
    .map((line): Record<string, unknown> => JSON.parse(line))
    .filter((line) => memberOf(line, 'msg') === 'request completed')
}

function target(path: string): string {
  return encodeURI(path)
}

let told: Told
beforeEach(async () => {
  told = await start()
})
afterEach(() => told.edge.fastify.close())

async function leaving(line: string, more = ''): Promise<Socket> {
  const socket = connect(told.port, '127.0.0.1')
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  socket.write(`${line} HTTP/1.1\r\nHost: localhost\r\n${more}\r\n`)
  return socket
}

/** Waits for one line and one observation, and for all else that might still come. */
async function expectOne(expected: Readonly<Record<string, unknown>>): Promise<void> {
  await expect.poll(() => ended(told).length, { timeout: 5_000 }).toBeGreaterThan(0)
  const before = ended(told).length
  // A later request has its line later than whatever this one could have.
  await askOnWire(told.port, 'GET /json/later')
  await expect.poll(() => ended(told).length, { timeout: 5_000 }).toBe(before + 1)
  expect(ended(told).slice(0, -1)).toEqual([expect.objectContaining(expected)])
  expect(told.seen).toHaveLength(2)
  expect(told.seen[0]).toMatchObject({ status: expected['status'], route: expected['route'] })
}

const asked: readonly (readonly [string, Readonly<Record<string, unknown>>])[] = [
  ['GET /json/7', { status: 200, route: '/json/:id', bytes: 13, level: 'info' }],
  ['HEAD /json/7', { status: 200, route: '/json/:id', method: 'HEAD', bytes: 13 }],
  ['DELETE /json/7', { status: 204, route: '/json/:id', level: 'info' }],
  ['GET /unchanged', { status: 304, route: '/unchanged' }],
  ['GET /stream', { status: 200, route: '/stream' }],
  ['GET /tenant', { status: 200, route: '/tenant', bytes: 11, tenant: 'acme' }],
  ['GET /twice', { status: 200, route: '/twice' }],
  [`GET ${target(strange)}`, { status: 200, route: strange, bytes: 11 }],
  ['GET /conflict', { status: 409, route: '/conflict', problem: 'CONFLICT', reason: 'taken', level: 'warn' }],
  ['GET /crash', { status: 500, route: '/crash', problem: 'INTERNAL', level: 'error' }],
  ['GET /nowhere', { status: 404, route: null, problem: 'NOT_FOUND' }],
  ['PUT /json/7', { status: 405, route: null, problem: 'METHOD_NOT_ALLOWED' }],
  ['GET /%zz', { status: 400, problem: 'BAD_REQUEST' }],
  ['OPTIONS /json/7', { status: 204 }],
]

describe('V16.2.1 a request has one line and is observed once', () => {
  it.each(asked)('when it is answered: %s', async (line, expected) => {
    await askOnWire(told.port, line)
    await expectOne({ route: null, ...expected })
    expect('bytes' in (ended(told)[0] ?? {})).toBe(
      expected['bytes'] !== undefined || Number(expected['status']) >= 400,
    )
  })

  it('when its client leaves before the handler has answered, which is noted once it does', async () => {
    const socket = await leaving('GET /held')
    await expect.poll(() => told.held.length, { timeout: 5_000 }).toBe(1)
    socket.destroy()
    await expect
      .poll(() => told.lines.join(''), { timeout: 5_000 })
      .toContain('request aborted by the client')
    expect(ended(told)).toEqual([])
    for (const letGo of told.held) letGo()
    await expectOne({ route: '/held', status: 200 })
  })

  it('when its client leaves while its reply waits behind another', async () => {
    const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`
    const socket = await leaving(
      'GET /held',
      `\r\n${get('/json/1')}GET /json/2 HTTP/1.1\r\nHost: localhost\r\n`,
    )
    await expect.poll(() => told.held.length, { timeout: 5_000 }).toBe(1)
    // The others are answered once another connection is, which came later.
    await askOnWire(told.port, 'GET /conflict')
    socket.destroy()
    await expect.poll(() => ended(told).length, { timeout: 5_000 }).toBe(3)
    for (const letGo of told.held) letGo()
    await expect.poll(() => ended(told).length, { timeout: 5_000 }).toBe(4)
    expect(ended(told).map(({ route }) => route)).toEqual(['/conflict', '/json/:id', '/json/:id', '/held'])
    expect(new Set(told.seen.map(({ requestId }) => requestId)).size).toBe(4)
    expect(told.seen).toHaveLength(4)
  })

  it('when its client leaves in the middle of the reply', async () => {
    const socket = await leaving('GET /half')
    await once(socket, 'data')
    socket.destroy()
    await expectOne({ route: '/half', status: 200 })
  })

  it('when its client leaves in the middle of its body', async () => {
    const socket = await leaving('POST /json', 'Content-Type: application/json\r\nContent-Length: 100\r\n')
    socket.write('{')
    await new Promise<void>((resolve) => socket.end(() => resolve()))
    socket.destroy()
    await expectOne({ route: '/json', status: 400 })
  })

  it('also among many on one connection', async () => {
    const one = (path: string) => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n`
    const paths = ['/json/1', '/nowhere', '/conflict', '/stream', '/json/2', '/crash', '/unchanged']
    await bytesFrom(
      told.port,
      `${paths.map((path) => `${one(path)}\r\n`).join('')}${one('/json/3')}Connection: close\r\n\r\n`,
    )
    await expect.poll(() => ended(told).length, { timeout: 5_000 }).toBe(8)
    expect(ended(told).map(({ status }) => status)).toEqual([200, 404, 409, 200, 200, 500, 304, 200])
    expect(new Set(ended(told).map(({ requestId }) => requestId)).size).toBe(8)
    expect(told.seen.map(({ requestId }) => requestId)).toEqual(ended(told).map(({ requestId }) => requestId))
  })
})

describe('V16.2.2 the line of a request', () => {
  it.each(asked.map(([line]) => line))(
    'is the same, letter by letter, the short way and the long way: %s',
    async (line) => {
      // One that is not known for ours has no short way.
      const long = await start((logger) => Object.create(logger))
      const steady = (one: Told) =>
        one.lines
          .filter((text) => text.includes('request completed'))
          .map((text) =>
            text
              .replace(/"time":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"/, '"time":""')
              .replace(/"requestId":"[0-9a-f-]{36}"/, '"requestId":""')
              .replace(/"durationMs":\d+(\.\d)?,/, '"durationMs":0,'),
          )
      for (const one of [told, long]) {
        await askOnWire(one.port, line)
        await expect.poll(() => ended(one).length, { timeout: 5_000 }).toBe(1)
      }
      expect(steady(told)).toEqual(steady(long))
      expect(steady(told).join('')).toContain('"time":"","requestId":"",')
      await long.edge.fastify.close()
    },
  )
})
