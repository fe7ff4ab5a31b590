import { describe, expect, it } from 'vitest'
import { openQueue, type QueueParts } from './queue.ts'

function fresh(parts: Partial<QueueParts<string>> = {}) {
  const done: string[] = []
  const told: unknown[] = []
  const queue = openQueue<string>({
    carryOut: async (job) => void done.push(job),
    maxCount: 3,
    perSecondCount: 1_000,
    onFailure: (error) => told.push(error),
    onFull: () => told.push('full'),
    ...parts,
  })
  return { queue, done, told }
}

describe('the queue of responses', () => {
  it('V15.2.2 has room for so many, says once that it is full, and replaces what is the same', async () => {
    const { queue, done, told } = fresh()
    for (const job of ['a', 'b', 'c', 'd', 'e']) queue.add(job, job)
    queue.add('b', 'newer b')
    expect(queue.waitingCount).toBe(3)
    await queue.idle()
    expect([done, told]).toEqual([['a', 'newer b', 'c'], ['full']])
    for (const job of ['a', 'b', 'c', 'd']) queue.add(job, job)
    await queue.idle()
    expect(told).toEqual(['full', 'full'])
  })

  it('V16.5.3 goes on after a failure, and takes what comes while one is carried out', async () => {
    const { queue, done, told } = fresh({
      async carryOut(job) {
        if (job === 'bad') throw new TypeError('bad')
        done.push(job)
        if (job === 'first') queue.add('second', 'second')
      },
    })
    queue.add('bad', 'bad')
    queue.add('first', 'first')
    await queue.idle()
    expect([done, told.length]).toEqual([['first', 'second'], 1])
    for (let round = 0; round < 100; round += 1) {
      queue.add('late', 'late')
      await queue.idle()
    }
    expect(done).toHaveLength(102)
  })

  it('V15.2.2 rests when as many were carried out as may be within a second, and ends at once', async () => {
    const { queue, done } = fresh({ perSecondCount: 2, maxCount: 100 })
    const startedAtMs = performance.now()
    for (let job = 0; job < 5; job += 1) queue.add(`${job}`, `${job}`)
    await expect.poll(() => done.length, { interval: 5, timeout: 20_000 }).toBeGreaterThanOrEqual(4)
    expect(performance.now() - startedAtMs).toBeGreaterThan(900)
    await queue.close()
    const count = done.length
    queue.add('after', 'after')
    await queue.idle()
    expect(done).toHaveLength(count)
  })
})
