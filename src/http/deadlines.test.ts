import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Deadlines } from './deadlines.ts'

describe('V15.2.2 deadlines', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  it('come due once, in their order, and not before', () => {
    const deadlines = new Deadlines(1_000)
    const told: number[] = []
    for (let index = 0; index < 5; index++) {
      deadlines.start(() => void told.push(index))
      vi.advanceTimersByTime(10)
    }
    vi.advanceTimersByTime(949)
    expect(told).toEqual([])
    vi.advanceTimersByTime(1)
    expect(told).toEqual([0])
    vi.advanceTimersByTime(39)
    expect(told).toEqual([0, 1, 2, 3])
    vi.advanceTimersByTime(100_000)
    expect(told).toEqual([0, 1, 2, 3, 4])
  })

  it('do nothing once they are over, however often that is said', () => {
    const deadlines = new Deadlines(1_000)
    const expire = vi.fn()
    const first = deadlines.start(expire)
    const second = deadlines.start(expire)
    first.end()
    first.end()
    vi.advanceTimersByTime(1_000)
    expect(expire).toHaveBeenCalledTimes(1)
    second.end()
    vi.advanceTimersByTime(10_000)
    expect(expire).toHaveBeenCalledTimes(1)
  })

  it('take one timer, however many there are, and none once nobody waits', () => {
    const deadlines = new Deadlines(1_000)
    const expired: number[] = []
    const running = Array.from({ length: 20_000 }, (_, index) => {
      if (index % 1_000 === 0) vi.advanceTimersByTime(1)
      return deadlines.start(() => void expired.push(index))
    })
    expect(vi.getTimerCount()).toBe(1)
    for (const [index, deadline] of running.entries()) if (index % 2 === 0) deadline.end()
    vi.advanceTimersByTime(2_000)
    expect(expired).toHaveLength(10_000)
    expect(expired.every((index) => index % 2 === 1)).toBe(true)
    vi.advanceTimersByTime(10_000)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('go on after a time in which there was none', () => {
    const deadlines = new Deadlines(1_000)
    const expire = vi.fn()
    deadlines.start(expire).end()
    vi.advanceTimersByTime(5_000)
    deadlines.start(expire)
    vi.advanceTimersByTime(999)
    expect(expire).not.toHaveBeenCalled()
    vi.advanceTimersByTime(1)
    expect(expire).toHaveBeenCalledTimes(1)
  })

  it('that come due can begin others, and end those that come due with them', () => {
    const deadlines = new Deadlines(1_000)
    const told: string[] = []
    deadlines.start(() => {
      told.push('first')
      second.end()
      deadlines.start(() => void told.push('third'))
    })
    const second = deadlines.start(() => void told.push('second'))
    vi.advanceTimersByTime(1_999)
    expect(told).toEqual(['first'])
    vi.advanceTimersByTime(1)
    expect(told).toEqual(['first', 'third'])
    vi.advanceTimersByTime(10_000)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('V16.5.3 of others come due all the same when one throws', () => {
    const deadlines = new Deadlines(1_000)
    const expire = vi.fn()
    deadlines.start(() => {
      throw new TypeError('on the way out')
    })
    deadlines.start(expire)
    expect(() => vi.advanceTimersByTime(1_000)).toThrow('on the way out')
    vi.advanceTimersByTime(1_000)
    expect(expire).toHaveBeenCalledTimes(1)
  })
})
