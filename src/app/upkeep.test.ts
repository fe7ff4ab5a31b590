import { expect, it, vi } from 'vitest'
import { startUpkeep } from './upkeep.ts'

it('upkeep runs each job, again an hour later, whatever became of the one before', async () => {
  vi.useFakeTimers()
  try {
    const done: string[] = []
    const told: unknown[] = []
    const broken = async (): Promise<void> => {
      throw new RangeError('the database is away')
    }
    const upkeep = startUpkeep([broken, async () => void done.push('sessions')], (error) => told.push(error))
    await vi.advanceTimersByTimeAsync(59_000)
    expect(done).toEqual([])
    await vi.advanceTimersByTimeAsync(1_000)
    expect(done).toEqual(['sessions'])
    await vi.advanceTimersByTimeAsync(3_600_000)
    expect(done).toEqual(['sessions', 'sessions'])
    expect(told).toHaveLength(2)
    await upkeep.stop()
    await vi.advanceTimersByTimeAsync(7_200_000)
    expect(done).toHaveLength(2)
  } finally {
    vi.useRealTimers()
  }
})
