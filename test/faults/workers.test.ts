import { createServer } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { holdfast, startHoldfast } from '../kit/command-line.ts'
import { startWorkers, threadOf, type WorkerServer } from '../kit/worker-server.ts'

const app = fileURLToPath(new URL('../fixtures/workers/app.ts', import.meta.url))

/** Asks until so many threads answer that were not there before. */
async function untilReplaced(
  { threads }: WorkerServer,
  before: ReadonlySet<number>,
): Promise<ReadonlySet<number>> {
  const endMs = performance.now() + 15_000
  for (;;) {
    const now = await threads()
    const isNew = [...now].some((thread) => !before.has(thread))
    if (isNew && now.size === before.size) return now
    expect(performance.now(), 'a worker is replaced').toBeLessThan(endMs)
    await delay(50)
  }
}

/** How many requests one scrape tells of. */
async function countedIn(server: WorkerServer): Promise<number> {
  const { text } = await server.ask('GET', '/metrics', { token: await server.logIn('root') })
  const found = /holdfast_http_requests_total\{method="GET",route="\/few",status="200"\} ([0-9]+)/.exec(text)
  return Number(found?.[1])
}

it.each(['/crash', '/exit'])(
  'V16.5.3 V15.4.2 a worker that ends (%s) is replaced, and what was counted stays',
  async (path) => {
    const server = await startWorkers(2)
    for (let count = 0; count < 50; count++) await server.ask('GET', '/few', { from: '198.51.100.1' })
    const token = await server.logIn('ann')
    expect((await server.ask('POST', '/api/auth/logout', { token })).status).toBe(204)
    const counted = await countedIn(server)
    const before = await server.threads()
    await server.ask('GET', path)
    await untilReplaced(server, before)
    // V16.3.4: a counter that goes back would be taken for a start anew.
    expect(await countedIn(server)).toBeGreaterThanOrEqual(counted)
    for (let count = 0; count < 12; count++) {
      expect((await server.ask('GET', '/few', { from: '198.51.100.1' })).status).toBe(429)
      expect((await server.ask('GET', '/api/auth/sessions', { token })).status).toBe(401)
    }
    expect((await server.stop()).code).toBe(0)
  },
  60_000,
)

it('V16.5.3 a worker without memory ends alone', async () => {
  const server = await startWorkers(2, { NODE_OPTIONS: '--max-old-space-size=200' })
  const before = await server.threads()
  await server.ask('GET', '/fill')
  await untilReplaced(server, before)
  expect((await server.stop()).code).toBe(0)
}, 60_000)

it('V16.5.3 workers that end again and again end the process, and it says so', async () => {
  const server = await startWorkers(2)
  let isOver = false
  void server.ended.then(() => {
    isOver = true
  })
  while (!isOver) {
    await server.ask('GET', '/exit')
    await delay(20)
  }
  const { code, err } = await server.ended
  expect(code).toBe(1)
  expect(err).toContain('workers have ended 5 times within a minute')
}, 60_000)

it('V16.5.3 a port that is taken is one fault, whoever has it', async () => {
  const server = await startWorkers(2)
  const other = await holdfast(['start', '--workers', '3', app], {
    environment: { ...server.environment, PORT: String(server.port) },
  })
  expect(other.code).toBe(78)
  expect(other.err.match(/is used by another process/g)).toHaveLength(1)
  const stranger = createServer()
  const port = await new Promise<number>((resolve) => {
    stranger.listen(0, '127.0.0.1', () => {
      const bound = stranger.address()
      resolve(typeof bound === 'object' && bound !== null ? bound.port : 0)
    })
  })
  const refused = await holdfast(['start', '--workers', '2', app], {
    environment: { ...server.environment, PORT: String(port) },
  })
  stranger.close()
  await server.stop()
  expect(refused.code).toBe(78)
  expect(refused.err).toContain('is used by another process')
}, 60_000)

it('V16.5.3 settings that are wrong are one report', async () => {
  const { code, err } = await holdfast(['start', '--workers', '3', app], { environment: { PORT: 'many' } })
  expect(code).toBe(78)
  expect(err.match(/PORT/g)).toHaveLength(1)
})

it('V16.5.3 a signal lets what is under way finish: no request that was taken goes without a reply', async () => {
  const server = await startWorkers(2)
  const slow = Array.from({ length: 40 }, () => server.ask('GET', '/slow'))
  await delay(200)
  server.running.signal('SIGTERM')
  const replies = await Promise.all(slow)
  expect(replies.map(({ status }) => status)).toEqual(replies.map(() => 200))
  expect(new Set(replies.map(threadOf)).size).toBe(2)
  const { code, out } = await server.ended
  expect(code).toBe(0)
  expect(out.match(/"outcome":"drained"/g)).toHaveLength(2)
}, 60_000)

it('V16.5.3 a second signal ends it at once', async () => {
  const server = await startWorkers(2)
  const slow = server.ask('GET', '/slow')
  await delay(100)
  server.running.signal('SIGINT')
  await server.running.says('stopping')
  server.running.signal('SIGINT')
  expect((await server.ended).code).toBe(130)
  await slow
}, 60_000)

it('refuses a number of workers that is none', async () => {
  for (const count of ['0', '65', '1.5', 'many']) {
    const { code, err } = await startHoldfast(['start', `--workers=${count}`, app]).ended
    expect([count, code]).toEqual([count, 2])
    expect(err).toContain('--workers is a number from 1 to 64, or auto.')
  }
})
