import { randomBytes } from 'node:crypto'
import { createApp, per, words } from 'holdfast'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { type NotesServer, startNotes } from '../kit/notes-server.ts'
import { startRedis, type TestRedis } from '../kit/redis.ts'

const { route, signedIn, vocabulary } = words({
  resources: [],
  roles: [],
  limits: {
    hundred: per('hour', 100, { by: ['account'] }),
    strict: per('hour', 100, { by: ['account'], outage: 'strict' }),
    guess: per('hour', 3, { by: ['account'], counts: 'failures' }),
  },
})
const Ok = z.strictObject({ ok: z.boolean() })
const access = signedIn()
const ok = () => ({ ok: true })
const app = createApp({
  title: 'Shared',
  vocabulary,
  routes: [
    route('GET /hundred', { access, output: Ok, limit: 'hundred' }, ok),
    route('GET /strict', { access, output: Ok, limit: 'strict' }, ok),
    route(
      'GET /guess',
      { access, query: z.strictObject({ x: z.string().max(9) }), output: Ok, limit: 'guess' },
      ok,
    ),
  ],
  // The first node learns of the second with its next heartbeat, which can be two seconds away.
  http: { rateLimits: { redisTimeoutMs: 250, leastNodeCount: 2 } },
})

describe('two servers with one Redis', () => {
  let redis: TestRedis
  let nodes: readonly NotesServer[] = []
  beforeAll(async () => {
    redis = await startRedis()
    // One secret: the nodes of one application name their buckets alike.
    const environment = {
      REDIS_URL: redis.url.reveal(),
      HOLDFAST_SECRET: randomBytes(32).toString('base64'),
    }
    nodes = [
      await startNotes(app, 'sqlite', undefined, environment),
      await startNotes(app, 'sqlite', undefined, environment),
    ]
  })
  afterAll(async () => {
    for (const node of nodes) await node.stop()
    await redis.stop()
  })

  /** Sends so many at once as one person, half of them to each node, and counts what passes. */
  async function passing(name: string, path: string, count: number): Promise<number> {
    const asked = Array.from({ length: count }, (_, index) => {
      const node = nodes[index % nodes.length]
      return node?.person(name).ask('GET', path)
    })
    const replies = await Promise.all(asked)
    for (const reply of replies) expect([200, 429]).toContain(reply?.status)
    return replies.filter((reply) => reply?.status === 200).length
  }

  it('V2.4.1 V15.4.2 admits what one server would, to the request', async () => {
    expect(await passing('ann', '/hundred', 400)).toBe(100)
    expect(await passing('ben', '/hundred', 400)).toBe(100)
  })

  it('V2.4.1 gives back on one what ended well on the other', async () => {
    for (let index = 0; index < 12; index++) {
      expect((await nodes[index % 2]?.person('cleo').ask('GET', '/guess?x=a'))?.status).toBe(200)
    }
    for (let index = 0; index < 3; index++)
      expect((await nodes[index % 2]?.person('cleo').ask('GET', '/guess'))?.status).toBe(400)
    expect((await nodes[1]?.person('cleo').ask('GET', '/guess?x=a'))?.status).toBe(429)
  })

  it('V16.5.2 V16.5.3 goes on with a share each without Redis, says so once, and shares again', async () => {
    await redis.stop()
    // Whoever comes first finds out; from then on nobody waits.
    await passing('finder', '/hundred', 2)
    expect(await passing('dora', '/hundred', 400)).toBe(100)
    expect(await passing('dora', '/strict', 400)).toBe(50)
    const said = (text: string) =>
      nodes.map(({ lines }) => lines.filter((line) => line.includes(text)).length)
    expect(said('limits are no longer shared')).toEqual([1, 1])
    await redis.start()
    await expect.poll(() => said('limits are shared again'), { timeout: 15_000 }).toEqual([1, 1])
    // What was admitted meanwhile counts.
    expect(await passing('dora', '/hundred', 100)).toBe(0)
    expect(await passing('emil', '/hundred', 400)).toBe(100)
  })
})
