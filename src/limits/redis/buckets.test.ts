import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type LimitEvent, modelAllows } from '../../../test/kit/limit-models.ts'
import { startRedis, type TestRedis } from '../../../test/kit/redis.ts'
import type { LimitCheck, LimitDecision } from '../limit.ts'
import { memoryStore } from '../memory-store.ts'
import { type LimitPolicy, policyOf } from '../policy.ts'
import { adjust, type BucketClock, takeFrom } from './buckets.ts'
import { connectRedis, type Link } from './link.ts'
import { targetOf } from './target.ts'

// Not a round number, as no moment is: 41 bits in front of the point and ten behind it have to survive in Redis.
const startMs = 1_795_000_000_123

let redis: TestRedis
let link: Link
beforeAll(async () => {
  redis = await startRedis()
  link = await connectRedis(targetOf(redis.url), () => undefined)
})
afterAll(async () => {
  link.drop()
  await redis.stop()
})

let runNumber = 0

/** Names of buckets that no other run has. */
function namer(): (check: LimitCheck) => string {
  runNumber += 1
  return ({ policy, key }) => `hf:{${policy.group}}:${runNumber}:${policy.id}:${key}`
}

function given(nowMs: number): BucketClock {
  return { kind: 'given', nowMs }
}

const policies = fc
  .array(
    fc.record({
      count: fc.integer({ min: 1, max: 12 }),
      windowSeconds: fc.constantFrom(1, 7, 60, 86_400),
      algorithm: fc.constantFrom('gcra', 'token-bucket', 'sliding-window'),
      burst: fc.integer({ min: 1, max: 12 }),
    }),
    { minLength: 1, maxLength: 3 },
  )
  .map((rules) => rules.map((rule, index) => policyOf(rule, { name: `rule-${index}`, group: 'all' })))

const steps = fc.array(
  fc.record({
    kind: fc.constantFrom('take', 'take', 'take', 'take', 'refund'),
    // In shares of the window; now and then the clock goes back.
    gapShare: fc.oneof(fc.constant(0), fc.double({ min: -0.1, max: 0.3, noNaN: true }), fc.constant(1.4)),
    checks: fc.array(
      fc.record({ rule: fc.nat(2), key: fc.constantFrom('a', 'b'), cost: fc.integer({ min: 1, max: 4 }) }),
      { minLength: 1, maxLength: 4 },
    ),
  }),
  { maxLength: 30 },
)

interface Wanted {
  readonly rule: number
  readonly key: string
  readonly cost: number
}

function checksFor(made: readonly LimitPolicy[], wanted: readonly Wanted[]): LimitCheck[] {
  return wanted.flatMap(({ rule, key, cost }) => {
    const policy = made[rule % made.length]
    if (policy === undefined) return []
    const most = policy.algorithm === 'sliding-window' ? policy.count : policy.burst
    return [{ policy, key, cost: Math.min(cost, most) }]
  })
}

/** Without what remains of a bucket that a refused request names twice: memory takes it for one without room. */
function comparable(decision: LimitDecision, names: readonly string[]): LimitDecision {
  const buckets = decision.buckets.map((state, index) => {
    const isTwice = names.indexOf(names[index] ?? '') !== names.lastIndexOf(names[index] ?? '')
    return isTwice && !decision.allowed ? { ...state, remaining: 0 } : state
  })
  return { ...decision, buckets }
}

describe('buckets in Redis', () => {
  it('V2.4.1 V15.4.2 decide as buckets in memory do, to the millisecond', async () => {
    await fc.assert(
      fc.asyncProperty(policies, steps, async (made, taken) => {
        const memory = memoryStore()
        const nameOf = namer()
        let nowMs = startMs
        for (const { kind, gapShare, checks: wanted } of taken) {
          nowMs += Math.floor(gapShare * (made[0]?.windowSeconds ?? 0) * 1_000)
          const checks = checksFor(made, wanted)
          const names = checks.map(nameOf)
          if (kind === 'refund') {
            memory.refund(checks, nowMs)
            await adjust(link, 'refund', names, checks, given(nowMs))
          } else {
            const decided = await takeFrom(link, names, checks, given(nowMs))
            expect(comparable(decided, names)).toEqual(comparable(await memory.consume(checks, nowMs), names))
          }
        }
      }),
      { numRuns: 150 },
    )
  }, 60_000)

  it('V2.4.1 admit what the promise of their algorithm says, and nothing less', async () => {
    const requests = fc.array(
      fc.record({
        gapShare: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 0.3, noNaN: true }), fc.constant(1.4)),
        cost: fc.integer({ min: 1, max: 3 }),
        isGivenBack: fc.boolean(),
      }),
      { maxLength: 40 },
    )
    await fc.assert(
      fc.asyncProperty(policies, requests, async ([policy], asked) => {
        if (policy === undefined) return
        const name = namer()({ policy, key: 'a' })
        const history: LimitEvent[] = []
        let atMs = startMs
        for (const { gapShare, cost: wanted, isGivenBack } of asked) {
          atMs += Math.floor(gapShare * policy.windowSeconds * 1_000)
          const cost = Math.min(wanted, policy.count, policy.burst)
          const checks = [{ policy, key: 'a', cost }]
          const { allowed } = await takeFrom(link, [name], checks, given(atMs))
          expect(allowed).toBe(modelAllows(policy, history, atMs, cost))
          if (!allowed) continue
          history.push({ kind: 'taken', atMs, cost })
          if (!isGivenBack) continue
          await adjust(link, 'refund', [name], checks, given(atMs))
          history.push({ kind: 'refunded', atMs, cost })
        }
      }),
      { numRuns: 100 },
    )
  }, 60_000)

  it('V15.4.2 take from all or from none', async () => {
    const nameOf = namer()
    const wide = { policy: policyOf({ count: 9, windowSeconds: 60 }, { name: 'wide', group: 'g' }), key: 'a' }
    const narrow = {
      policy: policyOf({ count: 1, windowSeconds: 60 }, { name: 'narrow', group: 'g' }),
      key: 'a',
    }
    const both = [wide, narrow]
    const first = await takeFrom(link, both.map(nameOf), both, given(startMs))
    expect(first).toMatchObject({ allowed: true, remaining: 0 })
    for (let index = 0; index < 5; index++) {
      const next = await takeFrom(link, both.map(nameOf), both, given(startMs))
      expect(next).toMatchObject({ allowed: false, retryAfterMs: 60_000 })
    }
    expect(await takeFrom(link, [nameOf(wide)], [wide], given(startMs))).toMatchObject({ remaining: 7 })
  })

  it('V14.2.7 are forgotten when they say nothing any more', async () => {
    const nameOf = namer()
    const rate = { policy: policyOf({ count: 6, windowSeconds: 60 }, { name: 'rate' }), key: 'a' }
    const rule = { count: 6, windowSeconds: 8, algorithm: 'sliding-window' } as const
    const sliding = { policy: policyOf(rule, { name: 'window' }), key: 'a' }
    for (const check of [rate, sliding]) await takeFrom(link, [nameOf(check)], [check], { kind: 'redis' })
    const rateMs = Number(await redis.cli('pttl', nameOf(rate)))
    expect(rateMs).toBeGreaterThan(5_000)
    expect(rateMs).toBeLessThanOrEqual(11_000)
    const slidingMs = Number(await redis.cli('pttl', nameOf(sliding)))
    expect(slidingMs).toBeGreaterThan(4_000)
    expect(slidingMs).toBeLessThanOrEqual(10_000)
  })

  it('are taken from beyond the limit by what was let through elsewhere, but never by more than they hold', async () => {
    for (const algorithm of ['gcra', 'sliding-window'] as const) {
      const nameOf = namer()
      const check = { policy: policyOf({ count: 4, windowSeconds: 60, algorithm }, { name: 'x' }), key: 'a' }
      const names = [nameOf(check)]
      await adjust(link, 'add', names, [{ ...check, cost: 3 }], given(startMs))
      expect(await takeFrom(link, names, [check], given(startMs))).toMatchObject({
        allowed: true,
        remaining: 0,
      })
      await adjust(link, 'add', names, [{ ...check, cost: 1_000 }], given(startMs))
      const { retryAfterMs } = await takeFrom(link, names, [check], given(startMs))
      expect(retryAfterMs).toBeGreaterThan(0)
      expect(retryAfterMs).toBeLessThanOrEqual(67_500)
    }
  })

  it.each([
    ['another type', ['rpush', 'NAME', 'x']],
    ['text', ['set', 'NAME', 'x']],
    ['nan', ['set', 'NAME', 'nan']],
    ['a number that is no moment', ['set', 'NAME', '1e300']],
    ['a negative number', ['set', 'NAME', '-1']],
    ['nothing', ['set', 'NAME', '']],
  ])('V16.5.3 refuse to decide on %s under their name', async (_, command) => {
    const check = { policy: policyOf({ count: 4, windowSeconds: 60 }, { name: 'x' }), key: 'a' }
    const name = namer()(check)
    await redis.cli(...command.map((word) => (word === 'NAME' ? name : word)))
    await expect(takeFrom(link, [name], [check], given(startMs))).rejects.toMatchObject({ code: 'HFSTATE' })
  })

  it('V16.5.2 are found again after Redis has forgotten the script, or everything', async () => {
    const check = { policy: policyOf({ count: 4, windowSeconds: 60 }, { name: 'x' }), key: 'a' }
    const names = [namer()(check)]
    const take = () => takeFrom(link, names, [check], given(startMs))
    expect(await take()).toMatchObject({ remaining: 3 })
    await redis.cli('script', 'flush')
    expect(await take()).toMatchObject({ remaining: 2 })
    await redis.cli('flushall')
    expect(await take()).toMatchObject({ remaining: 3 })
  })

  it('V16.5.3 do not take a cost that is none', async () => {
    const check = { policy: policyOf({ count: 4, windowSeconds: 60 }, { name: 'x' }), key: 'a' }
    for (const cost of [0, -1, Number.NaN, 1.5])
      await expect(takeFrom(link, ['hf:x'], [{ ...check, cost }], given(startMs))).rejects.toThrow(
        'whole number',
      )
  })
})
