import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { until } from '../../../test/kit/redis.ts'
import { Secret } from '../../base/index.ts'
import { policyOf } from '../policy.ts'
import { type RedisFault, type RedisStore, redisStore } from './index.ts'

// A server that says what the test wants it to say: it answers the first commands, and then nothing for ever.
interface Heard {
  readonly socket: Socket
  /** The commands by their first word and first key. */
  readonly commands: string[]
}

let server: Server
let heard: Heard[] = []
let answering = true
let store: RedisStore
let outages: RedisFault[] = []
const nowMs = 1_795_000_000_000
const policy = policyOf({ count: 40, windowSeconds: 3_600 }, { name: 'read' })
const timeoutMs = 25

beforeEach(async () => {
  heard = []
  outages = []
  answering = true
  server = createServer((socket) => {
    const one: Heard = { socket, commands: [] }
    heard.push(one)
    socket.on('error', () => undefined)
    socket.on('data', (data) => {
      for (const command of commandsIn(data.toString('latin1'))) {
        one.commands.push(command)
        if (answering) socket.write(command.endsWith('hf:nodes') ? ':1\r\n' : '*3\r\n:1\r\n:39\r\n:0\r\n')
      }
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new TypeError('a port has an address')
  store = redisStore({
    url: new Secret(`redis://127.0.0.1:${address.port}`),
    key: new Secret(Buffer.alloc(32, 7)),
    timeoutMs,
    onOutage: (fault) => outages.push(fault),
  })
  await store.ready()
})
afterEach(async () => {
  await store.close()
  for (const { socket } of heard) socket.destroy()
  server.close()
})

/** `EVALSHA hf:nodes` for each command in a piece of protocol. */
function commandsIn(text: string): string[] {
  return [...text.matchAll(/\$\d+\r\n(EVALSHA|EVAL|ZREM)\r\n.*?(hf:[^\r]*)/gs)].map(
    ([, name, key]) => `${name} ${key}`,
  )
}

describe('a Redis that falls silent', () => {
  it('V16.5.2 V13.2.6 keeps no request longer than the time it is given', async () => {
    expect(store.isShared).toBe(true)
    answering = false
    const startMs = performance.now()
    const decisions = await Promise.all(
      Array.from({ length: 100 }, () => store.consume([{ policy, key: 'a' }], nowMs)),
    )
    // 25 ms on a machine that has nothing else to do; without the timer it is for ever.
    expect(performance.now() - startMs).toBeLessThan(1_000)
    expect(decisions.filter(({ allowed }) => allowed)).toHaveLength(40)
    expect(outages.map(({ code }) => code)).toEqual(['TIMEOUT'])
  })

  it('V16.5.2 V15.2.2 is asked nothing more but by one probe at a time, and keeps nothing waiting', async () => {
    answering = false
    await store.consume([{ policy, key: 'a' }], nowMs)
    const [first] = heard
    const heardCount = first?.commands.length
    const startMs = performance.now()
    for (let index = 0; index < 5_000; index++) {
      const decided = store.consume([{ policy, key: `k${index}` }], nowMs)
      // Decided here and now, by memory.
      expect(decided).not.toBeInstanceOf(Promise)
    }
    await until(
      'its connection is given up, with all that waits on it',
      () => first?.socket.destroyed === true,
    )
    await until('a probe comes', () => heard.length >= 2)
    await until('it hangs as well, and the next one comes', () => heard.length >= 3)
    expect(first?.commands).toHaveLength(heardCount ?? 0)
    const probes = heard.slice(1)
    for (const { commands } of probes)
      expect(commands.filter((one) => one !== 'EVALSHA hf:nodes')).toEqual([])
    // The first was given up when it had not answered for a second.
    expect(performance.now() - startMs).toBeGreaterThan(1_000)
    expect(probes.slice(0, -1).every(({ socket }) => socket.destroyed || socket.readableEnded)).toBe(true)
    expect(outages).toHaveLength(1)
  })

  it('V16.5.2 is noticed by a node that has nothing to ask', async () => {
    await store.close()
    const address = server.address()
    if (address === null || typeof address === 'string') throw new TypeError('a port has an address')
    store = redisStore({
      url: new Secret(`redis://127.0.0.1:${address.port}`),
      key: new Secret(Buffer.alloc(32, 7)),
      onOutage: (fault) => outages.push(fault),
      heartbeatMs: 50,
    })
    await store.ready()
    answering = false
    await until('the outage is noticed', () => outages.length === 1)
    expect(store.isShared).toBe(false)
  })
})
