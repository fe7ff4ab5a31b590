import { expect, it } from 'vitest'
import { type Pool, startPool } from './pool.ts'

const entry = new URL('../../test/kit/pool-thread.ts', import.meta.url)

interface Heard {
  readonly pool: Pool
  readonly printed: string[]
  /** What a worker has said of a topic. */
  said(topic: string): Promise<unknown>
}

function started(workerCount: number, code = entry): Heard {
  const topics = new Map<string, PromiseWithResolvers<unknown>>()
  const topic = (name: string): PromiseWithResolvers<unknown> => {
    const known = topics.get(name) ?? Promise.withResolvers<unknown>()
    topics.set(name, known)
    return known
  }
  const printed: string[] = []
  const pool = startPool({
    entry: code,
    workerCount,
    data: null,
    answer: (name, value) => topic(name).resolve(value),
    print: (text) => printed.push(text),
  })
  return { pool, printed, said: (name) => topic(name).promise }
}

it('V15.4.1 V16.5.3 what a worker held that has ended is free for the one in its place', async () => {
  const { pool, printed, said } = started(3)
  expect(await pool.started).toBe('listening')
  expect(await said('sums')).toEqual(expect.arrayContaining([20, 30]))
  expect(await said('names')).toEqual({ values: expect.arrayContaining([1, 2, 3]), left: [] })
  // The new one has the lock, and what its predecessor had said last is kept.
  expect(await said('took')).toEqual([2])
  expect(printed.join('')).toBe('worker 2 has ended with code 3; another takes its place\n')
  pool.stop()
  expect(await pool.ended).toBe(0)
})

it('V16.5.3 a worker that cannot start stops all, and says why', async () => {
  const code = 'data:text/javascript,process.exit(78)'
  const { pool, printed } = started(2, new URL(code))
  expect(await pool.started).toBe(78)
  expect(await pool.ended).toBe(78)
  expect(printed).toEqual(['worker 1 has ended before all were listening\n'])
})
