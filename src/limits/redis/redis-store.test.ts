import { inspect } from 'node:util'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { startRedis, type TestRedis, until } from '../../../test/kit/redis.ts'
import { Secret } from '../../base/index.ts'
import type { LimitDecision } from '../limit.ts'
import { policyOf } from '../policy.ts'
import { type RedisFault, type RedisStore, type RedisStoreOptions, redisStore } from './index.ts'

// A slow machine is no outage here: what Redis does not answer in time has tests of its own.
const patientMs = 10_000
const nowMs = 1_795_000_000_000
const key = new Secret(Buffer.alloc(32, 7))
const address = 'address:203.0.113.9'

let redis: TestRedis
const open: RedisStore[] = []
let outages: RedisFault[] = []
let recoveredCount = 0

beforeAll(async () => {
  redis = await startRedis()
})
afterEach(async () => {
  await Promise.all(open.splice(0).map((store) => store.close()))
  await redis.cli('flushall')
  outages = []
  recoveredCount = 0
})
afterAll(() => redis.stop())

async function join(options: Partial<RedisStoreOptions> = {}): Promise<RedisStore> {
  const store = redisStore({
    url: redis.url,
    key,
    timeoutMs: patientMs,
    onOutage: (fault) => outages.push(fault),
    onRecovered: () => {
      recoveredCount += 1
    },
    ...options,
  })
  open.push(store)
  await store.ready()
  return store
}

let policyNumber = 0

function hourly(count: number, outage: 'share' | 'strict' = 'share') {
  policyNumber += 1
  return policyOf({ count, windowSeconds: 3_600 }, { name: `rule-${policyNumber}`, outage })
}

async function evalCount(): Promise<number> {
  const stats = await redis.cli('info', 'commandstats')
  return Number(/cmdstat_evalsha:calls=(\d+)/.exec(stats)?.[1] ?? 0)
}

function allowedCount(decisions: readonly LimitDecision[]): number {
  return decisions.filter(({ allowed }) => allowed).length
}

describe('a store in Redis', () => {
  it('V15.4.2 V2.4.1 admits exactly the limit to 200 requests at once over four connections', async () => {
    const stores = await Promise.all([join(), join(), join(), join()])
    const check = { policy: hourly(50), key: address }
    const decisions = await Promise.all(
      Array.from({ length: 200 }, (_, index) => stores[index % 4]?.consume([check], nowMs)),
    )
    expect(allowedCount(decisions.filter((decision) => decision !== undefined))).toBe(50)
  })

  it('V15.2.2 sends the requests of one turn in one write', async () => {
    const store = await join()
    const reads = async () =>
      Number(/total_reads_processed:(\d+)/.exec(await redis.cli('info', 'stats'))?.[1])
    const policy = hourly(1_000)
    const before = await reads()
    await Promise.all(Array.from({ length: 100 }, () => store.consume([{ policy, key: address }], nowMs)))
    // The two clients that ask for the numbers read as well, and there may be a heartbeat.
    expect((await reads()) - before).toBeLessThan(20)
  })

  it('V11.4.1 V14.2.6 leaves neither addresses nor accounts in Redis, and one caller looks different in each rule', async () => {
    const store = await join()
    const group = 'login'
    const one = policyOf({ count: 5, windowSeconds: 3_600 }, { name: 'one', group })
    const two = policyOf({ count: 6, windowSeconds: 3_600 }, { name: 'two', group })
    await store.consume(
      [one, two].map((policy) => ({ policy, key: address })),
      nowMs,
    )
    await store.consume([{ policy: one, key: 'account:ann@example.com' }], nowMs)
    const names = (await redis.cli('keys', 'hf:{*')).split('\n')
    expect(names).toHaveLength(3)
    for (const name of names) expect(name).toMatch(/^hf:\{login\}:[\w-]{16}:[\w-]{22}$/)
    expect(new Set(names.map((name) => name.split(':').at(-1)))).toHaveProperty('size', 3)
    const other = await join({ key: new Secret(Buffer.alloc(32, 8)) })
    await other.consume([{ policy: one, key: address }], nowMs)
    expect((await redis.cli('keys', 'hf:{*')).split('\n')).toHaveLength(4)
  })

  it('V15.2.2 answers what was refused itself, and asks again after ten seconds', async () => {
    const store = await join()
    const check = { policy: hourly(1), key: address }
    const wide = {
      policy: policyOf({ count: 9, windowSeconds: 60 }, { name: 'wide', group: check.policy.group }),
      key: address,
    }
    await store.consume([check], nowMs)
    expect(store.refusedMs([check], nowMs)).toBe(0)
    const refused = await store.consume([wide, check], nowMs)
    expect(refused).toMatchObject({
      allowed: false,
      buckets: [{ remaining: 9, waitMs: 0 }, { remaining: 0 }],
    })
    const before = await evalCount()
    const again = store.consume([wide, check], nowMs + 4_000)
    expect(again).toEqual({
      ...refused,
      retryAfterMs: (await refused).retryAfterMs - 4_000,
      buckets: [
        { policy: wide.policy, remaining: 9, waitMs: 0 },
        { policy: check.policy, remaining: 0, waitMs: refused.retryAfterMs - 4_000 },
      ],
    })
    expect(store.refusedMs([check], nowMs + 4_000)).toBe(refused.retryAfterMs - 4_000)
    expect(await evalCount()).toBe(before)
    // Somebody lifts the limit elsewhere.
    await redis.cli('flushall')
    expect(await store.consume([check], nowMs + 9_999)).toMatchObject({ allowed: false })
    expect(await store.consume([check], nowMs + 10_000)).toMatchObject({ allowed: true })
  })

  it('asks again about what is cheaper than what was refused', async () => {
    const store = await join()
    const check = { policy: hourly(5), key: address }
    await store.consume([{ ...check, cost: 4 }], nowMs)
    expect(await store.consume([{ ...check, cost: 2 }], nowMs)).toMatchObject({ allowed: false })
    expect(await store.consume([check], nowMs)).toMatchObject({ allowed: true })
  })

  it('gives back, and forgets that it refused', async () => {
    const store = await join()
    const check = { policy: hourly(1), key: address }
    await store.consume([check], nowMs)
    expect(await store.consume([check], nowMs)).toMatchObject({ allowed: false })
    store.refund([check], nowMs)
    expect(await store.consume([check], nowMs)).toMatchObject({ allowed: true })
    expect(await store.consume([check], nowMs)).toMatchObject({ allowed: false })
  })

  it('V16.5.2 decides alone about a bucket that somebody else has written, and leaves Redis the others', async () => {
    const store = await join()
    const check = { policy: hourly(2), key: address }
    await store.consume([check], nowMs)
    const [name = ''] = (await redis.cli('keys', `hf:{${check.policy.group}}*`)).split('\n')
    await redis.cli('del', name)
    await redis.cli('lpush', name, 'x')
    const decisions = [1, 2, 3].map(() => store.consume([check], nowMs))
    expect(allowedCount(await Promise.all(decisions))).toBe(2)
    expect(store.isShared).toBe(true)
    expect(outages).toEqual([])
  })

  it.each([
    ['OOM', ['config', 'set', 'maxmemory', '1'], ['config', 'set', 'maxmemory', '0']],
    ['READONLY', ['replicaof', '127.0.0.1', '1'], ['replicaof', 'no', 'one']],
  ])(
    'V16.5.2 V16.5.3 goes on with its share when Redis answers %s, and comes back',
    async (code, breaks, mends) => {
      const store = await join({ leastNodeCount: 2 })
      const check = { policy: hourly(10), key: address }
      await redis.cli(...breaks)
      try {
        const decisions = []
        for (let index = 0; index < 20; index++) decisions.push(await store.consume([check], nowMs))
        expect(allowedCount(decisions)).toBe(5)
        expect(store.isShared).toBe(false)
        expect(outages.map((fault) => fault.code)).toEqual([code])
      } finally {
        await redis.cli(...mends)
      }
      await until('Redis decides again', () => store.isShared)
      expect([outages.length, recoveredCount]).toEqual([1, 1])
      // What was let through without it counts.
      expect(await store.consume([check], nowMs + 10_001)).toMatchObject({ allowed: true, remaining: 4 })
    },
  )

  it('V16.5.2 begins without Redis, and joins later', async () => {
    await redis.stop()
    const store = await join({ heartbeatMs: 100 })
    const check = { policy: hourly(3, 'strict'), key: address }
    expect([store.isShared, outages.length, outages[0]?.code]).toEqual([false, 1, 'ECONNREFUSED'])
    expect(await store.consume([check], nowMs)).toMatchObject({ allowed: true })
    expect(await store.consume([check], nowMs)).toMatchObject({ allowed: false })
    expect(store.refusedMs([check], nowMs)).toBeGreaterThan(0)
    await redis.start()
    await until('Redis decides', () => store.isShared)
    expect([outages.length, recoveredCount]).toEqual([1, 1])
    expect(await store.consume([check], nowMs)).toMatchObject({ allowed: true, remaining: 1 })
  })

  it('knows how many nodes share the limits', async () => {
    const often = { heartbeatMs: 50 }
    const one = await join(often)
    const two = await join(often)
    const three = await join(often)
    await until('each sees three', () => [one, two, three].every(({ nodeCount }) => nodeCount === 3))
    await three.close()
    await until('two are left', () => one.nodeCount === 2 && two.nodeCount === 2)
  })

  it('V13.1.3 closes within a second or so, though Redis hangs', async () => {
    const store = await join()
    redis.freeze()
    const startMs = performance.now()
    try {
      await store.close()
      await store.close()
      expect(performance.now() - startMs).toBeLessThan(5_000)
    } finally {
      redis.thaw()
    }
    expect(await store.consume([{ policy: hourly(1), key: address }], nowMs)).toMatchObject({ allowed: true })
  })

  it.each([
    ['no password', []],
    ['another password', ['--requirepass', 'right']],
  ])('V16.2.5 does not tell its password to anybody, where Redis has %s', async (_, settings) => {
    const server = await startRedis(...settings)
    try {
      await join({ url: new Secret(`redis://:sw0rdfish@127.0.0.1:${server.port}`) })
      expect(outages).toHaveLength(1)
      expect(inspect(outages, { depth: 9, showHidden: true }) + outages[0]?.stack).not.toContain('sw0rdfish')
    } finally {
      await server.stop()
    }
  })

  it('V16.2.5 does not quote a URL that is none', () => {
    const url = new Secret('redis://:sw0rdfish@127.0.0.1:port')
    expect(() => redisStore({ url, key })).toThrow('the URL of Redis has been checked')
  })

  it('logs in, and takes the database of its URL', async () => {
    const server = await startRedis('--requirepass', 'sw0rd/fish')
    try {
      await join({ url: new Secret(`redis://:sw0rd%2Ffish@127.0.0.1:${server.port}/3`) })
      expect(outages).toEqual([])
      expect(await server.cli('--no-auth-warning', '-a', 'sw0rd/fish', '-n', '3', 'keys', '*')).toBe(
        'hf:nodes',
      )
    } finally {
      await server.stop()
    }
  })

  it('V13.2.2 needs no more rights than these', async () => {
    const commands = 'evalsha eval time get set zadd zremrangebyscore pexpire zcard zrem'
    const rights = commands.split(' ').map((command) => `+${command}`)
    const server = await startRedis('--user', 'limits', 'on', '>sw0rdfish', '~hf:*', ...rights)
    try {
      const store = await join({ url: new Secret(`redis://limits:sw0rdfish@127.0.0.1:${server.port}`) })
      const check = { policy: hourly(2), key: address }
      await store.consume([check], nowMs)
      store.refund([check], nowMs)
      expect(await store.consume([check], nowMs)).toMatchObject({ allowed: true, remaining: 1 })
      await store.close()
      expect([outages, await server.cli('exists', 'hf:nodes')]).toEqual([[], '0'])
    } finally {
      await server.stop()
    }
  })

  it('V16.5.3 refuses what is no request, as the store in memory does', async () => {
    const store = await join()
    const check = { policy: hourly(2), key: address }
    const wrong = [
      [],
      [{ ...check, cost: 0 }],
      [{ ...check, cost: 3 }],
      [{ ...check, cost: Number.NaN }],
      [check, { policy: hourly(2), key: address }],
    ]
    for (const checks of wrong) {
      expect(() => store.consume(checks, nowMs)).toThrow('Bug in Holdfast')
      expect(() => store.refund(checks, nowMs)).toThrow('Bug in Holdfast')
    }
    expect(() => store.consume([check], Number.NaN)).toThrow('told the time')
  })
})
