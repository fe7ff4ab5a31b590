import { once } from 'node:events'
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http'
import express from 'express'
import fastify, { type FastifyInstance } from 'fastify'
import { expressLimits, fastifyLimits, type Limiter, type LimitRequest, type Refusal } from 'holdfast/limits'

/** A server with limiters in front of one handler that answers every method and path. */
export interface LimitedSetup {
  /** One behind the other. */
  readonly limiters: readonly Limiter[]
  readonly subject?: (request: IncomingMessage) => Partial<LimitRequest> | Promise<Partial<LimitRequest>>
  readonly delayedCount?: number
  readonly onRefused?: (refusal: Refusal) => void
  readonly isProxyTrusted?: boolean
  /** Answers with a status; 200 unless given. */
  readonly handle?: (request: IncomingMessage) => number | Promise<number>
}

/** Such a server that runs. */
export interface Limited {
  readonly port: number
  /** How many requests have reached the handler. */
  readonly handledCount: number
  ask(path: string, asking?: RequestInit): Promise<Response>
  /** Asks and hangs up once `when` is there, and waits until the server has seen it. */
  askAndGo(path: string, when: Promise<unknown>): Promise<void>
  close(): Promise<void>
}

/** Starts such a server. */
export type StartLimited = (setup: LimitedSetup) => Promise<Limited>

/** With Express. */
export const withExpress: StartLimited = async (setup) => {
  const { limiters, subject, delayedCount, onRefused, isProxyTrusted = false, handle = () => 200 } = setup
  let handledCount = 0
  const app = express()
  app.set('trust proxy', isProxyTrusted ? 'loopback' : false)
  const options = {
    ...(subject && { subject }),
    ...(delayedCount !== undefined && { delayedCount }),
    ...(onRefused && { onRefused: told(onRefused) }),
  }
  for (const limiter of limiters) app.use(expressLimits<express.Request>(limiter, options))
  app.use(async (request, response) => {
    handledCount += 1
    response.status(await handle(request)).send('done')
  })
  return limitedOf(createServer(app), () => handledCount)
}

/** With Fastify. */
export const withFastify: StartLimited = async (setup) => {
  const { limiters, subject, delayedCount, onRefused, isProxyTrusted = false, handle = () => 200 } = setup
  let handledCount = 0
  const app: FastifyInstance = fastify({ trustProxy: isProxyTrusted ? 'loopback' : false })
  for (const limiter of limiters)
    await app.register(fastifyLimits, {
      limiter,
      ...(subject && { subject: ({ raw }) => subject(raw) }),
      ...(delayedCount !== undefined && { delayedCount }),
      ...(onRefused && { onRefused: told(onRefused) }),
    })
  app.all('/*', async ({ raw }, reply) => {
    handledCount += 1
    return reply.code(await handle(raw)).send('done')
  })
  await app.ready()
  return limitedOf(app.server, () => handledCount)
}

/** With `node:http` alone: the middleware is called by its listener. */
export const withNothing: StartLimited = async (setup) => {
  const { limiters, subject, delayedCount, onRefused, handle = () => 200 } = setup
  let handledCount = 0
  const options = {
    ...(subject && { subject }),
    ...(delayedCount !== undefined && { delayedCount }),
    ...(onRefused && { onRefused: told(onRefused) }),
  }
  const middlewares = limiters.map((limiter) => expressLimits<IncomingMessage>(limiter, options))
  const run = (message: IncomingMessage, reply: ServerResponse, index: number): void => {
    const middleware = middlewares[index]
    if (middleware !== undefined) {
      middleware(message, reply, (error) => {
        if (error === undefined) run(message, reply, index + 1)
        else reply.writeHead(500).end()
      })
      return
    }
    handledCount += 1
    Promise.resolve(handle(message)).then((status) => reply.writeHead(status).end('done'))
  }
  return limitedOf(
    createServer((message, reply) => run(message, reply, 0)),
    () => handledCount,
  )
}

const told =
  (onRefused: (refusal: Refusal) => void) =>
  (_request: unknown, refusal: Refusal): void =>
    onRefused(refusal)

async function limitedOf(server: Server, handledCount: () => number): Promise<Limited> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new TypeError('a port has an address')
  const { port } = address
  return {
    port,
    get handledCount() {
      return handledCount()
    },
    ask: (path, asking) => fetch(`http://127.0.0.1:${port}${path}`, asking),
    async askAndGo(path, when) {
      const closed = new Promise<void>((resolve) => {
        server.once('request', (_message: IncomingMessage, reply: ServerResponse) =>
          reply.once('close', resolve),
        )
      })
      const asking = request({ port, path, host: '127.0.0.1' })
      asking.on('error', () => undefined)
      asking.end()
      await when
      asking.destroy()
      await closed
    },
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
