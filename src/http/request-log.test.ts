import type { FastifyRequest } from 'fastify'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { memberOf } from '../../test/kit/client.ts'
import { askOnWire } from '../../test/kit/wire.ts'
import { createLogger } from '../observe/index.ts'
import { createEdge, type Edge } from './edge.ts'

const lines: string[] = []
type Use = (log: FastifyRequest['log']) => void

/** Calls a method of pino's that Fastify's type of a log does not name. */
function call(log: object, method: string, ...given: readonly unknown[]): unknown {
  return Reflect.apply(Reflect.get(log, method), log, given)
}

const uses: Readonly<Record<string, Use>> = {
  info: (log) => log.info({ a: 1, password: 'canary' }, 'said %s', 'twice'),
  levels: (log) => {
    log.debug('too little')
    log.warn('enough')
  },
  child: (log) => log.child({ part: 'x', token: 'canary' }).info('said'),
  level: (log) => {
    log.level = 'debug'
    log.debug('said')
  },
  bindings: (log) => {
    call(log, 'setBindings', { tenant: 'acme', password: 'canary' })
    log.info('said')
  },
  asked: (log) => {
    const [info, debug] = ['info', 'debug'].map((level) => call(log, 'isLevelEnabled', level))
    log.info({ info, debug, bindings: call(log, 'bindings') }, 'said')
  },
}

let edge: Edge
let port = 0
beforeAll(async () => {
  edge = createEdge({
    origin: new URL('http://localhost'),
    mode: 'test',
    trustedProxies: [],
    allowedOrigins: [],
    logger: createLogger({ level: 'info', destination: { write: (line) => void lines.push(line) } }),
  })
  // As the gatekeeper of our own routes does; only their lines go the short way.
  edge.fastify.addHook('onRequest', async (request) => {
    request.state.pattern = request.routeOptions.url
  })
  for (const [name, use] of Object.entries(uses))
    edge.fastify.get(`/${name}`, async (request, reply) => {
      expect(reply.log).toBe(request.log)
      use(request.log)
      return { id: request.id }
    })
  await edge.fastify.listen({ host: '127.0.0.1', port: 0 })
  const address = edge.fastify.server.address()
  port = typeof address === 'object' && address !== null ? address.port : 0
})
afterAll(() => edge.fastify.close())
beforeEach(() => void lines.splice(0))

/** What a handler has logged, and the line of its request; each with the id of the request. */
async function told(name: string): Promise<readonly [unknown[], unknown]> {
  const reply = await askOnWire(port, `GET /${name}`)
  expect(reply.status).toBe(200)
  const id = memberOf(JSON.parse(reply.body.toString()), 'id')
  const isEnd = (line: unknown): boolean => memberOf(line, 'msg') === 'request completed'
  const read = (): unknown[] => lines.map((line): unknown => JSON.parse(line))
  await expect.poll(() => read().some(isEnd), { timeout: 5_000 }).toBe(true)
  for (const line of read()) expect(memberOf(line, 'requestId')).toBe(id)
  expect(lines.join('')).not.toContain('canary')
  return [read().filter((line) => !isEnd(line)), read().find(isEnd)]
}

describe('V16.2.1 the log of a request', () => {
  it('names the request, and says nothing that is secret', async () => {
    const [said] = await told('info')
    expect(said).toEqual([expect.objectContaining({ level: 'info', a: 1, msg: 'said twice' })])
  })

  it('keeps to the level of the server, and to one of its own', async () => {
    expect((await told('levels'))[0]).toEqual([expect.objectContaining({ level: 'warn', msg: 'enough' })])
    lines.splice(0)
    expect((await told('level'))[0]).toEqual([expect.objectContaining({ level: 'debug', msg: 'said' })])
    lines.splice(0)
    // Of one request it was, not of the next.
    expect((await told('levels'))[0]).toHaveLength(1)
  })

  it('has children', async () => {
    const [said] = await told('child')
    expect(said).toEqual([expect.objectContaining({ part: 'x', msg: 'said' })])
  })

  it('takes what belongs to every further line of the request, the last one included', async () => {
    const [said, end] = await told('bindings')
    expect(said).toEqual([expect.objectContaining({ tenant: 'acme', msg: 'said' })])
    expect(end).toMatchObject({ tenant: 'acme', status: 200 })
    lines.splice(0)
    expect(memberOf((await told('info'))[1], 'tenant')).toBeUndefined()
  })

  it('tells what it is asked', async () => {
    const [said] = await told('asked')
    expect(said).toEqual([
      expect.objectContaining({
        info: true,
        debug: false,
        bindings: expect.objectContaining({ requestId: expect.any(String) }),
      }),
    ])
  })
})
