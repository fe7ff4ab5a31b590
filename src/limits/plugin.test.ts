import { once } from 'node:events'
import { connect as connectHttp2 } from 'node:http2'
import fastify, { type FastifyInstance } from 'fastify'
import { createLimiter, fastifyLimits, limitKey, memoryStore, per } from 'holdfast/limits'
import { afterEach, describe, expect, it } from 'vitest'
import { storeWith } from '../../test/kit/limits.ts'

const startMs = 1_795_000_000_000
const still = (limits: Parameters<typeof createLimiter>[0]) => createLimiter(limits, { nowMs: () => startMs })

const running: { close(): Promise<unknown> }[] = []
afterEach(async () => {
  await Promise.all(running.splice(0).map((app) => app.close()))
})

function newApp(): FastifyInstance {
  const app = fastify()
  running.push(app)
  return app
}

async function addressOf(app: FastifyInstance): Promise<(path: string) => Promise<number>> {
  const address = await app.listen({ port: 0, host: '127.0.0.1' })
  return async (path) => (await fetch(address + path)).status
}

describe('V2.4.1 the scope of the Fastify plugin', () => {
  it('V2.4.1 is where it is registered and below, with what is not found there', async () => {
    const app = newApp()
    app.get('/before', async () => 'done')
    await app.register(fastifyLimits, { limiter: still(per('hour', 4)) })
    app.get('/after', async () => 'done')
    await app.register(async (child) => {
      child.get('/below', async () => 'done')
    })
    const ask = await addressOf(app)
    expect([await ask('/before'), await ask('/after'), await ask('/below')]).toEqual([200, 200, 200])
    expect([await ask('/nothing'), await ask('/nothing'), await ask('/before')]).toEqual([404, 429, 429])
  })

  it('V2.4.1 is not a neighbour, nor a scope below that was registered before it', async () => {
    const app = newApp()
    await app.register(async (child) => {
      child.get('/early', async () => 'done')
    })
    await app.register(async (child) => {
      await child.register(fastifyLimits, { limiter: still(per('hour', 1)) })
      child.get('/limited', async () => 'done')
    })
    app.get('/neighbour', async () => 'done')
    const ask = await addressOf(app)
    expect([await ask('/limited'), await ask('/limited')]).toEqual([200, 429])
    expect([await ask('/early'), await ask('/neighbour'), await ask('/nothing')]).toEqual([200, 200, 404])
  })

  it('says no with another version of Fastify', () => {
    expect(Reflect.get(fastifyLimits, Symbol.for('plugin-meta'))).toMatchObject({ fastify: '5.x' })
  })
})

describe('what the Fastify plugin knows by itself', () => {
  it('V2.4.1 the declared route, whatever its parameters', async () => {
    const app = newApp()
    await app.register(fastifyLimits, { limiter: still(per('hour', 2, { by: ['route'] })) })
    app.get('/notes/:id', async () => 'done')
    app.get('/other', async () => 'done')
    const ask = await addressOf(app)
    expect([await ask('/notes/1'), await ask('/notes/2'), await ask('/notes/3')]).toEqual([200, 200, 429])
    expect(await ask('/other')).toBe(200)
    // All that is not found is one route, or each guess would have a bucket of its own.
    expect([await ask('/x1'), await ask('/x2'), await ask('/x3')]).toEqual([404, 404, 429])
  })

  it('V2.4.1 the parameters of the path, for a key of one’s own', async () => {
    const project = limitKey('project', ({ params }) => params?.['project'] ?? null)
    const app = newApp()
    await app.register(fastifyLimits, { limiter: still(per('hour', 1, { by: [project] })) })
    app.get('/in/:project', async () => 'done')
    const ask = await addressOf(app)
    expect([await ask('/in/a'), await ask('/in/a'), await ask('/in/b')]).toEqual([200, 429, 200])
  })
})

describe('the Fastify plugin and other hooks', () => {
  it('V16.5.3 hands an error to the error handler of the application', async () => {
    const app = newApp()
    const store = storeWith(memoryStore(), () => Promise.reject(new TypeError('down')))
    app.setErrorHandler((_error, _request, reply) => reply.code(503).send('later'))
    await app.register(fastifyLimits, { limiter: createLimiter(per('hour', 1), { store }) })
    let handledCount = 0
    app.get('/', async () => {
      handledCount += 1
      return 'done'
    })
    const ask = await addressOf(app)
    expect([await ask('/'), handledCount]).toEqual([503, 0])
  })

  it('refuses before a body is read, and keeps what other hooks set', async () => {
    const app = newApp()
    app.addHook('onSend', async (_request, reply) => void reply.header('x-frame-options', 'DENY'))
    await app.register(fastifyLimits, { limiter: still(per('hour', 1)) })
    app.post('/', async () => 'done')
    const address = await app.listen({ port: 0, host: '127.0.0.1' })
    const post = () =>
      fetch(address, { method: 'POST', body: '{ no json', headers: { 'content-type': 'application/json' } })
    expect((await post()).status).toBe(400)
    const refused = await post()
    expect([refused.status, refused.headers.get('x-frame-options')]).toEqual([429, 'DENY'])
  })
})

describe('limits over HTTP/2', () => {
  it('V2.4.1 V6.3.1 do not take a stream that was reset for a right guess', async () => {
    const app = fastify({ http2: true })
    running.push(app)
    const arrivals: (() => void)[] = []
    await app.register(fastifyLimits, { limiter: still(per('hour', 2, { counts: 'failures' })) })
    app.get('/guess', async () => {
      arrivals.shift()?.()
      return new Promise(() => undefined)
    })
    app.get('/right', async () => 'done')
    const client = connectHttp2(await app.listen({ port: 0, host: '127.0.0.1' }))
    const status = async (path: string): Promise<unknown> => {
      const stream = client.request({ ':path': path })
      const [headers] = await once(stream, 'response')
      stream.resume()
      await once(stream, 'end')
      return headers[':status']
    }
    try {
      expect([await status('/right'), await status('/right'), await status('/right')]).toEqual([
        200, 200, 200,
      ])
      for (let index = 0; index < 2; index++) {
        const arrived = new Promise<void>((resolve) => arrivals.push(resolve))
        const stream = client.request({ ':path': '/guess' })
        await arrived
        stream.close(8)
        await once(stream, 'close')
      }
      expect(await status('/right')).toBe(429)
    } finally {
      client.destroy()
    }
  })
})
