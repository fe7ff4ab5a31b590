import { describe, expect, it } from 'vitest'
import { foundBy } from '../../test/kit/alert-receivers.ts'
import { type Gist, gistOf } from './gist.ts'
import { PendingFindings } from './pending.ts'

const nowMs = Date.parse('2026-01-01T00:00:00Z')

function gist(detector: string, value: string): Gist {
  return gistOf(foundBy(detector, { subject: { by: 'address', value } }), nowMs, () => false)
}

describe('findings that wait to be written', () => {
  it('V15.2.2 are due at once when they are the first, and then once a second for each alert', () => {
    const pending = new PendingFindings()
    pending.add(gist('a', '203.0.113.1'), nowMs)
    const first = pending.take(nowMs)
    expect(first?.gist.count).toBe(1)
    if (first === undefined) return
    pending.written(first, { alertId: 'x', isRest: false }, nowMs)
    for (let index = 0; index < 500; index += 1) pending.add(gist('a', '203.0.113.1'), nowMs + index)
    expect([pending.take(nowMs + 999), pending.nextDueAtMs()]).toEqual([undefined, nowMs + 1_000])
    pending.add(gist('a', '203.0.113.2'), nowMs + 999)
    expect(pending.take(nowMs + 999)?.gist.own).toEqual(['address:203.0.113.2'])
    expect(pending.take(nowMs + 1_000)?.gist.count).toBe(500)
    expect(pending.count).toBe(0)
  })

  it('V15.2.2 are a hundred gists and one for each detector, however many there are', () => {
    const pending = new PendingFindings()
    for (let index = 0; index < 20_000; index += 1)
      pending.add(gist(`d${index % 3}`, `10.0.${index >> 8}.${index & 255}`), nowMs)
    expect(pending.count).toBe(103)
    let count = 0
    for (;;) {
      const taken = pending.take(nowMs)
      if (taken === undefined) break
      count += taken.gist.count
    }
    expect(count).toBe(20_000)
  })

  it('V15.2.2 go to the rest at once where there was too much of them', () => {
    const pending = new PendingFindings()
    pending.add(gist('a', '203.0.113.1'), nowMs)
    const first = pending.take(nowMs)
    if (first !== undefined) pending.written(first, { alertId: 'x', isRest: true }, nowMs)
    pending.add(gist('a', '203.0.113.2'), nowMs + 1)
    pending.add(gist('a', '203.0.113.3'), nowMs + 1)
    pending.add(gist('b', '203.0.113.4'), nowMs + 1)
    expect(pending.count).toBe(2)
    expect(pending.take(nowMs + 1)?.gist).toMatchObject({ isRest: false, detectors: ['b'] })
    expect(pending.take(nowMs + 1_000)?.gist).toMatchObject({ isRest: true, count: 2 })
    pending.add(gist('a', '203.0.113.5'), nowMs + 61_000)
    expect(pending.take(nowMs + 61_000)?.gist.isRest).toBe(false)
  })

  it('V16.5.2 come back after a failure, later each time, and lose nothing', () => {
    const pending = new PendingFindings()
    pending.add(gist('a', '203.0.113.1'), nowMs)
    for (const waitMs of [1_000, 2_000, 4_000]) {
      const taken = pending.take(Number.POSITIVE_INFINITY)
      if (taken !== undefined) pending.putBack(taken, nowMs)
      expect(pending.nextDueAtMs()).toBe(nowMs + waitMs)
    }
    pending.add(gist('b', '203.0.113.1'), nowMs)
    expect(pending.take(Number.POSITIVE_INFINITY)?.gist).toMatchObject({ count: 2, detectors: ['a', 'b'] })
  })
})
