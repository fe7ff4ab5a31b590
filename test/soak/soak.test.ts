import { describe, expect, test } from 'vitest'
import { runSoak } from '../../bench/soak-run.ts'
import { trendOf } from '../../bench/soak-trend.ts'
import { judge, tolerances } from '../../bench/soak-verdict.ts'

// About a minute of the soak that runs for ten in the night and for half an hour by hand: bench/soak.ts.

const durationMs = 40_000
// Beside it, the machine runs the rest of the suite: a start may take a minute, and so may the end.
const timeoutMs = 240_000
// In so short a time it is chance which cycle has more passwords to hash: whether requests grow dearer, the long runs tell.
// And a machine that runs much beside it may be late enough to turn requests away, which loses nothing.
const allowed = { ...tolerances, dearerPercent: 300, turnedAwayPercent: 60 }

describe('a soak of mixed work and attacks', () => {
  test(
    'loses nothing, leaks nothing, fails in nothing and stops clean',
    async () => {
      const lines: string[] = []
      const figures = await runSoak({
        durationMs,
        requestsPerSecond: 60,
        personCount: 40,
        cycleMs: 4_000,
        onProgress: (line) => lines.push(line),
      })
      expect(judge(figures, allowed), lines.join('\n')).toEqual([])
      const kinds = [...figures.client.tallies.keys()]
      for (const kind of ['sign in', 'read', 'list', 'create', 'create again', 'change', 'share', 'delete'])
        expect(kinds).toContain(kind)
      expect(kinds.filter((kind) => kind.startsWith('attack: '))).toHaveLength(8)
      expect(figures.client.tallies.get('compare')?.count).toBeGreaterThanOrEqual(80)
    },
    timeoutMs,
  )
})

describe('the trend of a series', () => {
  test('is how much it grows from end to end', () => {
    expect(trendOf([10, 20, 30, 40]).growthBytes).toBe(30)
    expect(trendOf([7, 7, 7]).growthBytes).toBe(0)
  })

  test('is not moved by one odd sample', () => {
    expect(trendOf([100, 100, 900, 100, 100, 100]).growthBytes).toBe(0)
  })

  test('is nothing for one sample or none', () => {
    expect(trendOf([5]).growthBytes).toBe(0)
    expect(trendOf([]).growthBytes).toBe(0)
  })
})
