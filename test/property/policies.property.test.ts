import fc from 'fast-check'
import pg from 'pg'
import { describe, expect, it } from 'vitest'
import type { Scope } from '../../src/data/index.ts'
import { type Difference, Intruder } from './behind.ts'
import { bothWalls } from './engines.ts'
import { type WorldNumbers, world, worldNumbers } from './population.ts'
import { Disagreement, worldText } from './report.ts'
import { fill } from './rows-in.ts'
import { rowsOf, type World } from './world.ts'

const seed = Number(process.env['HOLDFAST_PROPERTY_SEED'] ?? Math.floor(Math.random() * 0x7fff_ffff))
// Each has up to eight tables, two callers, and up to nine statements for each of them.
const worldCount = 60

describe('V8.2.2 V8.4.1 behind the rewriting, the policies of PostgreSQL', () => {
  it('let each caller reach the rows that plain code finds', { timeout: 300_000 }, async () => {
    const ground = await bothWalls.open()
    let count = 0
    let isFailing = false
    try {
      const hold = async (numbers: WorldNumbers): Promise<void> => {
        const made = world(numbers)
        const stage = await ground.stage(made.tables)
        const { url, role } = stage.behind ?? { url: '', role: '' }
        const client = new pg.Client({ connectionString: url, options: `-c role=${role}` })
        // A run that is cut short loses its connection later.
        client.on('error', () => undefined)
        try {
          for (const { name } of made.tables) await fill(stage.full, name, rowsOf(made.rows, name))
          await client.connect()
          for (const scope of made.callers) {
            const intruder = new Intruder(client, made, scope)
            const differences = await intruder.differences()
            if (!isFailing) count += intruder.count
            isFailing ||= differences.length > 0
            if (differences.length > 0) throw new Disagreement(reportOf(made, scope, differences))
          }
        } finally {
          await client.end()
          await stage.close()
        }
      }
      const details = await fc.check(fc.asyncProperty(worldNumbers, hold), {
        seed,
        numRuns: worldCount,
        interruptAfterTimeLimit: 60_000,
      })
      if (details.failed) {
        const { errorInstance } = details
        const why = errorInstance instanceof Error ? errorInstance.message : 'it took too long'
        expect.fail(`after ${count} statements, with seed ${seed}:\n${why}`)
      }
    } finally {
      await ground.clear()
    }
    expect(count).toBeGreaterThan(worldCount * 20)
    process.stdout.write(`policies property: ${count} statements on ${worldCount} schemas; seed ${seed}\n`)
  })
})

function reportOf(made: World, scope: Scope, differences: readonly Difference[]): string {
  const attempts = differences.map(
    ({ what, found, expected }) =>
      `${what}\n  gives ${found || 'nothing'}, expected ${expected || 'nothing'}`,
  )
  return [...worldText(made, scope), ...attempts].join('\n')
}
