import { afterEach, describe, expect, it, vi } from 'vitest'
import { HashQueue } from './queue.ts'

afterEach(() => {
  vi.useRealTimers()
})

/** Work that goes on until it is told to end. */
function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open: () => void = () => undefined
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { opened, open: () => open() }
}

const bounds = { runningMaxCount: 1, waitingMaxCount: 8, waitMaxMs: 5_000 }

describe('the queue in front of hashing', () => {
  it('V15.2.2 lets as many work as may, and refuses who would be one too many', async () => {
    const queue = new HashQueue(bounds)
    const first = gate()
    let runningCount = 0
    let mostCount = 0
    const work = async (): Promise<void> => {
      runningCount += 1
      mostCount = Math.max(mostCount, runningCount)
      await first.opened
      runningCount -= 1
    }
    const all = Array.from({ length: 20 }, (_, index) =>
      queue.run(`a${index}`, work).then(() => 'done', String),
    )
    await Promise.resolve()
    expect(queue.waitingCount).toBe(8)
    first.open()
    const outcomes = await Promise.all(all)
    expect(mostCount).toBe(1)
    expect(outcomes.filter((one) => one === 'done')).toHaveLength(9)
    expect(outcomes.filter((one) => one.includes('OVERLOADED'))).toHaveLength(11)
    expect(queue.waitingCount).toBe(0)
    await queue.run('b', async () => undefined)
  })

  it('V15.2.2 is fair: whoever asks for much waits behind whoever asks for little', async () => {
    const queue = new HashQueue(bounds)
    const first = gate()
    const order: string[] = []
    const running = queue.run('first', () => first.opened)
    const ask = (from: string) =>
      queue.run(from, async () => void order.push(from)).catch(() => order.push(`no ${from}`))
    const all = [ask('greedy'), ask('greedy'), ask('greedy'), ask('greedy'), ask('modest'), ask('other')]
    first.open()
    await Promise.all([running, ...all])
    expect(order).toEqual(['no greedy', 'no greedy', 'greedy', 'modest', 'other', 'greedy'])
  })

  it('V15.2.2 refuses who has waited too long, and hashes nothing for them', async () => {
    vi.useFakeTimers()
    const queue = new HashQueue(bounds)
    const first = gate()
    const running = queue.run('a', () => first.opened)
    let isWorked = false
    const late = queue.run('b', async () => {
      isWorked = true
    })
    const refused = expect(late).rejects.toThrow('OVERLOADED')
    await vi.advanceTimersByTimeAsync(5_000)
    await refused
    first.open()
    await running
    expect(isWorked).toBe(false)
    expect(queue.waitingCount).toBe(0)
  })

  it('V16.5.2 goes on after work that fails, and ends with everybody told', async () => {
    const queue = new HashQueue(bounds)
    await expect(queue.run('a', () => Promise.reject(new TypeError('failed')))).rejects.toThrow('failed')
    const first = gate()
    const running = queue.run('a', () => first.opened)
    const waiting = queue.run('b', async () => undefined)
    const refused = expect(waiting).rejects.toThrow('OVERLOADED')
    queue.close()
    await refused
    first.open()
    await running
    await expect(queue.run('c', async () => undefined)).rejects.toThrow('OVERLOADED')
  })

  it('V15.2.2 V15.4.1 lets as many work as may in all queues together, and nobody waits for ever', async () => {
    let takenCount = 0
    const places = {
      enter: (maxCount: number) => takenCount < maxCount && ++takenCount > 0,
      leave: () => {
        takenCount -= 1
      },
    }
    const queues = [0, 1, 2].map(() => new HashQueue({ ...bounds, runningMaxCount: 2, places }))
    let runningCount = 0
    let mostCount = 0
    const work = async (): Promise<void> => {
      runningCount += 1
      mostCount = Math.max(mostCount, runningCount)
      await new Promise((resolve) => setTimeout(resolve, 2))
      runningCount -= 1
    }
    await Promise.all(queues.flatMap((queue) => [1, 2, 3, 4].map((index) => queue.run(`a${index}`, work))))
    expect([mostCount, takenCount]).toEqual([2, 0])
  })
})
