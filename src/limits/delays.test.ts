import { describe, expect, it, vi } from 'vitest'
import { Delays } from './delays.ts'

const never = () => () => undefined

describe('V2.4.2 delays', () => {
  it('last as long as they are told to, and no shorter', async () => {
    vi.useFakeTimers()
    try {
      const delays = new Delays(2)
      let ended: string | undefined
      const waiting = delays.wait(500, never).then((how) => {
        ended = how
      })
      await vi.advanceTimersByTimeAsync(499)
      expect(ended).toBeUndefined()
      await vi.advanceTimersByTimeAsync(1)
      await waiting
      expect(ended).toBe('waited')
      expect(delays.waitingCount).toBe(0)
    } finally {
      vi.useRealTimers()
    }
  })

  it('V15.2.2 have room for so many, and say when it is full', async () => {
    const delays = new Delays(2)
    const leave: (() => void)[] = []
    const hold = () =>
      delays.wait(60_000, (gone) => {
        leave.push(gone)
        return () => undefined
      })
    const waiting = [hold(), hold()]
    expect(await hold()).toBe('full')
    for (const gone of leave) gone()
    expect(await Promise.all(waiting)).toEqual(['gone', 'gone'])
    expect(await delays.wait(0, never)).toBe('waited')
  })

  it('stop listening to a client when they have ended', async () => {
    const stop = vi.fn()
    await new Delays(1).wait(0, () => stop)
    expect(stop).toHaveBeenCalledOnce()
  })
})
