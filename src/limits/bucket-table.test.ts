import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { LimitAlgorithm } from '../route/limit-class.ts'
import type { BucketName } from './bucket-segment.ts'
import { BucketTable } from './bucket-table.ts'
import { policyOf } from './policy.ts'

const nowMs = 1_795_000_000_000
const algorithms: LimitAlgorithm[] = ['gcra', 'sliding-window']

function tableOf(keyCount: number, algorithm: LimitAlgorithm = 'gcra', count = 1_000): BucketTable {
  return new BucketTable(policyOf({ count, windowSeconds: 60, algorithm }, { name: 'tested' }), keyCount)
}

/** Names that are spread like hashes, the same in each run. */
function nameOf(index: number): BucketName {
  const scramble = (seed: number): number => {
    const mixed = Math.imul((seed ^ (seed >>> 16)) | 0, 0x45d9f3b)
    return Math.imul(mixed ^ (mixed >>> 16), 0x45d9f3b) ^ (mixed >>> 11)
  }
  return { high: scramble(index * 2 + 1), low: scramble(index * 2 + 2) | 1 }
}

/** Takes from a bucket, which is made if it is not there. */
function take(table: BucketTable, name: BucketName, atMs: number, cost = 1): void {
  const known = table.segmentOf(name.high)
  const segment = known.find(name.high, name.low) < 0 ? table.insert(name) : known
  const at = segment.find(name.high, name.low)
  table.algorithm.take(table.policy, segment.cells, at, atMs, cost)
  segment.expect(at)
}

/** How many requests a bucket has given; `undefined` when it is not there. */
function givenBy(table: BucketTable, { high, low }: BucketName): number | undefined {
  const segment = table.segmentOf(high)
  const at = segment.find(high, low)
  if (at < 0) return undefined
  return table.policy.count - table.algorithm.remaining(table.policy, segment.cells, at, nowMs)
}

describe('V15.2.2 a table of buckets', () => {
  it.each(algorithms)('%s: loses and mixes up nothing while it grows to many segments', (algorithm) => {
    const table = tableOf(100_000, algorithm)
    for (let index = 0; index < 40_000; index++) take(table, nameOf(index), nowMs, 1 + (index % 7))
    expect(table.count).toBe(40_000)
    for (let index = 0; index < 40_000; index++) expect(givenBy(table, nameOf(index))).toBe(1 + (index % 7))
    for (let index = 0; index < 40_000; index += 3) table.remove(nameOf(index))
    for (let index = 0; index < 40_000; index++)
      expect(givenBy(table, nameOf(index))).toBe(index % 3 === 0 ? undefined : 1 + (index % 7))
  })

  it('finds everything while some segments have split more often than others', () => {
    const table = tableOf(100_000)
    const names = Array.from({ length: 40_000 }, (_, index) => {
      const { high, low } = nameOf(index)
      // Most have the same first bits, but for some at the end.
      return { high: index < 25_000 ? (high >>> 4) | 0 : high, low }
    })
    for (const name of names) take(table, name, nowMs)
    expect(table.count).toBe(40_000)
    for (const name of names) expect(givenBy(table, name)).toBe(1)
  })

  it('is like a map, whatever comes and goes', () => {
    // Few places to lie in, at both ends of the table, so that they push each other about and around the end.
    const names = fc.record({
      high: fc.constantFrom(0, 1, -1, 0x7fffffff),
      low: fc.constantFrom(1, 2, 14, 15, 16, 31, -1, -2, 17),
    })
    const steps = fc.array(fc.record({ name: names, isRemoved: fc.boolean() }), { maxLength: 150 })
    fc.assert(
      fc.property(steps, fc.constantFrom(...algorithms), (taken, algorithm) => {
        const table = tableOf(1_000, algorithm)
        const model = new Map<string, number>()
        for (const { name, isRemoved } of taken) {
          const key = `${name.high}/${name.low}`
          if (isRemoved) {
            table.remove(name)
            model.delete(key)
          } else {
            take(table, name, nowMs)
            model.set(key, (model.get(key) ?? 0) + 1)
          }
          expect(table.count).toBe(model.size)
          expect(givenBy(table, name)).toBe(model.get(key))
        }
        for (const [key, count] of model) {
          const [high = 0, low = 0] = key.split('/').map(Number)
          expect(givenBy(table, { high, low })).toBe(count)
        }
      }),
      { numRuns: 300 },
    )
  })

  it.each(algorithms)('V15.2.2 %s: lets go of what is full again, without a timer', (algorithm) => {
    const table = tableOf(100_000, algorithm)
    for (let index = 0; index < 20_000; index++) take(table, nameOf(index), nowMs)
    expect(table.count).toBe(20_000)
    const laterMs = nowMs + 3_600_000
    for (let index = 20_000; index < 32_000; index++) {
      table.clear(nameOf(index).high, laterMs)
      take(table, nameOf(index), laterMs)
    }
    expect(table.count).toBe(12_000)
    for (let index = 20_000; index < 32_000; index++)
      expect(table.segmentOf(nameOf(index).high).find(nameOf(index).high, nameOf(index).low)).not.toBe(-1)
  })

  it('V15.2.2 forgets nothing that is not full again', () => {
    const table = tableOf(100_000)
    for (let index = 0; index < 5_000; index++) take(table, nameOf(index), nowMs, index % 2 === 0 ? 1 : 900)
    for (let index = 0; index < 5_000; index++) table.clear(nameOf(index).high, nowMs + 1_000)
    for (let index = 1; index < 5_000; index += 2) expect(givenBy(table, nameOf(index))).toBe(900)
  })

  it('V15.2.2 looks at all of a segment for what is full again before it forgets anything else', () => {
    const table = tableOf(3_000)
    // One that is full again among many that are not.
    take(table, nameOf(0), nowMs - 3_600_000)
    for (let index = 1; index < 3_000; index++) take(table, nameOf(index), nowMs)
    table.clear(nameOf(5_000).high, nowMs)
    expect(table.count).toBe(2_999)
    expect(givenBy(table, nameOf(0))).toBeUndefined()
  })

  it('V15.2.2 gives the memory of a flood back', () => {
    const table = tableOf(100_000)
    const bytes = (): number => {
      const segments = new Set(Array.from({ length: 4_096 }, (_, index) => table.segmentOf(index << 20)))
      return [...segments].reduce((sum, { cells }) => sum + cells.byteLength, 0)
    }
    expect(bytes()).toBeLessThan(1_000)
    for (let index = 0; index < 90_000; index++) take(table, nameOf(index), nowMs)
    expect(bytes()).toBeGreaterThan(90_000 * 16)
    for (let index = 0; index < 400_000; index++) table.clear(nameOf(index).high, nowMs + 3_600_000)
    expect(table.count).toBe(0)
    expect(bytes()).toBeLessThan(10_000)
  })

  it('V15.2.2 looks again for a bucket to forget once there is a new one', () => {
    const table = tableOf(5, 'gcra', 1)
    for (let index = 0; index < 5; index++) take(table, nameOf(index), nowMs)
    expect(table.leastUsed(0, nowMs, [])).toBe(60_000)
    expect(table.leastUsed(0, nowMs + 1, [])).toBe(59_999)
    table.remove(nameOf(0))
    table.insert(nameOf(7))
    expect(table.leastUsed(0, nowMs, [])).toEqual(nameOf(7))
  })

  it('V15.2.2 finds a bucket to forget where one segment has none', () => {
    const table = tableOf(20_000)
    for (let index = 0; index < 20_000; index++) take(table, nameOf(index), nowMs)
    const empty = table.segmentOf(0)
    for (let index = 0; index < 20_000; index++)
      if (table.segmentOf(nameOf(index).high) === empty) table.remove(nameOf(index))
    expect(empty.size).toBe(0)
    expect(table.leastUsed(0, nowMs, [])).toHaveProperty('high')
  })

  it('V16.5.3 has a bound', () => {
    const table = tableOf(2)
    take(table, nameOf(0), nowMs)
    take(table, nameOf(1), nowMs)
    expect(() => table.insert(nameOf(2))).toThrow('a table has a bound')
    const wrong = { ...policyOf({ count: 5, windowSeconds: 60 }, { name: 'wrong' }), intervalMs: Number.NaN }
    expect(() => new BucketTable(wrong, 10)).toThrow('policyOf')
  })
})
