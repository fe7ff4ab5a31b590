import { request } from 'node:http'
import { fastify as makeFastify } from 'fastify'
import { afterEach, expect, it } from 'vitest'
import { type PipelineServices, RequestState } from '../http/index.ts'
import { Limiter, memoryStore } from '../limits/index.ts'
import type { Principal } from '../route/index.ts'
import { type EventFollowing, serveEventStream } from './event-stream.ts'
import { idleServices } from './services.ts'

const chief: Principal = { id: 'chief', roles: ['admin'] }
const soon = { timeout: 10_000 }
const closers: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0)) await close()
})

const states = new WeakMap<object, RequestState>()

/** What the edge would have noted of a request. */
function stateOf(this: object): RequestState {
  const known = states.get(this) ?? Object.assign(new RequestState(), { clientAddress: '127.0.0.1' })
  states.set(this, known)
  return known
}

/** A server with nothing but the stream. */
async function served(identify: PipelineServices['identify']) {
  const fastify = makeFastify()
  const following = new Set<EventFollowing>()
  fastify.decorateRequest('state', { getter: stateOf })
  fastify.decorateRequest('caller', null)
  const services: PipelineServices = {
    ...idleServices,
    identify,
    accountBannedForMs: () => undefined,
    responses: { slowsDown: () => false, slowedByMs: () => 0, stepUpSinceMs: () => undefined },
    limiterFor: ({ name, limit }) => new Limiter(limit, { name, store: memoryStore() }),
  }
  serveEventStream(fastify, {
    follow: () => (one) => {
      following.add(one)
      return () => following.delete(one)
    },
    limit: undefined,
    services,
    beatMs: 20,
  })
  await fastify.listen({ port: 0, host: '127.0.0.1' })
  closers.push(() => fastify.close())
  const address = fastify.server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return { following, read: () => reader(port) }
}

function reader(port: number) {
  const state = { text: '', status: 0, isOver: false, close: () => void asked.destroy() }
  const asked = request({ port, path: '/api/admin/events/stream' }, (reply) => {
    state.status = reply.statusCode ?? 0
    reply.on('data', (chunk) => {
      state.text += String(chunk)
    })
    reply.on('close', () => {
      state.isOver = true
    })
  })
  asked.on('error', () => undefined)
  asked.end()
  closers.push(async () => state.close())
  return state
}

it('V7.4.1 V8.3.2 a stream ends when its reader has lost the session, or the role', async () => {
  for (const lost of [null, { id: 'chief', roles: [] }]) {
    let user: Principal | null = chief
    const { read } = await served(() => user)
    const stream = read()
    await expect.poll(() => stream.text, soon).toContain(': still here')
    expect(stream.isOver).toBe(false)
    user = lost
    await expect.poll(() => stream.isOver, soon).toBe(true)
  }
})

it('V16.5.3 a credential that cannot be looked at counts as none', async () => {
  let isBroken = false
  const { read } = await served(async () => {
    if (isBroken) throw new TypeError('the database is away')
    return chief
  })
  const stream = read()
  await expect.poll(() => stream.text, soon).toContain(': still here')
  isBroken = true
  await expect.poll(() => stream.isOver, soon).toBe(true)
})

it('V2.4.1 a node serves so many streams and no more, and forgets those that are over', async () => {
  const { read, following } = await served(() => chief)
  const streams = Array.from({ length: 20 }, read)
  await expect.poll(() => streams.every(({ status }) => status === 200), soon).toBe(true)
  const late = read()
  await expect.poll(() => late.status, soon).toBeGreaterThanOrEqual(500)
  expect(following.size).toBe(20)
  streams[0]?.close()
  await expect.poll(() => following.size, soon).toBe(19)
  const next = read()
  await expect.poll(() => next.status, soon).toBe(200)
})
