import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startRedisCluster, type TestCluster, until } from '../../../test/kit/redis.ts'
import { Secret } from '../../base/index.ts'
import { policyOf } from '../policy.ts'
import { type RedisFault, type RedisStore, redisStore } from './index.ts'

const nowMs = 1_795_000_000_000
let cluster: TestCluster
let stores: RedisStore[]
const outages: RedisFault[] = []

beforeAll(async () => {
  cluster = await startRedisCluster()
  stores = [1, 2].map(() =>
    redisStore({
      url: cluster.url,
      key: new Secret(Buffer.alloc(32, 7)),
      timeoutMs: 10_000,
      onOutage: (fault) => outages.push(fault),
      heartbeatMs: 100,
    }),
  )
  await Promise.all(stores.map((store) => store.ready()))
}, 60_000)
afterAll(async () => {
  await Promise.all(stores.map((store) => store.close()))
  await cluster.stop()
})

describe('a store in a Redis Cluster', () => {
  it('V15.4.2 decides all checks of a request in one step, wherever their slot is', async () => {
    expect(stores.every(({ isShared }) => isShared)).toBe(true)
    for (let group = 0; group < 24; group++) {
      const wide = policyOf({ count: 30, windowSeconds: 3_600 }, { name: 'wide', group: `group-${group}` })
      const narrow = policyOf(
        { count: 10, windowSeconds: 3_600 },
        { name: 'narrow', group: `group-${group}` },
      )
      const checks = ['address:a', 'account:b'].flatMap((key) => [
        { policy: wide, key },
        { policy: narrow, key },
      ])
      const decisions = await Promise.all(
        Array.from({ length: 20 }, (_, index) => stores[index % 2]?.consume(checks, nowMs)),
      )
      expect(decisions.filter((decision) => decision?.allowed)).toHaveLength(10)
    }
    const counts = await Promise.all(cluster.servers.map((server) => server.cli('dbsize')))
    for (const count of counts) expect(Number(count)).toBeGreaterThan(4)
    expect(outages).toEqual([])
    await until('both see two', () => stores.every(({ nodeCount }) => nodeCount === 2))
  }, 60_000)

  it('V16.5.2 goes on alone when one server of three is gone', async () => {
    await cluster.servers[2]?.stop()
    await until('each has noticed', () => stores.every(({ isShared }) => !isShared))
    const check = { policy: policyOf({ count: 10, windowSeconds: 3_600 }, { name: 'x' }), key: 'address:a' }
    const decisions = []
    for (let index = 0; index < 40; index++) decisions.push(await stores[index % 2]?.consume([check], nowMs))
    expect(decisions.filter((decision) => decision?.allowed)).toHaveLength(10)
  })
})
