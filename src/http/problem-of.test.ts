import { NoResultError } from 'kysely'
import { describe, expect, it } from 'vitest'
import { createLogger } from '../observe/index.ts'
import { createEdge } from './edge.ts'
import type { EdgeOptions } from './edge-options.ts'

const lines: string[] = []
const options: EdgeOptions = {
  origin: new URL('http://localhost'),
  mode: 'test',
  trustedProxies: [],
  allowedOrigins: [],
  logger: createLogger({ level: 'info', destination: { write: (line) => void lines.push(line) } }),
}
const canary = 'canary-4f1c'

describe('thrown errors', () => {
  const frameworkLike = Object.assign(new Error(canary), { code: 'FST_REQ_FILE_TOO_LARGE', statusCode: 413 })
  const disguised = Object.assign(new Error(canary), {
    code: 'ENOENT',
    statusCode: 404,
    headers: { x: canary },
  })
  const thrown: readonly (readonly [string, unknown, number])[] = [
    ['an error', new TypeError(canary), 500],
    ['a string', canary, 500],
    ['undefined', undefined, 500],
    ['null', null, 500],
    ['an object with a status', { statusCode: 200, message: canary }, 500],
    ['an error that claims a status', disguised, 500],
    ['no row', new NoResultError({ kind: 'SelectQueryNode' }), 404],
    ['a plugin’s error', frameworkLike, 413],
  ]
  for (const where of ['handler', 'preHandler', 'onSend', 'preSerialization'] as const) {
    for (const [name, error, status] of thrown) {
      it(`V16.5.3 ${name} thrown in ${where}: ${status}, logged, not sent`, async () => {
        const { fastify } = createEdge(options)
        const fail = async (): Promise<never> => {
          throw error
        }
        // A hook that rejects with nothing counts as passed, in Fastify as in avvio.
        if (where !== 'handler' && (error === undefined || error === null)) return
        fastify.get(
          '/',
          where === 'handler' ? {} : { [where]: fail },
          where === 'handler' ? fail : async () => ({ a: 1 }),
        )
        lines.length = 0
        const reply = await fastify.inject({ url: '/' })
        expect(reply.statusCode).toBe(status)
        expect(reply.headers['content-type']).toBe('application/problem+json')
        expect(reply.payload + JSON.stringify(reply.headers)).not.toContain(canary)
        const { instance } = reply.json<{ instance: string }>()
        if (status !== 500) return
        const logged = lines.filter((line) => line.includes(instance))
        expect(logged.some((line) => line.includes('"level":"error"'))).toBe(true)
        if (error instanceof Error) expect(logged.join('')).toContain(canary)
      })
    }
  }

  it('V16.5.3 drops what a failed handler had set for its content', async () => {
    const { fastify } = createEdge(options)
    fastify.get('/', async (_request, reply) => {
      reply.headers({
        'content-disposition': canary,
        'cache-control': 'public',
        'content-security-policy': 'x',
        etag: '"1"',
      })
      reply.header('set-cookie', 'a=; Max-Age=0')
      reply.raw.setHeader('x-leftover', canary)
      throw new TypeError('x')
    })
    const { headers } = await fastify.inject({ url: '/' })
    expect(JSON.stringify(headers)).not.toContain(canary)
    expect(headers['cache-control']).toBe('no-store, max-age=0')
    expect(headers['content-security-policy']).toContain("default-src 'none'")
    expect(headers).not.toHaveProperty('etag')
    expect(headers['set-cookie']).toBe('a=; Max-Age=0')
  })

  it('V16.5.1 reports a plugin’s schema by place, without the value', async () => {
    const { fastify } = createEdge(options)
    const schema = {
      body: { type: 'object', properties: { n: { type: 'integer', maximum: 5 } }, required: ['m'] },
    }
    fastify.post('/', { schema }, async () => ({}))
    const reply = await fastify.inject({ method: 'POST', url: '/', payload: { n: canary } })
    expect(reply.statusCode).toBe(400)
    expect(reply.json()).toMatchObject({ errors: [{ path: '/body' }] })
    expect(reply.payload).not.toContain(canary)
  })

  it('does not let a plugin replace the error handler', async () => {
    const { fastify } = createEdge(options)
    expect(() => fastify.setErrorHandler(() => {})).toThrow(/already set/i)
  })
})
