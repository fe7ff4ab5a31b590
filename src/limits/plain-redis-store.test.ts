import { once } from 'node:events'
import { createServer } from 'node:http'
import express from 'express'
import { createLimiter, expressLimits, per, redisStore } from 'holdfast/limits'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { startRedis, type TestRedis } from '../../test/kit/redis.ts'

const secret = 'c'.repeat(64)
// A slow machine is no outage here.
const timeoutMs = 10_000
let redis: TestRedis
const open: { close(): unknown }[] = []

beforeAll(async () => {
  redis = await startRedis()
})
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()))
})
afterAll(() => redis.stop())

/** One node of an application: the same limits, and a store and a server of its own. */
async function node(url: string): Promise<() => Promise<number>> {
  const store = redisStore({ url, secret, timeoutMs })
  await store.ready()
  const app = express()
  app.use(expressLimits(createLimiter(per('hour', 20), { name: 'search', store })))
  app.get('/', (_request, response) => void response.send('done'))
  const server = createServer(app).listen(0, '127.0.0.1')
  await once(server, 'listening')
  open.push(server, store)
  const address = server.address()
  if (address === null || typeof address === 'string') throw new TypeError('a port has an address')
  return async () => (await fetch(`http://127.0.0.1:${address.port}/`)).status
}

describe('a store in Redis, by a plain URL', () => {
  it('V2.4.1 V15.4.2 holds several nodes of Express to one limit', async () => {
    const url = redis.url.reveal()
    const nodes = [await node(url), await node(url), await node(url)]
    const statuses = await Promise.all(nodes.flatMap((ask) => Array.from({ length: 20 }, () => ask())))
    expect(statuses.filter((status) => status === 200)).toHaveLength(20)
    expect(statuses.filter((status) => status === 429)).toHaveLength(40)
  })

  it('V14.2.4 keeps no address in Redis that could be read', async () => {
    await (await node(redis.url.reveal()))()
    const keys = await redis.cli('keys', '*')
    expect(keys).toContain('search')
    expect(keys).not.toContain('127.0.0.1')
  })

  it.each([
    'http://redis.example',
    'redis://',
    'hunter2',
    'redis://user:hunter2@redis.example/limits',
    'redis://user:hunter2@redis.example/2?cluster=true',
  ])('V16.2.5 refuses the URL %s without repeating it', (url) => {
    expect(() => redisStore({ url, secret })).toThrow(/^url is no Redis URL; write redis:\/\/HOST:PORT/)
  })

  it('V11.2.3 V16.2.5 refuses a secret that is too short, without repeating it', () => {
    const make = () => redisStore({ url: 'redis://redis.example', secret: 'hunter2' })
    expect(make).toThrow('secret has fewer than 32 characters')
    expect(make).not.toThrow('hunter2')
  })
})
