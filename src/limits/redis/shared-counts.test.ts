import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { startRedis, type TestRedis, until } from '../../../test/kit/redis.ts'
import { Secret } from '../../base/index.ts'
import { type CountedMore, type DifferentMore, redisCounts, redisStore, type SharedCounts } from './index.ts'

const key = new Secret(Buffer.alloc(32, 7))
const hourMs = 3_600_000
// A slow machine is no outage here.
const timeoutMs = 10_000

let redis: TestRedis
const open: SharedCounts[] = []
beforeAll(async () => {
  redis = await startRedis()
})
afterEach(async () => {
  for (const counts of open.splice(0)) await counts.close()
  await redis.cli('flushall')
})
afterAll(() => redis.stop())

async function join(onOutage: () => void = () => undefined): Promise<SharedCounts> {
  const counts = redisCounts({ url: redis.url, key, timeoutMs, onOutage })
  open.push(counts)
  await counts.ready()
  return counts
}

const signals = (amountCount: number, subject = '203.0.113.9'): CountedMore => ({
  kind: 'signals',
  series: 'guesses',
  subject,
  windowMs: hourMs,
  amountCount,
})
const different = (values: readonly string[], mostCount = 50): DifferentMore => ({
  kind: 'different',
  series: 'paths',
  subject: '203.0.113.9',
  windowMs: hourMs,
  values,
  mostCount,
})

describe('shared counts', () => {
  it('V15.4.2 are the sum of what all nodes have seen', async () => {
    const [one, two] = [await join(), await join()]
    expect(await one.add([signals(3), different(['a', 'b'])])).toEqual([3, 2])
    expect(await two.add([different(['b', 'c']), signals(4), signals(1, '192.0.2.1')])).toEqual([3, 7, 1])
    expect(await one.add([signals(0), different([])])).toEqual([7, 3])
  })

  it('V15.2.2 remember no more different values than asked for, however many come', async () => {
    const counts = await join()
    const values = Array.from({ length: 500 }, (_, index) => `v-${index}`)
    expect(await counts.add([different(values)])).toEqual([50])
    expect(Number(await redis.cli('dbsize'))).toBe(1)
  })

  it('V14.2.7 end with their window, and hold nothing that was counted', async () => {
    const counts = await join()
    await counts.add([signals(1), different(['/secret/path'])])
    await counts.claim({ series: 'guesses/0', subject: '203.0.113.9', forMs: 60_000 })
    const keys = (await redis.cli('keys', '*')).split('\n')
    expect(keys).toHaveLength(3)
    for (const name of keys) {
      const leftMs = Number(await redis.cli('pttl', name))
      expect(leftMs).toBeGreaterThan(0)
      expect(leftMs).toBeLessThanOrEqual(hourMs)
      const type = await redis.cli('type', name)
      const held = type === 'zset' ? await redis.cli('zrange', name, '0', '-1') : ''
      expect(`${name} ${held}`).not.toMatch(/203\.0|secret/)
    }
  })

  it('V14.2.7 stand under names and values that nobody can try out without the key', async () => {
    const held = async (secret: Secret<Buffer>): Promise<readonly string[]> => {
      await redis.cli('flushall')
      const counts = redisCounts({ url: redis.url, key: secret, timeoutMs })
      open.push(counts)
      await counts.ready()
      await counts.add([signals(1), different(['/secret'])])
      await counts.claim({ series: 'guesses', subject: '203.0.113.9', forMs: hourMs })
      const names = (await redis.cli('keys', '*')).split('\n')
      const values = await Promise.all(
        names.filter((name) => name.includes('paths')).map((name) => redis.cli('zrange', name, '0', '-1')),
      )
      return [...names, ...values]
    }
    const [one, again] = [await held(key), await held(key)]
    expect(again.toSorted()).toEqual(one.toSorted())
    const other = await held(new Secret(Buffer.alloc(32, 8)))
    expect(one).toHaveLength(4)
    expect(one.filter((text) => other.includes(text))).toEqual([])
  })

  it('V16.3.3 slide: what has left the window does not count', async () => {
    const counts = await join()
    const short = { ...different(['a']), windowMs: 1_000 }
    const few = { ...signals(5), windowMs: 1_000 }
    await counts.add([short, few])
    await until('the window has gone by', async () => {
      const [values, amount] = await counts.add([
        { ...short, values: [] },
        { ...few, amountCount: 0 },
      ])
      return values === 0 && amount === 0
    })
  })

  it('V15.4.2 give a claim to one of many', async () => {
    const nodes = await Promise.all([join(), join(), join()])
    const claim = { series: 'guesses/0', subject: '203.0.113.9', forMs: hourMs }
    const given = await Promise.all([...nodes, ...nodes].map((node) => node.claim(claim)))
    expect(given.filter(Boolean)).toHaveLength(1)
    expect(await nodes[0]?.claim({ ...claim, subject: '192.0.2.1' })).toBe(true)
  })

  it('V16.5.3 a key that somebody else has put there fails one call and no other', async () => {
    const counts = await join()
    await counts.add([signals(1)])
    const name = await redis.cli('keys', '*')
    await redis.cli('set', name, 'x')
    await expect(counts.add([signals(1)])).rejects.toMatchObject({ name: 'RedisFault' })
    expect(await counts.add([different(['a'])])).toEqual([1])
  })

  it('V16.5.2 fail at once without Redis, and come back by themselves', async () => {
    let outages = 0
    const counts = await join(() => {
      outages += 1
    })
    await counts.add([signals(2)])
    await redis.stop()
    await until('the outage is noticed', async () => {
      const failed = await counts.add([signals(1)]).then(
        () => false,
        () => true,
      )
      return failed && outages === 1
    })
    await expect(counts.claim({ series: 'x', subject: 'y', forMs: 1_000 })).rejects.toMatchObject({
      code: 'OUT',
    })
    await redis.start()
    await until('it is there again', () =>
      counts.add([signals(1)]).then(
        () => true,
        () => false,
      ),
    )
    expect(outages).toBe(1)
  })

  it('V2.4.1 are no node of the limits: nobody gets half of them', async () => {
    const store = redisStore({ url: redis.url, key, timeoutMs })
    await store.ready()
    await join()
    await join()
    expect(await redis.cli('zcard', 'hf:nodes')).toBe('1')
    await store.close()
  })
})
