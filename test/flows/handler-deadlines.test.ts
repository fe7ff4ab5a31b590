import type { FastifyInstance } from 'fastify'
import { adopt, createApp, noContent, per, words } from 'holdfast'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { memberOf } from '../kit/client.ts'
import { type NotesServer, startNotes } from '../kit/notes-server.ts'

const { route, open, vocabulary } = words({
  resources: [],
  roles: [],
  limits: { many: per('hour', 100_000) },
})
const access = open('Answers the same to everybody.')
const output = z.strictObject({ ok: z.boolean() })
const Named = z.strictObject({ name: z.string().max(80) })
const limit = 'many'

/** What the handlers wait for: the test lets go of it, or does not. */
const held: {
  readonly resolve: (value: { ok: boolean }) => void
  readonly reject: (why: unknown) => void
}[] = []

/** Something that can be waited for, and is no promise. */
function waitable(
  then: (resolve: (value: unknown) => void, reject: (why: unknown) => void) => void,
): PromiseLike<never> {
  return Object.defineProperty(Object.create(null), 'then', { value: then })
}

const ends: Readonly<Record<string, () => unknown>> = {
  'a value': () => ({ ok: true }),
  'a promise': async () => ({ ok: true }),
  'something to wait for': () => waitable((resolve) => resolve({ ok: true })),
  'something late to wait for': () => waitable((resolve) => void setImmediate(() => resolve({ ok: true }))),
  'something that answers twice': () =>
    waitable((resolve, reject) => {
      resolve({ ok: true })
      resolve({ ok: false })
      reject(new TypeError('secret'))
    }),
}
const fails: Readonly<Record<string, () => unknown>> = {
  'an error thrown at once': () => {
    throw new TypeError('secret')
  },
  'an error thrown later': async () => {
    throw new TypeError('secret')
  },
  'a text thrown at once': () => {
    throw 'secret'
  },
  'nothing thrown at once': () => {
    throw undefined
  },
  'a promise that gives a text as its reason': () => Promise.reject('secret'),
  'a promise without a reason': () => Promise.reject(),
  'a promise with null as its reason': () => Promise.reject(null),
  'a promise with a frozen reason': () => Promise.reject(Object.freeze({ code: 'SECRET', secret: 1 })),
  'a promise with a reason that cannot be read': () =>
    Promise.reject(
      new Proxy(
        {},
        {
          get: () => {
            throw new TypeError('secret')
          },
        },
      ),
    ),
  'something to wait for that refuses': () => waitable((_resolve, reject) => reject('secret')),
  'something to wait for that throws': () =>
    waitable(() => {
      throw new TypeError('secret')
    }),
  'nothing returned': () => undefined,
  'nothing returned later': async () => undefined,
  'another thing returned': async () => ({ ok: 'secret' }),
  'a circle returned': () => {
    const circle: Record<string, unknown> = { ok: true }
    return Object.assign(circle, { ok: circle })
  },
}
const handlers = new Map(Object.entries({ ...ends, ...fails, never: () => waitable(() => undefined) }))

const routes = [
  route('GET /end/:name', { access, params: Named, output, limit }, ({ params }) => {
    const given: unknown = handlers.get(params.name)?.()
    // What a handler returns is checked when it runs, since an application may be written in JavaScript.
    return given as { ok: boolean }
  }),
  route(
    'GET /held',
    { access, output, limit },
    () => new Promise((resolve, reject) => held.push({ resolve, reject })),
  ),
  route('DELETE /nothing', { access, output: noContent, limit }, () => undefined),
  route('DELETE /nothing-late', { access, output: noContent, limit }, async () => undefined),
]

const soon = { limits: { handlerTimeoutMs: 80 } }
const start = (...plugins: ((fastify: FastifyInstance) => Promise<void>)[]) =>
  startNotes(createApp({ title: 'Deadlines', vocabulary, routes, http: soon, plugins }))

/** What nobody has handled: it would end the process. */
const unhandled: unknown[] = []
const note = (why: unknown): void => void unhandled.push(why)

beforeAll(() => void process.on('unhandledRejection', note))
afterAll(() => void process.off('unhandledRejection', note))
beforeEach(() => {
  unhandled.length = 0
  held.length = 0
})
afterEach(() => expect(unhandled).toEqual([]))

/** The lines about requests that are over. */
function ended({ lines }: NotesServer): readonly unknown[] {
  return lines
    .map((line): unknown => JSON.parse(line))
    .filter((line) => memberOf(line, 'msg') === 'request completed')
}

describe('what a handler gives', () => {
  let server: NotesServer
  beforeAll(async () => {
    server = await startNotes(createApp({ title: 'Deadlines', vocabulary, routes }))
  })
  afterAll(() => server.stop())

  it.each(Object.keys(ends))('is the reply: %s', async (name) => {
    const reply = await server.ask('GET', `/end/${encodeURIComponent(name)}`)
    expect([reply.status, reply.json]).toEqual([200, { ok: true }])
  })

  it.each(Object.keys(fails))('V16.5.1 V16.5.3 is a 500 that says nothing of it: %s', async (name) => {
    const reply = await server.ask('GET', `/end/${encodeURIComponent(name)}`)
    expect(reply.status).toBe(500)
    expect(reply.header('content-type')).toBe('application/problem+json')
    expect(reply.content).not.toContain('secret')
  })

  it.each(['/nothing', '/nothing-late'])('is nothing where nothing is declared: %s', async (path) => {
    const reply = await server.ask('DELETE', path)
    expect([reply.status, reply.content]).toEqual([204, ''])
  })
})

const slowHook = Object.assign(
  async (fastify: FastifyInstance): Promise<void> => {
    fastify.addHook('onSend', async (_request, _reply, payload) => payload)
  },
  { [Symbol.for('skip-override')]: true },
)

describe.each([
  ['straight', []],
  ['past a hook', [slowHook]],
] as const)('V15.2.2 V16.5.2 a handler that takes too long, when replies go %s', (_way, plugins) => {
  let server: NotesServer
  beforeEach(async () => {
    server = await start(...plugins)
  })
  afterEach(() => server.stop())

  it.each(['/held', '/end/never'])('is cut off with a 503 that says when to come back: %s', async (path) => {
    const reply = await server.ask('GET', path)
    expect(reply.status).toBe(503)
    expect(reply.header('content-type')).toBe('application/problem+json')
    expect(reply.header('retry-after')).toBe('5')
    await expect.poll(() => ended(server).length, { timeout: 5_000 }).toBe(1)
    expect(ended(server)).toEqual([expect.objectContaining({ status: 503, problem: 'UNAVAILABLE' })])
  })

  it.each(['answers', 'fails', 'fails with no error', 'gives what does not fit'])(
    'drops what comes later, when it %s',
    async (how) => {
      expect((await server.ask('GET', '/held')).status).toBe(503)
      if (how === 'answers') held[0]?.resolve({ ok: true })
      else if (how === 'gives what does not fit') held[0]?.resolve(JSON.parse('{"ok":"secret"}'))
      else held[0]?.reject(how === 'fails' ? new TypeError('late') : undefined)
      // Asked on the same connection: a second reply to the first would be read as the reply to this.
      const next = await server.ask('GET', '/end/a%20value')
      expect([next.status, next.json]).toEqual([200, { ok: true }])
      await expect.poll(() => ended(server).length, { timeout: 5_000 }).toBe(2)
    },
  )

  it('is cut off by itself alone, among many at once', async () => {
    const running = Array.from({ length: 120 }, () => server.ask('GET', '/held'))
    await expect.poll(() => held.length, { timeout: 10_000 }).toBeGreaterThan(0)
    const replies = Promise.all(running)
    // Those that are let go of in time answer, all others do not.
    let doneCount = 0
    const letGo = setInterval(() => {
      for (; doneCount < held.length; doneCount++)
        if (doneCount % 2 === 0) held[doneCount]?.resolve({ ok: true })
    }, 1)
    const statuses = (await replies).map(({ status }) => status)
    clearInterval(letGo)
    expect(statuses.filter((status) => status !== 200 && status !== 503)).toEqual([])
    expect(statuses.filter((status) => status === 503).length).toBeGreaterThanOrEqual(60)
    await expect.poll(() => ended(server).length, { timeout: 5_000 }).toBe(120)
    for (const { reject } of held) reject(new TypeError('late'))
    expect((await server.ask('GET', '/end/a%20value')).status).toBe(200)
  })
})

it('V16.5.3 a handler that answers while a hook looks at its being late does no harm', async () => {
  const server = await start(
    Object.assign(
      async (fastify: FastifyInstance): Promise<void> => {
        fastify.addHook('onError', async () => {
          held[0]?.resolve({ ok: true })
          await new Promise((resolve) => setImmediate(resolve))
        })
      },
      { [Symbol.for('skip-override')]: true },
    ),
  )
  expect((await server.ask('GET', '/held')).status).toBe(503)
  expect((await server.ask('GET', '/end/a%20value')).status).toBe(200)
  await server.stop()
})

it('V16.5.3 a reply that cannot be sent ends its connection, and nothing else', async () => {
  const server = await start(
    Object.assign(
      async (fastify: FastifyInstance): Promise<void> => {
        fastify.addHook('onRequest', async (request, { raw }) => {
          if (request.url !== '/held') return
          raw.writeHead = () => {
            throw new TypeError('a plugin has broken this')
          }
        })
      },
      { [Symbol.for('skip-override')]: true },
    ),
  )
  const asking = server.ask('GET', '/held')
  await expect.poll(() => held.length, { timeout: 5_000 }).toBe(1)
  held[0]?.resolve({ ok: true })
  await expect(asking).rejects.toThrow()
  expect((await server.ask('GET', '/end/a%20value')).status).toBe(200)
  await server.stop()
})

it('V15.2.2 a plugin’s handler that takes too long is cut off as well', async () => {
  const plugin = async (fastify: FastifyInstance): Promise<void> => {
    fastify.get('/plugin', () => new Promise(() => undefined))
  }
  const adopted = adopt('Never answers.', plugin, { access, limit })
  const app = createApp({ title: 'Deadlines', vocabulary, routes, http: soon, plugins: [adopted] })
  const server = await startNotes(app)
  const reply = await server.ask('GET', '/plugin')
  expect([reply.status, reply.header('retry-after')]).toEqual([503, '5'])
  await server.stop()
})
