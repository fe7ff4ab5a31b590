import type { FastifyInstance } from 'fastify'
import { createApp, noContent, Problem, per, words } from 'holdfast'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { type NotesServer, startNotes } from '../kit/notes-server.ts'
import { askOnWire, type WireReply } from '../kit/wire.ts'

const { route, open, vocabulary } = words({
  resources: [],
  roles: [],
  limits: { many: per('hour', 100_000) },
})
const access = open('Answers the same to everybody.')

const texts = {
  ascii: 'plain',
  empty: '',
  latin: 'Grüße, señor',
  byte: '\u00ff\u0080\u007f',
  emoji: 'a 👩‍👩‍👧 b',
  surrogate: 'left \ud83d and right \udc00',
  lines: 'a\u2028b\u2029c\r\nd"e\\f\u0000',
  long: 'ä'.repeat(70_000),
}
type Name = keyof typeof texts
const names = Object.keys(texts)
const isName = (name: string): name is Name => names.includes(name)
const Text = z.strictObject({ text: z.string().max(100_000) })
const Named = z.strictObject({ name: z.string().max(20) })
const output = Text
const textOf = (name: string): string => (isName(name) ? texts[name] : '')

const routes = [
  route('GET /text/:name', { access, params: Named, output, limit: 'many' }, ({ params }) => ({
    text: textOf(params.name),
  })),
  route('GET /late/:name', { access, params: Named, output, limit: 'many' }, async ({ params }) => ({
    text: textOf(params.name),
  })),
  route('POST /text', { access, body: Text, output, limit: 'many' }, ({ body }) => body),
  route('DELETE /text', { access, output: noContent, limit: 'many' }, () => undefined),
  route('GET /crash', { access, output, limit: 'many' }, () => {
    throw new TypeError('secret')
  }),
  route('GET /late-crash', { access, output, limit: 'many' }, async () => {
    throw new TypeError('secret')
  }),
  route('GET /conflict', { access, output, limit: 'many' }, () => {
    throw new Problem('CONFLICT', 'taken')
  }),
  route('GET /wrong', { access, output, limit: 'many' }, () => Object.create({ text: 'inherited' })),
]

type Plugin = (fastify: FastifyInstance) => Promise<void>

/** As `fastify-plugin` makes it: its hooks are put on the instance that registers it. */
function forAll(plugin: Plugin): Plugin {
  return Object.assign(plugin, { [Symbol.for('skip-override')]: true })
}

function start(...plugins: readonly Plugin[]): Promise<NotesServer> {
  return startNotes(createApp({ title: 'Direct', vocabulary, routes, plugins }))
}

function ask(
  { address }: NotesServer,
  line: string,
  fields: readonly string[] = [],
  body = '',
): Promise<WireReply> {
  return askOnWire(Number(new URL(address).port), line, fields, body)
}

/** All of a reply but what differs by the clock and by chance. */
function likenessOf({ status, fields, body }: WireReply): unknown {
  const steady = fields.filter(([name]) => name !== 'date' && !name.startsWith('ratelimit')).map(String)
  const text = body.toString('latin1').replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'id')
  return { status, fields: steady.toSorted(), text }
}

const json = ['Content-Type: application/json']
const asked: readonly (readonly [line: string, body: string])[] = [
  ...names.flatMap((name): [string, string][] => [
    [`GET /text/${name}`, ''],
    [`GET /late/${name}`, ''],
    [`HEAD /text/${name}`, ''],
  ]),
  ['POST /text', '{"text":"ü"}'],
  ['POST /text', '{"text":"ü","isAdmin":true}'],
  ['POST /text', '{'],
  ['DELETE /text', ''],
  ['GET /crash', ''],
  ['GET /late-crash', ''],
  ['GET /conflict', ''],
  ['GET /wrong', ''],
  ['GET /text/ascii?undeclared=1', ''],
  ['GET /nowhere', ''],
]

let direct: NotesServer
let long: NotesServer
const seen: string[] = []
beforeAll(async () => {
  direct = await start()
  long = await start(
    forAll(async (fastify) => {
      fastify.addHook('onSend', async (request, _reply, payload) => {
        seen.push(request.url)
        return payload
      })
    }),
  )
})
afterAll(async () => {
  await direct.stop()
  await long.stop()
})

describe('a reply that goes straight to the socket', () => {
  it('is told from one that others want to see', () => {
    expect(direct.server.fastify.edge.foreignHooks.count).toBe(0)
    expect(long.server.fastify.edge.foreignHooks.count).toBe(1)
  })

  it.each(asked)('V3.4 is the same as one that goes the long way: %s', async (line, body) => {
    const fields = body === '' ? [] : json
    const straight = await ask(direct, line, fields, body)
    const around = await ask(long, line, fields, body)
    expect(likenessOf(straight)).toEqual(likenessOf(around))
    expect(straight.values('ratelimit')).toHaveLength(1)
    expect(straight.values('ratelimit-policy')).toHaveLength(1)
  })

  it.each(names)('V4.1.1 says how many bytes it has, and has them: %s', async (name) => {
    for (const path of [`/text/${name}`, `/late/${name}`]) {
      const reply = await ask(direct, `GET ${path}`)
      expect(reply.values('content-length')).toEqual([String(reply.body.length)])
      expect(reply.values('content-type')).toEqual(['application/json; charset=utf-8'])
      expect(reply.values('transfer-encoding')).toEqual([])
      // Half a surrogate pair is no text of UTF-8, and so is written as its escape.
      expect(JSON.parse(reply.body.toString())).toEqual({ text: textOf(name) })
      const head = await ask(direct, `HEAD ${path}`)
      expect(head.values('content-length')).toEqual([String(reply.body.length)])
      expect(head.body).toHaveLength(0)
    }
  })
})

describe('hooks of others', () => {
  it('see every reply of our routes, once, when they are put on all', async () => {
    seen.length = 0
    for (const path of ['/text/ascii', '/late/ascii']) await ask(long, `GET ${path}`)
    expect(seen).toEqual(['/text/ascii', '/late/ascii'])
  })

  it('change replies of our routes, from whichever hook', async () => {
    const told: string[] = []
    const server = await start(
      forAll(async (fastify) => {
        fastify
          .addHook('onRequest', async (_request, reply) => void reply.header('x-on-request', '1'))
          .addHook('preHandler', async (_request, reply) => void reply.header('x-pre-handler', '1'))
          .addHook('onSend', async (_request, reply, payload) => {
            reply.header('x-on-send', '1').header('Content-Security-Policy', "default-src 'self'")
            return typeof payload === 'string' ? payload.replace('plain', 'changed') : payload
          })
        fastify.addHook('onResponse', async (_request, reply) => void told.push(String(reply.statusCode)))
      }),
    )
    for (const path of ['/text/ascii', '/late/ascii']) {
      const reply = await ask(server, `GET ${path}`)
      for (const name of ['x-on-request', 'x-pre-handler', 'x-on-send'])
        expect(reply.values(name)).toEqual(['1'])
      expect(reply.values('content-security-policy')).toEqual(["default-src 'self'"])
      expect(reply.body.toString()).toBe('{"text":"changed"}')
    }
    expect(told).toEqual(['200', '200'])
    await server.stop()
  })

  it.each(['onRequest', 'preValidation', 'preHandler'] as const)('answer in our place: %s', async (name) => {
    const server = await start(
      forAll(async (fastify) => {
        fastify.addHook(name, async (_request, reply) => reply.code(418).send({ text: 'mine' }))
      }),
    )
    const reply = await ask(server, 'GET /text/ascii')
    expect([reply.status, reply.body.toString()]).toEqual([418, '{"text":"mine"}'])
    await server.stop()
  })

  it('within a plugin see nothing of our routes, whose replies stay direct', async () => {
    const inside: string[] = []
    const hook: Plugin = async (fastify) => {
      fastify.addHook('onSend', async (request, _reply, payload) => {
        inside.push(request.url)
        return payload
      })
    }
    const server = await start(hook, async (fastify) => {
      await fastify.register(forAll(async (child) => hook(child)))
    })
    expect(server.server.fastify.edge.foreignHooks.count).toBe(0)
    expect((await ask(server, 'GET /text/ascii')).status).toBe(200)
    expect(inside).toEqual([])
    await server.stop()
  })

  it('are told of a reply that went straight to the socket once it is out', async () => {
    const told: unknown[] = []
    const server = await start(
      forAll(async (fastify) => {
        fastify.addHook('onResponse', async (request, reply) => {
          told.push([request.url, reply.statusCode, reply.sent])
        })
      }),
    )
    expect(server.server.fastify.edge.foreignHooks.count).toBe(0)
    for (const path of ['/text/ascii', '/late/ascii']) await ask(server, `GET ${path}`)
    expect(told).toEqual([
      ['/text/ascii', 200, true],
      ['/late/ascii', 200, true],
    ])
    await server.stop()
  })
})

describe('V3.4 fields that an application asks for', () => {
  const choices: readonly (readonly [names: string[], headers: object])[] = [
    [['x-request-id', 'api-version'], { requestId: true, apiVersion: '7' }],
    [
      ['x-request-id', 'api-version', 'x-response-time'],
      { requestId: true, apiVersion: '7', responseTime: true },
    ],
    [[], {}],
  ]
  it.each(choices)('stand once on every reply, and no others do: %j', async (expected, headers) => {
    const server = await startNotes(createApp({ title: 'Direct', vocabulary, routes, http: { headers } }))
    for (const path of ['/text/emoji', '/late/emoji', '/crash', '/nowhere', '/text/ascii?undeclared=1']) {
      const reply = await ask(server, `GET ${path}`)
      for (const name of ['x-request-id', 'api-version', 'x-response-time'])
        expect(reply.values(name).length, `${path} ${name}`).toBe(expected.includes(name) ? 1 : 0)
      expect(reply.values('x-frame-options')).toEqual(['DENY'])
    }
    await server.stop()
  })
})
