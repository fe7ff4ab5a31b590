import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Secret } from '../../base/index.ts'
import type { BucketState } from '../limit.ts'
import { policyOf } from '../policy.ts'
import { faultOf } from './fault.ts'
import { BucketNames } from './names.ts'
import { NodeCount } from './node-count.ts'
import { Refusals } from './refusals.ts'
import { Shares } from './shares.ts'
import { TakenAloneLedger } from './taken-alone.ts'
import { targetOf } from './target.ts'

const key = 'address:a'
const amounts = fc.integer({ min: 1, max: 1_000_000 })
const algorithms = fc.constantFrom('gcra', 'token-bucket', 'sliding-window')

describe('the share of a node that decides alone', () => {
  it('V16.5.2 V2.4.1 is so large that all nodes together let through one limit, or one request each', () => {
    const rule = fc.record({ count: amounts, burst: amounts, algorithm: algorithms })
    const outages = fc.constantFrom('share', 'strict')
    fc.assert(
      fc.property(rule, outages, fc.integer({ min: 1, max: 64 }), amounts, (one, outage, nodeCount, cost) => {
        const policy = policyOf({ ...one, windowSeconds: 60 }, { name: 'x', outage })
        const [share] = new Shares().of([{ policy, key, cost }], nodeCount)
        const parts = outage === 'strict' ? nodeCount * 2 : nodeCount
        expect(share?.policy.count).toBe(Math.max(1, Math.floor(policy.count / parts)))
        expect(share?.policy.burst).toBe(Math.max(1, Math.floor(policy.burst / parts)))
        expect(share?.policy).toMatchObject({ name: 'x', windowSeconds: 60, algorithm: policy.algorithm })
        expect(share?.cost).toBeLessThanOrEqual(Math.max(share?.policy.count ?? 0, share?.policy.burst ?? 0))
      }),
    )
  })

  it('is derived once for each policy and number of nodes', () => {
    const shares = new Shares()
    const checks = [{ policy: policyOf({ count: 12, windowSeconds: 60 }, { name: 'x' }), key }]
    const share = (nodeCount: number) => shares.of(checks, nodeCount)[0]?.policy
    expect(share(3)).toBe(share(3))
    expect(share(3)?.count).toBe(4)
    expect(share(2)?.count).toBe(6)
  })
})

describe('the number of nodes', () => {
  it('V16.5.3 grows at once and shrinks late, so that an empty Redis gives nobody the whole limit', () => {
    const nodes = new NodeCount(1, 6_000)
    nodes.seen(4, 1_000)
    nodes.hold(100_000)
    nodes.seen(1, 100_001)
    expect(nodes.count).toBe(4)
    nodes.seen(5, 100_002)
    nodes.seen(1, 106_001)
    expect(nodes.count).toBe(5)
    nodes.seen(1, 106_002)
    expect(nodes.count).toBe(1)
  })

  it('is never below what is known beforehand', () => {
    const nodes = new NodeCount(3, 0)
    nodes.seen(1, 10)
    expect(nodes.count).toBe(3)
  })
})

describe('what was refused', () => {
  it('V15.2.2 is remembered for a bounded number of buckets, the newest', () => {
    const refusals = new Refusals()
    const check = { policy: policyOf({ count: 1, windowSeconds: 60 }, { name: 'x' }), key }
    const state: BucketState = { policy: check.policy, remaining: 0, waitMs: 60_000 }
    const decision = { allowed: false, remaining: 0, retryAfterMs: 60_000, buckets: [state] }
    for (let index = 0; index < 10_010; index++) refusals.note([check], [`n${index}`], decision, 0)
    expect(refusals.waitMs('n9', check, 1)).toBe(0)
    expect(refusals.waitMs('n10', check, 1)).toBe(59_999)
    expect(refusals.waitMs('n10009', check, 9_999)).toBe(50_001)
    expect(refusals.waitMs('n10009', check, 10_000)).toBe(0)
  })
})

describe('what was taken alone', () => {
  const check = { policy: policyOf({ count: 60, windowSeconds: 60 }, { name: 'x' }), key }

  it('is owed until it would have been refilled', () => {
    const ledger = new TakenAloneLedger()
    for (let index = 0; index < 5; index++) ledger.note('n', { ...check, cost: 2 }, 1_000)
    ledger.giveBack('n', check, 1_000)
    ledger.giveBack('other', check, 1_000)
    expect(ledger.all(1_000)).toEqual([{ name: 'n', check: { ...check, cost: 9 } }])
    expect(ledger.all(5_000)[0]?.check.cost).toBe(5)
    expect(ledger.all(10_000)).toEqual([])
  })

  it('V15.2.2 is bounded', () => {
    const ledger = new TakenAloneLedger()
    for (let index = 0; index < 10_500; index++) ledger.note(`n${index}`, check, 0)
    expect(ledger.all(0)).toHaveLength(10_000)
  })
})

describe('the name of a bucket', () => {
  const names = new BucketNames(new Secret(Buffer.alloc(32, 1)))

  it('keeps the buckets of a group in one slot, whatever the group is called', () => {
    for (const group of ['read', 'a}b', '{', '}', '', 'ä', 'x'.repeat(1_000)]) {
      const policy = policyOf({ count: 1, windowSeconds: 60 }, { name: 'x', group })
      expect(names.of({ policy, key })).toMatch(/^hf:\{[\w.:-]{1,64}\}:[\w-]{16}:[\w-]{22}$/)
    }
  })

  it('V2.4.1 is another one for each policy and key', () => {
    const made = ['a', 'ab', '1:a'].flatMap((name) =>
      ['b', 'bb', ':b', ''].map((one) =>
        names.of({ policy: policyOf({ count: 1, windowSeconds: 60 }, { name, group: 'g' }), key: one }),
      ),
    )
    expect(new Set(made).size).toBe(made.length)
  })
})

describe('the fault behind an error', () => {
  it('V16.2.5 has its code and none of its text', () => {
    const reply = new TypeError(
      "ERR unknown command 'HELLO', with args beginning with: '3' 'AUTH' 'sw0rdfish'",
    )
    expect(faultOf(reply)).toMatchObject({ code: 'ERR', message: 'Redis refused a command (ERR).' })
    expect(
      faultOf(Object.assign(new TypeError('connect to sw0rdfish'), { code: 'ECONNREFUSED' })),
    ).toMatchObject({
      code: 'ECONNREFUSED',
      message: 'Redis cannot be reached (ECONNREFUSED).',
    })
    for (const error of [
      new TypeError('sw0rdfish'),
      'sw0rdfish',
      Object.assign(new TypeError(''), { code: 'sw0rd' }),
    ])
      expect(faultOf(error)).toMatchObject({ code: 'LOST', message: 'The connection to Redis was lost.' })
  })
})

describe('the URL of Redis', () => {
  it('says all of it', () => {
    expect(targetOf(new Secret('rediss://ann:p%40ss@[::1]/'))).toMatchObject({
      host: '::1',
      port: 6379,
      username: 'ann',
      database: '',
      isTls: true,
      isCluster: false,
    })
    expect(targetOf(new Secret('redis://:p%40ss@redis.example:7000?cluster=true'))).toMatchObject({
      host: 'redis.example',
      port: 7000,
      username: undefined,
      isTls: false,
      isCluster: true,
    })
    expect(targetOf(new Secret('redis://:p%40ss@a/3')).password?.reveal()).toBe('p@ss')
    for (const wrong of ['http://a', 'redis://a/x', 'redis://a/1?cluster=true', 'redis'])
      expect(() => targetOf(new Secret(wrong))).toThrow('Bug in Holdfast')
  })
})
