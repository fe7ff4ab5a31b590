import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { failedLogin, request, type Step } from '../../test/corpus/steps.ts'
import { startRedis, type TestRedis, until } from '../../test/kit/redis.ts'
import { Secret } from '../base/index.ts'
import { type CountDelta, redisCounts, type SharedCounts } from '../limits/index.ts'
import { detectors } from './detectors.ts'
import { createDetection, type Detection, type Finding } from './index.ts'
import { Sharing } from './sharing.ts'

const key = new Secret(Buffer.alloc(32, 7))
const stranger = { address: '203.0.113.9', userAgent: 'x', userId: null, sessionId: null }

interface Node {
  readonly found: Finding[]
  readonly detection: Detection
  readonly shared: SharedCounts
  readonly play: (steps: readonly Step[]) => void
}

let redis: TestRedis
const nodes: Node[] = []
beforeAll(async () => {
  redis = await startRedis()
})
afterEach(async () => {
  for (const { detection, shared } of nodes.splice(0)) {
    await detection.close()
    await shared.close()
  }
  await redis.cli('flushall').catch(() => undefined)
})
afterAll(() => redis.stop())

async function node(): Promise<Node> {
  const found: Finding[] = []
  const shared = redisCounts({ url: redis.url, key, timeoutMs: 10_000 })
  await shared.ready()
  const detection = createDetection({ shared, onFinding: (finding) => found.push(finding) })
  const play = (steps: readonly Step[]): void => {
    for (const step of steps)
      if ('request' in step) detection.observeRequest(step.request)
      else detection.observeEvents([step.event])
  }
  const made = { found, detection, shared, play }
  nodes.push(made)
  return made
}

function guesses(count: number): readonly Step[] {
  return Array.from({ length: count }, (_, index) =>
    failedLogin(
      Date.now(),
      { ...stranger, address: `198.51.100.${index}` },
      { userId: 'victim', pseudonym: 'p' },
    ),
  ).flat()
}

function paths(from: number, count: number): readonly Step[] {
  return Array.from({ length: count }, (_, index) =>
    request(Date.now(), stranger, { route: null, target: `/a/${from + index}`, problem: 'NOT_FOUND' }),
  )
}

describe('detection on several nodes', () => {
  it('V6.3.5 V15.4.2 finds what no node would find by itself, and one of them tells it', async () => {
    const [one, two] = [await node(), await node()]
    one.play(guesses(7))
    two.play(guesses(7))
    await until('one of them has found it', () => one.found.length + two.found.length > 0)
    await one.detection.close()
    await two.detection.close()
    expect([...one.found, ...two.found]).toMatchObject([{ detector: 'brute-force-account', count: 14 }])
  })

  it('V15.4.2 counts what both have seen as one', async () => {
    const [one, two] = [await node(), await node()]
    one.play(paths(0, 30))
    two.play(paths(0, 30))
    await one.detection.close()
    await two.detection.close()
    expect([...one.found, ...two.found]).toEqual([])
    const third = await node()
    third.play(paths(30, 10))
    await third.detection.close()
    expect(third.found).toMatchObject([{ detector: 'forced-browsing', count: 40 }])
  })

  it('V15.4.2 tells what each of them has found only once', async () => {
    const [one, two] = [await node(), await node()]
    one.play(guesses(12))
    two.play(guesses(12))
    await one.detection.close()
    await two.detection.close()
    expect([...one.found, ...two.found]).toHaveLength(1)
  })

  it('V16.5.2 goes on alone while Redis is away, and no one gets an error', async () => {
    const one = await node()
    await redis.stop()
    one.play(guesses(12))
    await until('it is found', () => one.found.length === 1)
    one.play(paths(0, 40))
    await until('so is the next', () => one.found.length === 2)
    await one.detection.close()
    await redis.start()
  })
})

/** A store that answers when it is told to: nothing else can be slower than a client waits, and still answer. */
function slowStore() {
  const sent: (readonly CountDelta[])[] = []
  let answer: (() => void) | undefined
  const shared: SharedCounts = {
    async add(deltas) {
      sent.push(deltas)
      await new Promise<void>((resolve) => {
        answer = resolve
      })
      return deltas.map(() => 0)
    },
    claim: async () => true,
    ready: async () => undefined,
    close: async () => undefined,
  }
  return { sent, shared, answer: () => answer?.() }
}

describe('sharing with a store that is slow', () => {
  const detector = detectors.find(({ name }) => name === 'forced-browsing')
  const counted = (subject: string, value: string) => {
    expect(detector).toBeDefined()
    return detector === undefined ? [] : [{ detector, subject, value, isAllowance: false }]
  }

  it('V15.2.2 piles nothing up: what was counted meanwhile leaves together, once the answer is there', async () => {
    vi.useFakeTimers()
    try {
      const { sent, shared, answer } = slowStore()
      const sharing = new Sharing(
        shared,
        () => undefined,
        () => undefined,
      )
      for (let round = 0; round < 50; round++) {
        for (const one of counted(`198.51.100.${round % 5}`, `/${round}`)) sharing.add(one)
        await vi.advanceTimersByTimeAsync(1_000)
      }
      expect(sent).toHaveLength(1)
      answer()
      await vi.advanceTimersByTimeAsync(1_000)
      expect(sent).toHaveLength(2)
      // Five addresses are five counts, however often they came in fifty seconds.
      expect(sent[1]).toHaveLength(5)
      const closing = sharing.close()
      answer()
      await closing
    } finally {
      vi.useRealTimers()
    }
  })

  it('V15.2.2 holds so many values for all subjects together', async () => {
    const { sent, shared, answer } = slowStore()
    const sharing = new Sharing(
      shared,
      () => undefined,
      () => undefined,
    )
    for (let subject = 0; subject < 200; subject++)
      for (let value = 0; value < 500; value++)
        for (const one of counted(`198.51.100.${subject}`, `/${value}`)) sharing.add(one)
    const closing = sharing.close()
    await until('it is sent', () => sent.length === 1)
    answer()
    await closing
    const values = (sent[0] ?? []).flatMap((delta) => (delta.kind === 'different' ? delta.values : []))
    expect(values).toHaveLength(20_000)
  })
})
