import { describe, expect, it } from 'vitest'
import type { Ban, BanTarget } from './ban.ts'
import { BanIndex } from './ban-index.ts'
import { neverBanned } from './never-banned.ts'
import { parseTarget } from './target.ts'

const startMs = Date.parse('2026-01-01T00:00:00Z')

function fresh(options: { maxCount?: number; proxies?: string[]; allowed?: string[] } = {}) {
  const clock = { nowMs: startMs }
  const dropped: number[] = []
  const index = new BanIndex({
    never: neverBanned(options.proxies ?? [], options.allowed ?? []),
    maxCount: options.maxCount,
    onOverfull: (count) => dropped.push(count),
    nowMs: () => clock.nowMs,
  })
  let count = 0
  const ban = (given: BanTarget, forMs: number | null = 60_000, origin = 'manual'): Ban => {
    count += 1
    const { kind, target } = parseTarget(given)
    const made: Ban = {
      id: `ban-${count}`,
      ...{ kind, target, origin, reason: 'test', madeBy: null, liftedAt: null, liftedBy: null },
      madeAt: new Date(clock.nowMs).toISOString(),
      expiresAt: forMs === null ? null : new Date(clock.nowMs + forMs).toISOString(),
    }
    index.put(made)
    return made
  }
  const isBanned = (address: string): boolean => index.addressBannedForMs(address) !== undefined
  return { index, clock, ban, isBanned, dropped }
}

describe('the index of bans', () => {
  it('V2.4.1 knows an IPv4 address, and not its neighbours', () => {
    const { ban, isBanned, index } = fresh()
    expect(isBanned('203.0.113.9')).toBe(false)
    ban({ address: '203.0.113.9' })
    expect(index.addressBannedForMs('203.0.113.9')).toBe(60_000)
    expect(['203.0.113.8', '203.0.113.10', '203.0.113.90', 'unknown', ''].filter(isBanned)).toEqual([])
  })

  it('V2.4.1 knows an IPv6 address with all of its /64, and not the next one', () => {
    const { ban, isBanned } = fresh()
    ban({ address: '2001:db8:0:1::7' })
    const inside = ['2001:db8:0:1::7', '2001:db8:0:1::', '2001:db8:0:1:ffff:ffff:ffff:ffff']
    expect(inside.filter(isBanned)).toEqual(inside)
    expect(['2001:db8::ffff', '2001:db8:0:2::', '2001:db9:0:1::7', '::1'].filter(isBanned)).toEqual([])
  })

  it('V2.4.1 knows a range up to its borders', () => {
    const { ban, isBanned } = fresh()
    ban({ range: '203.0.113.64/26' })
    ban({ range: '2001:db8:10::/44' })
    const inside = ['203.0.113.64', '203.0.113.127', '2001:db8:10::', '2001:db8:1f:ffff:ffff:ffff:ffff:ffff']
    expect(inside.filter(isBanned)).toEqual(inside)
    const outside = ['203.0.113.63', '203.0.113.128', '2001:db8:f:ffff::', '2001:db8:20::']
    expect(outside.filter(isBanned)).toEqual([])
  })

  it('V2.4.1 knows an account by its id, whatever the id looks like', () => {
    const { ban, index, isBanned } = fresh()
    ban({ account: '203.0.113.9' })
    expect(index.accountBannedForMs('203.0.113.9')).toBe(60_000)
    expect(index.accountBannedForMs('ann')).toBeUndefined()
    expect(isBanned('203.0.113.9')).toBe(false)
  })

  it('V2.4.1 ends a ban at its time, to the millisecond, and one without an end never', () => {
    const { ban, clock, index } = fresh()
    ban({ address: '203.0.113.9' })
    ban({ account: 'ann' })
    ban({ address: '203.0.113.10' }, null)
    clock.nowMs += 59_999
    expect([index.addressBannedForMs('203.0.113.9'), index.accountBannedForMs('ann')]).toEqual([1, 1])
    clock.nowMs += 1
    expect(index.addressBannedForMs('203.0.113.9')).toBeUndefined()
    expect(index.accountBannedForMs('ann')).toBeUndefined()
    expect(index.addressBannedForMs('203.0.113.10')).toBe(Number.POSITIVE_INFINITY)
    index.sweep()
    expect(index.count).toBe(1)
  })

  it('V2.4.1 answers with the longest of several, in whatever order they were made', () => {
    const { ban, index } = fresh()
    const networks = ['203.0.113.0/24', '203.0.113.9/32', '203.0.0.0/16']
    for (const [number, range] of networks.entries()) ban({ range }, [20_000, 30_000, 10_000][number])
    for (const [number, range] of ['2001:db8::/48', '2001:db8::/64', '2001:db8::/32'].entries())
      ban({ range }, [20_000, 30_000, 10_000][number])
    expect(['203.0.113.9', '2001:db8::1'].map((one) => index.addressBannedForMs(one))).toEqual([
      30_000, 30_000,
    ])
  })

  it('V2.4.1 goes on with the next longest when one is lifted, and forgets only what is lifted', () => {
    const { ban, index } = fresh()
    const range = ban({ range: '203.0.113.0/24' }, 90_000)
    const address = ban({ address: '203.0.113.9' }, 30_000)
    expect(index.addressBannedForMs('203.0.113.9')).toBe(90_000)
    index.put({ ...range, liftedAt: '2026-01-01T00:00:00Z' })
    expect(index.addressBannedForMs('203.0.113.9')).toBe(30_000)
    index.put({ ...address, liftedAt: '2026-01-01T00:00:00Z' })
    expect([index.addressBannedForMs('203.0.113.9'), index.count]).toEqual([undefined, 0])
  })

  it('V2.4.1 keeps a new ban when the end of an older one of the same target is read late', () => {
    const { ban, index, isBanned } = fresh()
    for (const given of [{ address: '203.0.113.9' }, { address: '2001:db8::1' }, { account: 'ann' }]) {
      const old = ban(given, 10)
      ban(given)
      index.put({ ...old, liftedAt: '2026-01-01T00:00:00Z' })
    }
    expect([isBanned('203.0.113.9'), isBanned('2001:db8::9')]).toEqual([true, true])
    expect(index.accountBannedForMs('ann')).toBe(60_000)
  })

  it('V8.2.4 V15.3.4 never hits a proxy or the allow list, whatever stands in the table', () => {
    const { ban, isBanned } = fresh({
      proxies: ['203.0.113.1'],
      allowed: ['203.0.113.128/25', '2001:db8::5'],
    })
    ban({ range: '203.0.113.0/24' })
    ban({ address: '203.0.113.1' })
    ban({ address: '2001:db8::1' })
    const spared = ['203.0.113.1', '203.0.113.128', '203.0.113.255', '2001:db8::5']
    expect(spared.filter(isBanned)).toEqual([])
    const hit = ['203.0.113.0', '203.0.113.2', '203.0.113.127', '2001:db8::6']
    expect(hit.filter(isBanned)).toEqual(hit)
  })

  it('V2.2.1 takes no row that no order could have made', () => {
    const { index, ban, isBanned } = fresh()
    const made = ban({ address: '203.0.113.9' })
    for (const [number, target] of ['0.0.0.0/0', '::/0', 'x', '', '2001:db8::1/128'].entries())
      index.put({ ...made, id: `hand-${number}`, kind: 'range', target })
    index.put({ ...made, id: 'no-time', target: '203.0.113.77', expiresAt: 'soon' })
    expect(index.count).toBe(1)
    expect(['198.51.100.1', '::1', '2001:db8::1', '203.0.113.77'].filter(isBanned)).toEqual([])
  })

  it('V15.2.2 is bounded, keeps what persons have banned and what lasts longest, and says so', () => {
    const { index, ban, isBanned, dropped } = fresh({ maxCount: 100 })
    ban({ address: '203.0.113.9' }, 1)
    ban({ address: '198.51.100.1' }, null, 'scanner')
    for (let host = 0; host < 1_000; host += 1)
      ban({ address: `10.0.${host >> 8}.${host & 255}` }, 60_000 + host, 'scanner')
    expect(index.count).toBeLessThanOrEqual(100)
    expect(['203.0.113.9', '198.51.100.1', '10.0.3.231'].filter(isBanned)).toHaveLength(3)
    expect(isBanned('10.0.0.0')).toBe(false)
    expect(dropped.length).toBeGreaterThan(0)
    const before = index.count
    // What was dropped comes again with each reading that goes back, and must not cost a sorting each time.
    const toldCount = dropped.length
    for (let host = 0; host < 50; host += 1) ban({ address: `10.1.0.${host}` }, 10_000, 'scanner')
    expect([index.count, dropped.length]).toEqual([before, toldCount])
  })

  it('has all of its room again once bans have ended', () => {
    const { ban, index } = fresh({ maxCount: 100 })
    const banMany = (count: number, forMs: number): Ban[] =>
      Array.from({ length: count }, (_, host) => ban({ address: `10.0.0.${host}` }, forMs + host, 'scanner'))
    for (const made of banMany(150, 60_000)) index.put({ ...made, liftedAt: made.madeAt })
    index.sweep()
    expect(index.count).toBe(0)
    // Shorter than those that were dropped before.
    banMany(100, 1_000)
    expect(index.count).toBe(100)
  })
})
