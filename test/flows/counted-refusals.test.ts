import { connect } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { adopt, createApp, per, words } from 'holdfast'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { Answer } from '../kit/client.ts'
import { type NotesServer, startNotes } from '../kit/notes-server.ts'

const { route, open, signedIn, vocabulary } = words({
  resources: [],
  roles: [],
  limits: {
    plain: per('hour', 5),
    few: per('hour', 1_000, { concurrentCount: 2 }),
    guess: per('hour', 3, { by: ['address'], counts: 'failures' }),
    unknown: per('hour', 4, { by: ['address'] }),
  },
})

const Ok = z.strictObject({ ok: z.boolean() })
const Text = z.strictObject({ text: z.string().max(20) })
const anyone = open('Answers the same to everybody.')
const ok = () => ({ ok: true })
const routes = [
  route('GET /plain', { access: signedIn(), output: Ok, limit: 'plain' }, ok),
  route('POST /plain', { access: anyone, body: Text, output: Ok, limit: 'plain' }, ok),
  route('POST /few', { access: anyone, body: Text, output: Ok, limit: 'few' }, ok),
  route('POST /guess', { access: anyone, body: Text, output: Ok, limit: 'guess' }, ok),
]
const plugin = async (fastify: FastifyInstance): Promise<void> => {
  fastify.addContentTypeParser('text/plain', { parseAs: 'string' }, (_request, body, done) =>
    done(null, body),
  )
  fastify.post('/text', async (request) => `read ${String(request.body)}`)
}
const plugins = [adopt('Reads texts.', plugin, { access: anyone, limit: 'plain' })]
const app = createApp({ title: 'Counted', vocabulary, routes, plugins })
const encodings = ['gzip', 'br', 'deflate, gzip', 'x-unheard-of']

let server: NotesServer
beforeEach(async () => {
  server = await startNotes(app)
})
afterEach(() => server.stop())

function packed(path: string, encoding: string): Promise<Answer> {
  return server.ask('POST', path, { body: { text: 'a' }, headers: { 'content-encoding': encoding } })
}

function plain(path: string): Promise<Answer> {
  return server.ask('POST', path, { body: { text: 'a' } })
}

describe('V2.4.1 a request whose body is encoded', () => {
  it.each(encodings)('is refused and counted: %s', async (encoding) => {
    const first = await packed('/plain', encoding)
    expect(first.status).toBe(415)
    expect(first.header('ratelimit')).toBe('"plain";r=4')
    for (let index = 0; index < 4; index++) await packed('/plain', encoding)
    expect((await packed('/plain', encoding)).status).toBe(429)
    expect((await plain('/plain')).status).toBe(429)
  })

  it('V15.2.2 gives back the place that it took among those under way', async () => {
    for (let index = 0; index < 6; index++) expect((await packed('/few', 'gzip')).status).toBe(415)
    expect((await plain('/few')).status).toBe(201)
  })

  it('is a failure where failures are counted', async () => {
    for (let index = 0; index < 3; index++) expect((await packed('/guess', 'gzip')).status).toBe(415)
    expect((await plain('/guess')).status).toBe(429)
  })

  it('is taken as it is where the encoding is none', async () => {
    expect((await packed('/plain', 'identity')).status).toBe(201)
  })

  it('is refused and counted before its credential is held against the route', async () => {
    const headers = { 'content-encoding': 'gzip' }
    const reply = await server.ask('GET', '/plain', { headers })
    expect([reply.status, reply.header('ratelimit')]).toEqual([415, '"plain";r=4'])
  })

  it('is refused for a plugin that reads its bodies itself, too', async () => {
    const headers = { 'content-type': 'text/plain' }
    expect((await server.ask('POST', '/text', { raw: 'a', headers })).content).toBe('read a')
    const packed = await server.ask('POST', '/text', {
      raw: 'a',
      headers: { ...headers, 'content-encoding': 'gzip' },
    })
    expect(packed.status).toBe(415)
  })
})

describe('V2.4.1 what no route takes', () => {
  const asked: readonly (readonly [string, string, number])[] = [
    ['GET', '/nowhere', 404],
    ['PUT', '/plain', 405],
    ['PROPFIND', '/plain', 501],
    ['POST', '/nowhere', 404],
  ]

  it.each(asked)('is refused as before, and counted: %s %s', async (method, path, status) => {
    const statuses: number[] = []
    for (let index = 0; index < 6; index++) statuses.push((await server.ask(method, path)).status)
    expect(statuses).toEqual([status, status, status, status, 429, 429])
    // The limit of what is nowhere is no limit of what is somewhere.
    expect((await plain('/plain')).status).toBe(201)
  })

  it('counts all of it together, and says how it stands', async () => {
    const replies: Answer[] = []
    for (const [method, path] of asked) replies.push(await server.ask(method, path))
    expect(replies.map(({ status }) => status)).toEqual(asked.map(([, , status]) => status))
    expect(replies.map((reply) => reply.header('ratelimit'))).toEqual(
      [3, 2, 1, 0].map((left) => expect.stringContaining(`"unknown";r=${left}`)),
    )
    expect((await server.ask('OPTIONS', '/plain')).status).toBe(429)
  })

  it('stays a 404 when its body is encoded, however that is', async () => {
    for (const encoding of encodings) expect((await packed('/nowhere', encoding)).status).toBe(404)
    expect((await packed('/nowhere', 'gzip')).status).toBe(429)
  })

  it('answers OPTIONS with what there is', async () => {
    const reply = await server.ask('OPTIONS', '/plain')
    expect(reply.status).toBe(204)
    expect(reply.header('allow')).toMatch(/GET/)
    expect(reply.header('allow')).toMatch(/POST/)
  })

  it('reads nothing of a body before the refusal', async () => {
    const { hostname, port } = new URL(server.address)
    const socket = connect(Number(port), hostname)
    socket.setEncoding('latin1')
    let text = ''
    socket.on('data', (chunk) => {
      text += String(chunk)
    })
    const fields = [`Host: ${hostname}:${port}`, 'Content-Type: application/json', 'Content-Length: 1000000']
    // Of a megabyte that is announced, not one byte is sent.
    socket.write(`POST /nowhere HTTP/1.1\r\n${fields.join('\r\n')}\r\n\r\n`)
    await expect.poll(() => text, { timeout: 5_000 }).toMatch(/^HTTP\/1\.1 404 /)
    socket.destroy()
  })
})
