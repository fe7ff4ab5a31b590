import { describe, expect, it } from 'vitest'
import { createHealth } from './health.ts'
import { createShedder } from './shed.ts'

describe('createShedder', () => {
  it('V15.2.2 sheds above the threshold and recovers below half of it', () => {
    let nowMs = 0
    let lateMs = 0
    const shedder = createShedder(
      { thresholdMs: 1_000, windowMs: 1_000 },
      { nowMs: () => nowMs, monitor: { takeMs: () => lateMs, stop: () => {} } },
    )
    const once = (ms: number, late: number): boolean => {
      nowMs += ms
      lateMs = late
      return shedder.isOverloaded()
    }
    expect(once(999, 5_000)).toBe(false)
    expect(once(1, 1_000)).toBe(false)
    expect(once(1_000, 1_001)).toBe(true)
    expect(once(500, 0)).toBe(true)
    expect(once(500, 600)).toBe(true)
    expect(once(1_000, 500)).toBe(false)
    expect(once(1_000, 600)).toBe(false)
    expect(shedder.delayMs).toBe(600)
  })
})

describe('createHealth', () => {
  const failures: string[] = []
  const health = (checkTimeoutMs = 1_000) =>
    createHealth({ checkTimeoutMs, onFailure: (name) => failures.push(name) })

  it('is not ready before it serves nor once it stops, and alive throughout', async () => {
    const registry = health()
    registry.add('database', () => {})
    expect((await registry.ready()).status).toBe('unavailable')
    registry.serve()
    expect(await registry.ready()).toEqual({ status: 'ok', checks: { database: 'ok' } })
    registry.stop()
    expect((await registry.ready()).status).toBe('unavailable')
    registry.serve()
    expect((await registry.ready()).status).toBe('unavailable')
    expect(registry.live()).toEqual({ status: 'ok' })
  })

  it('V16.5.2 is not ready when a check throws or hangs, and asks a hanging part once', async () => {
    const registry = health(20)
    let callCount = 0
    registry.serve()
    registry.add('throws', () => Promise.reject(new TypeError('secret reason')))
    registry.add('hangs', () => {
      callCount++
      return new Promise(() => {})
    })
    const first = await registry.ready()
    expect(first).toEqual({ status: 'unavailable', checks: { throws: 'failed', hangs: 'failed' } })
    await registry.ready()
    expect(callCount).toBe(1)
    expect(failures.slice(0, 2).sort()).toEqual(['hangs', 'throws'])
  })

  it('V15.2.2 shares one run between calls at the same time', async () => {
    const registry = health()
    let callCount = 0
    registry.add('database', async () => {
      callCount++
      await new Promise(setImmediate)
    })
    registry.serve()
    const answers = await Promise.all(Array.from({ length: 20 }, () => registry.ready()))
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set(['ok']))
    expect(callCount).toBe(1)
  })
})
