import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import express from 'express'
import { createLimiter, expressLimits, memoryStore, per } from 'holdfast/limits'
import { afterEach, describe, expect, it } from 'vitest'
import { storeWith } from '../../test/kit/limits.ts'

const startMs = 1_795_000_000_000
const still = (limits: Parameters<typeof createLimiter>[0]) => createLimiter(limits, { nowMs: () => startMs })

const running: Server[] = []
afterEach(() => {
  for (const server of running.splice(0)) server.close()
})

async function asking(app: express.Express): Promise<(path: string) => Promise<Response>> {
  const server = createServer(app).listen(0, '127.0.0.1')
  running.push(server)
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new TypeError('a port has an address')
  return (path) => fetch(`http://127.0.0.1:${address.port}${path}`)
}

describe('the middleware in an application of Express', () => {
  it('V2.4.1 counts what goes through the router it stands in, and nothing else', async () => {
    const app = express()
    const router = express.Router()
    router.use(expressLimits(still(per('hour', 2))))
    router.get('/notes', (_request, response) => void response.send('done'))
    app.use('/api', router)
    app.get('/open', (_request, response) => void response.send('done'))
    const ask = await asking(app)
    const statuses: number[] = []
    for (const path of ['/api/notes', '/api/nothing', '/api/notes', '/API/notes', '/open'])
      statuses.push((await ask(path)).status)
    expect(statuses).toEqual([200, 404, 429, 429, 200])
    expect((await ask('/open')).headers.get('ratelimit')).toBeNull()
  })

  it('V2.4.1 can stand in front of one route, with whom Express knows', async () => {
    const app = express()
    app.use((request, _response, next) => {
      Reflect.set(request, 'account', request.query['as'])
      next()
    })
    const limits = expressLimits(still(per('hour', 1, { by: ['account'] })), {
      subject: (request: express.Request) => ({ account: String(Reflect.get(request, 'account')) }),
    })
    app.get('/export', limits, (_request, response) => void response.send('done'))
    const ask = await asking(app)
    const statuses: number[] = []
    for (const who of ['ann', 'ann', 'ben']) statuses.push((await ask(`/export?as=${who}`)).status)
    expect(statuses).toEqual([200, 429, 200])
  })

  it('V16.5.3 hands an error to the error handler of the application', async () => {
    const app = express()
    const store = storeWith(memoryStore(), () => Promise.reject(new TypeError('down')))
    let handledCount = 0
    app.use(expressLimits(createLimiter(per('hour', 1), { store })))
    app.get('/', (_request, response) => {
      handledCount += 1
      response.send('done')
    })
    const onError: express.ErrorRequestHandler = (error, _request, response, _next) =>
      void response.status(503).send(String(error))
    app.use(onError)
    const reply = await (await asking(app))('/')
    expect([reply.status, await reply.text(), handledCount]).toEqual([503, 'TypeError: down', 0])
  })

  it('refuses with what other middleware has set, but for what it said about a content', async () => {
    const app = express()
    app.use((_request, response, next) => {
      response.set({ 'x-frame-options': 'DENY', etag: '"1"', 'content-language': 'de' })
      next()
    })
    app.use(expressLimits(still(per('hour', 1))))
    app.get('/', (_request, response) => void response.send('done'))
    const ask = await asking(app)
    await ask('/')
    const { status, headers } = await ask('/')
    expect([status, headers.get('x-frame-options'), headers.get('etag')]).toEqual([429, 'DENY', null])
    expect(headers.get('content-language')).toBeNull()
  })

  it('says what a cost can be', async () => {
    const app = express()
    app.use(expressLimits(still(per('hour', 10)), { subject: () => ({ cost: 11 }) }))
    const onError: express.ErrorRequestHandler = (error, _request, response, _next) =>
      void response.status(500).send(String(error))
    app.use(onError)
    const text = await (await (await asking(app))('/')).text()
    expect(text).toContain(
      'a request costs a whole number from 1 to 10, all that "limit" lets through at once',
    )
  })

  it.each(['in full', 'in part'])('does nothing where somebody has answered meanwhile, %s', async (how) => {
    const app = express()
    const store = memoryStore()
    const answering = Promise.withResolvers<void>()
    const slow = storeWith(store, async (checks, nowMs) => {
      await answering.promise
      return store.consume(checks, nowMs)
    })
    let handledCount = 0
    app.use((_request, response, next) => {
      next()
      response.status(504).write('too ')
      const end = () => response.end('late')
      if (how === 'in full') {
        end()
        response.once('finish', () => answering.resolve())
      } else {
        answering.resolve()
        setImmediate(end)
      }
    })
    app.use(expressLimits(createLimiter(per('hour', 5), { store: slow })))
    app.use(() => {
      handledCount += 1
    })
    const errors: unknown[] = []
    const onError: express.ErrorRequestHandler = (error, _request, _response, _next) =>
      void errors.push(error)
    app.use(onError)
    const ask = await asking(app)
    for (let index = 0; index < 2; index++) {
      const reply = await ask('/')
      expect([reply.status, await reply.text()]).toEqual([504, 'too late'])
    }
    expect([handledCount, errors]).toEqual([0, []])
  })
})
