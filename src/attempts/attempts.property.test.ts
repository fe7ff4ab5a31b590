import fc from 'fast-check'
import { expect, it } from 'vitest'
import { type AttemptsWorld, attemptsWorld, tried } from '../../test/kit/attempts.ts'
import type { Attempt } from './attempts.ts'
import { ceilingCount, delayAfterMs, deviceCeilingCount, knownCeilingCount } from './growth.ts'

/** A counter in plain words. */
interface Counter {
  failedCount: number
  nextMs: number
  lastMs: number
}

/** An account as the rules describe it: a counter for strangers, one for all known devices, one for each of them. */
interface Model {
  readonly strangers: Counter
  readonly known: Counter
  readonly ofDevice: readonly Counter[]
}

/** An attempt that has been let through, and what it has been counted on. */
interface Running {
  readonly attempt: Attempt
  readonly counters: readonly Counter[]
  readonly ends: readonly Counter[]
  readonly beganMs: number
}

const newCounter = (): Counter => ({ failedCount: 0, nextMs: 0, lastMs: 0 })

/** Where an attempt is counted, what its success ends; `null` when it has to be refused. */
function expectedOf(model: Model, device: number, nowMs: number) {
  const own = model.ofDevice[device]
  if (own !== undefined && own.failedCount < deviceCeilingCount) {
    if (nowMs < own.nextMs) return null
    if (model.known.failedCount < knownCeilingCount)
      return { counters: [own, model.known], ends: [own, model.known] }
  }
  const { strangers, known } = model
  if (strangers.failedCount >= ceilingCount || nowMs < strangers.nextMs) return null
  return { counters: [strangers], ends: [strangers, known, ...(own === undefined ? [] : [own])] }
}

function count(counter: Counter, nowMs: number, isDelayed: boolean): void {
  counter.failedCount += 1
  counter.lastMs = nowMs
  counter.nextMs = nowMs + (isDelayed ? delayAfterMs(counter.failedCount) : 0)
}

function countBack(counter: Counter, beganMs: number): void {
  counter.failedCount = Math.max(0, counter.failedCount - 1)
  if (counter.lastMs === beganMs) counter.nextMs = beganMs
}

const step = fc.oneof(
  {
    weight: 12,
    // Many at a time: long rows of failures are what the rules are about.
    arbitrary: fc.record({
      do: fc.constant('try' as const),
      device: fc.constantFrom(0, 0, 1, 2, 3, 4, 4),
      times: fc.integer({ min: 1, max: 25 }),
      // Never less on a known device, so that its own limit in memory stands in nobody's way.
      gapMs: fc.constantFrom(0, 30_000, 3_600_000),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom('succeed' as const, 'abandon' as const, 'abandon' as const),
      which: fc.nat(9),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reset' as const) }) },
  {
    weight: 9,
    arbitrary: fc.record({
      do: fc.constant('pass' as const),
      ms: fc.constantFrom(1, 999, 1_000, 4_000, 60_000, 3_599_999, 3_600_000),
    }),
  },
)

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

const seen = {
  admitted: 0,
  refused: 0,
  strangersAtCeiling: 0,
  deviceAtCeiling: 0,
  knownAtCeiling: 0,
  abandoned: 0,
}

/** One account, real and in plain words side by side. */
class Trial {
  readonly #world: AttemptsWorld
  readonly #account: string
  readonly #cookies: readonly string[]
  readonly #model: Model = {
    strangers: newCounter(),
    known: newCounter(),
    ofDevice: [newCounter(), newCounter(), newCounter()],
  }
  #running: Running[] = []
  /** Failures since somebody was let in. */
  #inARowCount = 0

  constructor(world: AttemptsWorld, account: string) {
    this.#world = world
    this.#account = account
    // The fourth cookie belongs to somebody else, and the fifth client has none: both are strangers.
    this.#cookies = [account, account, account, 'b'].map((whose) => world.devices.issue(whose).value)
  }

  async take(one: Step): Promise<void> {
    if (one.do === 'pass') {
      this.#world.clock.nowMs += one.ms
    } else if (one.do === 'reset') {
      await this.#world.attempts.clear(this.#account, this.#world.db)
      this.#end([this.#model.strangers, this.#model.known])
    } else if (one.do === 'try') {
      for (let time = 0; time < one.times; time += 1) {
        this.#world.clock.nowMs += Math.max(one.gapMs, one.device < 3 ? 30_000 : 0)
        await this.#try(one.device)
      }
    } else {
      const [chosen] = this.#running.splice(one.which % Math.max(1, this.#running.length), 1)
      if (chosen !== undefined) await (one.do === 'abandon' ? this.#abandon(chosen) : this.#succeed(chosen))
    }
  }

  async #try(device: number): Promise<void> {
    const { clock, attempts } = this.#world
    const { strangers, known, ofDevice } = this.#model
    const expected = expectedOf(this.#model, device, clock.nowMs)
    const cookie = this.#cookies[device]
    const attempt = await tried(attempts, this.#account, cookie === undefined ? {} : { device: cookie })
    expect(typeof attempt !== 'number', JSON.stringify({ model: this.#model, device })).toBe(
      expected !== null,
    )
    if (strangers.failedCount === ceilingCount) seen.strangersAtCeiling += 1
    if (known.failedCount === knownCeilingCount) seen.knownAtCeiling += 1
    if (ofDevice[device]?.failedCount === deviceCeilingCount) seen.deviceAtCeiling += 1
    if (typeof attempt === 'number' || expected === null) {
      seen.refused += 1
      return
    }
    seen.admitted += 1
    const [first] = expected.counters
    expect(attempt.failedBeforeCount).toBe(first?.failedCount)
    for (const counter of expected.counters) count(counter, clock.nowMs, counter !== known)
    expect(attempt.isLast).toBe(first === strangers && strangers.failedCount === ceilingCount)
    this.#running.push({ attempt, ...expected, beganMs: clock.nowMs })
    this.#inARowCount += 1
    // NIST SP 800-63B-4 §3.2.2: whatever cookies somebody has, never a hundred in a row.
    expect(this.#inARowCount).toBeLessThan(100)
  }

  async #abandon({ attempt, counters, beganMs }: Running): Promise<void> {
    await attempt.abandoned()
    for (const counter of counters) countBack(counter, beganMs)
    this.#inARowCount -= 1
    seen.abandoned += 1
  }

  async #succeed({ attempt, ends }: Running): Promise<void> {
    await attempt.succeeded()
    this.#end(ends)
  }

  #end(counters: readonly Counter[]): void {
    for (const counter of counters) Object.assign(counter, newCounter())
    // What still runs belongs to the row of failures that has ended.
    this.#running = []
    this.#inARowCount = 0
  }
}

it('V6.3.1 attempts do what counters in plain words would, whatever comes in whatever order', async () => {
  const world = await attemptsWorld('sqlite')
  let round = 0
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 40, maxLength: 90, size: 'max' }), async (steps) => {
      round += 1
      const trial = new Trial(world, `a${round}`)
      for (const one of steps) await trial.take(one)
    }),
    { numRuns: 20 },
  )
  // Each case has come up, or the property would say less than it seems.
  for (const [what, times] of Object.entries(seen)) expect(times, what).toBeGreaterThan(5)
  await world.drop()
}, 60_000)
