import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { numbers } from './choices.ts'
import { engines, type Ground } from './engines.ts'
import { Figures } from './figures.ts'
import { type WorldNumbers, world, worldNumbers } from './population.ts'
import { type Kind, queryNumbers } from './queries.ts'
import { Theatre } from './theatre.ts'

const given = process.env['HOLDFAST_PROPERTY_CASES']
const seed = Number(process.env['HOLDFAST_PROPERTY_SEED'] ?? Math.floor(Math.random() * 0x7fff_ffff))

describe('V8.2.2 V8.4.1 the rows that a query reaches', () => {
  for (const engine of engines) {
    it(`are those that plain code finds (${engine.name})`, { timeout: 900_000 }, async () => {
      const cases = given === undefined ? engine.caseCount : Number(given)
      const figures = new Figures()
      const startMs = performance.now()
      const ground = await engine.open()
      try {
        const queries = fc.array(numbers(queryNumbers), {
          minLength: 1,
          maxLength: 2 * engine.batchCount - 1,
          size: 'max',
        })
        const details = await fc.check(
          fc.asyncProperty(worldNumbers, fc.noBias(queries), (ofWorld, ofQueries) =>
            hold(ground, figures, ofWorld, ofQueries),
          ),
          { seed, numRuns: Math.ceil(cases / engine.batchCount), interruptAfterTimeLimit: 240_000 },
        )
        if (details.failed) {
          const { errorInstance } = details
          const why = errorInstance instanceof Error ? errorInstance.message : 'it took too long'
          expect.fail(`after ${figures.total('cases')} queries, with seed ${seed}:\n${why}`)
        }
      } finally {
        await ground.clear()
      }
      process.stdout.write(`${figures.line(engine.name, seed, (performance.now() - startMs) / 1_000)}\n`)
      expect(figures.total('cases'), 'queries that were run').toBeGreaterThan(0.8 * cases)
      requireMeaning(figures)
    })
  }
})

/** Holds each query of a batch against the reference: with two sets of values, and for somebody else. */
async function hold(
  ground: Ground,
  figures: Figures,
  ofWorld: WorldNumbers,
  ofQueries: readonly (readonly number[])[],
): Promise<void> {
  const made = world(ofWorld)
  const theatre = await Theatre.open(ground, made, figures)
  try {
    const [first, second] = made.callers
    await theatre.enter(first)
    for (const query of ofQueries) {
      await theatre.check(query, 0, true)
      await theatre.check(query, 1, false)
    }
    await theatre.enter(second)
    for (const query of ofQueries) await theatre.check(query, 0, false)
  } finally {
    await theatre.close()
  }
}

// A few runs say nothing about shares.
const enoughRuns = 600

/** The largest share of a kind of query that may be refused without need. */
const mostRefused: Readonly<Record<Kind, number>> = {
  select: 0.001,
  update: 0.15,
  delete: 0.15,
  insert: 0.15,
  'insert from select': 0.15,
  'change in with': 0.15,
  // Runs only where no rule looks at the new rows, or where the insert says that it may leave some out.
  'insert in with': 0.6,
}

/** A data layer that refuses everything, or queries that no rule touches, would pass every comparison. */
function requireMeaning(figures: Figures): void {
  for (const [kind, { runs, ...count }] of figures.counts) {
    if (runs < enoughRuns) continue
    const share = (of: Exclude<keyof typeof count, 'cases'>) => count[of] / runs
    expect.soft(share('refused'), `refused without need: ${kind}`).toBeLessThan(mostRefused[kind])
    expect.soft(share('rightlyRefused'), `refused with reason: ${kind}`).toBeLessThan(0.4)
    expect.soft(share('invalid'), `not understood: ${kind}`).toBeLessThan(0.005)
    expect.soft(share('open'), `left open: ${kind}`).toBeLessThan(0.02)
    expect.soft(share('equal'), `answered: ${kind}`).toBeGreaterThan(0.3)
    expect.soft(share('telling'), `dependent on the rules: ${kind}`).toBeGreaterThan(0.05)
  }
}
