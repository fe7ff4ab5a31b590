import { describe, expect, it } from 'vitest'
import type { ResponseRecord } from './response.ts'
import { ResponseIndex } from './response-index.ts'

const startMs = Date.parse('2026-01-01T00:00:00Z')

function fresh(options: { maxCount?: number; isProtected?: (address: string) => boolean } = {}) {
  const clock = { nowMs: startMs }
  const told: string[] = []
  const index = new ResponseIndex({
    slowDown: { firstMs: 500, maxMs: 5_000 },
    isProtected: options.isProtected ?? (() => false),
    maxCount: options.maxCount,
    onOverfull: () => told.push('overfull'),
    nowMs: () => clock.nowMs,
  })
  let count = 0
  const put = (given: Partial<ResponseRecord>): ResponseRecord => {
    count += 1
    const now = new Date(clock.nowMs).toISOString()
    const record: ResponseRecord = {
      ...{ id: `r-${count}`, response: 'slow-down', detector: 'scanner', mode: 'applied', reason: 'test' },
      ...{ targetKind: 'address', target: '203.0.113.9', alertId: null, findingKey: null, effectId: null },
      ...{
        madeAt: now,
        lastAt: now,
        changedAt: now,
        expiresAt: new Date(clock.nowMs + 60_000).toISOString(),
      },
      ...{ undoneAt: null, undoneBy: null, undoneReason: null, outcome: 'done', why: null },
      ...{ levelCount: 1, findingCount: 1 },
      ...given,
    }
    index.put(record)
    return record
  }
  return { index, clock, put, told }
}

describe('the index of responses', () => {
  it('V2.4.1 holds nothing that is not in force', () => {
    const { index, put } = fresh()
    for (const given of [
      { mode: 'dry-run' },
      { outcome: 'refused' },
      { undoneAt: '2026-01-01T00:00:00.000Z' },
      { expiresAt: 'never' },
      { expiresAt: '2025-12-31T00:00:00.000Z' },
      { response: 'ban-address' },
      { target: 'no address' },
      { response: 'step-up' },
      { targetKind: 'session' },
    ] as const)
      put(given)
    expect([index.count, index.delayMsFor('203.0.113.9', 'ann')]).toEqual([0, 0])
  })

  it('V2.4.1 takes the longer delay of address and account, and a later response of a target', () => {
    const { index, put } = fresh()
    const old = put({})
    put({ targetKind: 'account', target: 'ann', findingCount: 3 })
    expect(index.delayMsFor('203.0.113.9', 'ann')).toBe(2_000)
    put({ levelCount: 3 })
    expect(index.delayMsFor('203.0.113.9', null)).toBe(2_000)
    index.put({ ...old, undoneAt: '2026-01-01T00:00:01.000Z' })
    expect(index.delayMsFor('203.0.113.9', null)).toBe(2_000)
    put({ target: '203.0.113.10', findingCount: 1_000_000 })
    expect(index.delayMsFor('203.0.113.10', null)).toBe(5_000)
  })

  it('V15.3.4 never slows down who is protected by now, whatever a row says', () => {
    const { index, put } = fresh({ isProtected: (address) => address === '2001:db8::7' })
    put({ target: '2001:db8::/64' })
    expect(['2001:db8::7', '2001:db8::8'].map((address) => index.delayMsFor(address, null))).toEqual([0, 500])
  })

  it('V7.5.3 knows the later of two times for account and session', () => {
    const { index, clock, put } = fresh()
    put({ response: 'step-up', targetKind: 'account', target: 'ann' })
    clock.nowMs += 1_000
    put({ response: 'step-up', targetKind: 'session', target: 's-1' })
    expect(index.stepUpSinceMs('ann', 's-1')).toBe(startMs + 1_000)
    expect(index.stepUpSinceMs('ann', 's-2')).toBe(startMs)
    expect(index.stepUpSinceMs('bob', 's-2')).toBeUndefined()
  })

  it('V15.2.2 is bounded, each kind by itself, and has room again once responses have ended', () => {
    const { index, clock, put, told } = fresh({ maxCount: 10 })
    for (let host = 0; host < 100; host += 1) put({ target: `192.0.2.${host}` })
    put({ response: 'step-up', targetKind: 'account', target: 'ann' })
    expect([index.count, told]).toEqual([11, ['overfull']])
    expect(index.stepUpSinceMs('ann', 's-1')).toBe(startMs)
    clock.nowMs += 60_000
    expect(index.delayMsFor('192.0.2.1', null)).toBe(0)
    index.sweep()
    expect(index.count).toBe(0)
    put({ target: '192.0.2.99' })
    expect(index.delayMsFor('192.0.2.99', null)).toBe(500)
  })
})
