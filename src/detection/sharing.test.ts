import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { failedLogin, request, type Step } from '../../test/corpus/steps.ts'
import { startRedis, type TestRedis, until } from '../../test/kit/redis.ts'
import { Secret } from '../base/index.ts'
import { redisCounts, type SharedCounts } from '../limits/index.ts'
import { createDetection, type Detection, type Finding } from './index.ts'

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
