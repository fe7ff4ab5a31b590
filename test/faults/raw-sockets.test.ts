import { connect } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { memberOf, requiredHeaders } from '../kit/client.ts'
import { type NotesServer, type Person, startNotes } from '../kit/notes-server.ts'
import { exchange, type RawReply } from './raw-exchange.ts'

// The bare edge has its own such tests; these are about the whole application and what only it can show: that
// nothing of what was smuggled has been carried out, that a credential does not help, that others are still served.

let notes: NotesServer
let ann: Person
let port: number
let head: string
let noteCount = 0
beforeAll(async () => {
  notes = await startNotes()
  ann = notes.person('ann')
  port = Number(new URL(notes.address).port)
  head = `Host: 127.0.0.1:${port}\r\nAuthorization: Bearer ${ann.token}\r\n`
})
afterAll(() => notes.stop())
afterEach(async () => {
  // Another client is served, and no refused request has made a note.
  const listed = await ann.ask('GET', '/api/notes?limit=100')
  expect(listed.status).toBe(200)
  expect(memberOf(listed.json, 'items')).toHaveLength(noteCount)
})

const close = 'Connection: close\r\n'
const json = 'Content-Type: application/json\r\n'
const note = '{"title":"smuggled","body":""}'
const chunkOf = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`
const post = (): string => `POST /api/notes HTTP/1.1\r\n${head}${json}`
const get = (target = '/', more = ''): string => `GET ${target} HTTP/1.1\r\n${head}${more}\r\n`

function expectProblem(reply: RawReply | undefined, status: number): void {
  expect(reply?.status).toBe(status)
  expect(reply?.fields.get('content-type')).toBe('application/problem+json')
  expect(memberOf(JSON.parse(reply?.body ?? ''), 'status')).toBe(status)
}

function expectHeaders(replies: readonly RawReply[]): void {
  for (const { status, fields } of replies) {
    // An interim reply has no fields of its own.
    if (status === 100) continue
    for (const name of requiredHeaders) expect([name, fields.has(name)]).toEqual([name, true])
    expect(fields.get('date')).toBeDefined()
  }
}

/** Requests that are answered once, with a problem, on a connection that is closed then. */
const refused: readonly (readonly [string, () => string, number])[] = [
  [
    'V4.2.1 Content-Length beside Transfer-Encoding',
    () => `${post()}Content-Length: ${note.length}\r\nTransfer-Encoding: chunked\r\n\r\n${note}`,
    400,
  ],
  [
    'V4.2.1 Transfer-Encoding beside Content-Length',
    () =>
      `${post()}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n${chunkOf(note)}0\r\n\r\n${get('/api/notes')}`,
    400,
  ],
  [
    'V4.2.1 two lengths that differ',
    () => `${post()}Content-Length: ${note.length}\r\nContent-Length: 0\r\n\r\n${note}`,
    400,
  ],
  [
    'V4.2.1 two lengths that agree',
    () => `${post()}Content-Length: ${note.length}\r\nContent-Length: ${note.length}\r\n\r\n${note}`,
    400,
  ],
  ['V4.2.1 a negative length', () => `${post()}Content-Length: -1\r\n\r\n${note}`, 400],
  ['V4.2.1 a hexadecimal length', () => `${post()}Content-Length: 0x1e\r\n\r\n${note}`, 400],
  ['V4.2.1 an endless length', () => `${post()}Content-Length: 99999999999999999999\r\n\r\n${note}`, 400],
  [
    'V4.2.1 chunked twice',
    () => `${post()}Transfer-Encoding: chunked, chunked\r\n\r\n${chunkOf(note)}0\r\n\r\n`,
    400,
  ],
  [
    'V4.2.1 chunked and then something else',
    () => `${post()}Transfer-Encoding: chunked, identity\r\n\r\n${chunkOf(note)}0\r\n\r\n`,
    400,
  ],
  ['V4.2.1 a chunk size with a sign', () => `${post()}Transfer-Encoding: chunked\r\n\r\n+1e\r\n${note}`, 400],
  ['V4.2.1 a chunk size with 0x', () => `${post()}Transfer-Encoding: chunked\r\n\r\n0x1e\r\n${note}`, 400],
  [
    'V4.2.1 a chunk longer than it says',
    () => `${post()}Transfer-Encoding: chunked\r\n\r\n1\r\n${note}\r\n0\r\n\r\n`,
    400,
  ],
  [
    'V4.2.1 a chunk size over 64 bits',
    () => `${post()}Transfer-Encoding: chunked\r\n\r\n1ffffffffffffffff\r\n${note}`,
    400,
  ],
  [
    'V4.2.1 chunks that end lines with LF alone',
    () => `${post()}Transfer-Encoding: chunked\r\n\r\n1e\n${note}\n0\n\n`,
    400,
  ],
  ['V4.2.1 a bare CR in a field', () => get('/', 'X-A: b\rX-C: d\r\n'), 400],
  ['V4.2.1 a folded field', () => get('/', 'X-A: b\r\n\tc\r\n'), 400],
  ['V4.2.1 a space before the colon', () => get('/', 'X-A : b\r\n'), 400],
  ['V4.2.1 a field without a name', () => get('/', ': b\r\n'), 400],
  ['V4.2.1 a field without a colon', () => get('/', 'nothing\r\n'), 400],
  ['V4.2.1 a space before the first field', () => `GET / HTTP/1.1\r\n Host: x\r\n${head}\r\n`, 400],
  ['V4.2.1 a NUL in the target', () => get('/\0'), 400],
  ['V4.2.1 an escaped NUL in a parameter', () => get('/api/notes/%00', close), 400],
  ['V4.2.1 a method in lower case', () => `get / HTTP/1.1\r\n${head}\r\n`, 400],
  ['V4.2.1 a method that nobody knows', () => `BREW / HTTP/1.1\r\n${head}\r\n`, 400],
  ['V4.2.1 HTTP/0.9', () => 'GET /\r\n\r\n', 400],
  ['V4.2.1 HTTP/3.0', () => `GET / HTTP/3.0\r\n${head}\r\n`, 400],
  ['V4.2.1 the preface of HTTP/2', () => 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400],
  ['RFC 9112 §3.2 two Hosts that agree', () => get('/', `Host: 127.0.0.1:${port}\r\n${close}`), 400],
  ['RFC 9112 §3.2 two Hosts that differ', () => get('/', `Host: evil.example\r\n${close}`), 400],
  ['RFC 9112 §3.2 no Host', () => `GET / HTTP/1.1\r\n${close}\r\n`, 400],
  ['RFC 9112 §3.2 a Host with a path', () => `GET / HTTP/1.1\r\nHost: 127.0.0.1/a\r\n${close}\r\n`, 400],
  ['RFC 9110 §7.4 another Host', () => `GET / HTTP/1.1\r\nHost: evil.example\r\n${close}\r\n`, 421],
  ['RFC 9110 §7.4 our Host, another port', () => `GET / HTTP/1.1\r\nHost: 127.0.0.1:1\r\n${close}\r\n`, 421],
  ['RFC 9110 §7.4 another absolute target', () => get('http://evil.example/api/notes', close), 421],
  [
    'RFC 9110 §7.4 an absolute target with a name in front',
    () => get(`http://ann@127.0.0.1:${port}/`, close),
    400,
  ],
  ['V4.1.4 CONNECT', () => `CONNECT 127.0.0.1:${port} HTTP/1.1\r\n${head}\r\n`, 501],
  ['V4.1.4 TRACE', () => `TRACE / HTTP/1.1\r\n${head}${close}\r\n`, 501],
  ['V15.2.2 a target that is too long', () => get(`/?${'a'.repeat(8_200)}`, close), 414],
  ['V15.2.2 fields that are too long', () => get('/', `X-A: ${'a'.repeat(40_000)}\r\n`), 431],
  ['V15.2.2 fields that are too many', () => get('/', `${close}${'X-A: b\r\n'.repeat(101)}`), 431],
  ['V15.2.2 a length that is too large', () => `${post()}Content-Length: 1048577\r\n\r\n${note}`, 413],
  [
    'V15.2.2 chunks that are too large together',
    () => `${post()}Transfer-Encoding: chunked\r\n\r\n${chunkOf(' '.repeat(65_536)).repeat(17)}0\r\n\r\n`,
    413,
  ],
]

describe('a request that is refused', () => {
  for (const [name, bytes, status] of refused) {
    it(`${name}: ${status}`, async () => {
      const { replies } = await exchange(port, bytes())
      expect(replies.map((reply) => reply.status)).toEqual([status])
      expectProblem(replies[0], status)
      expectHeaders(replies)
      expect(replies[0]?.fields.get('connection')).toBe('close')
    })
  }
})

describe('a request that is served', () => {
  it('RFC 9112 §3.2.2 with our authority in an absolute target', async () => {
    const { replies } = await exchange(port, get(`http://127.0.0.1:${port}/`, close))
    expect(replies.map(({ status }) => status)).toEqual([200])
    expectHeaders(replies)
  })

  it('V4.2.1 in a row of three: answered in order, the last one closes', async () => {
    const { replies } = await exchange(port, `${get('/')}${get('/nothing')}${get('/health/live', close)}`)
    expect(replies.map(({ status }) => status)).toEqual([200, 404, 200])
    expect(replies.map(({ body }) => body.slice(0, 8))).toEqual(['{"name":', '{"type":', '{"status'])
    expectHeaders(replies)
  })

  it('V4.2.1 in front of a malformed one: that one alone is refused', async () => {
    const { replies } = await exchange(port, `${get('/')}GET / HTTP/1.1\r\nX : y\r\n\r\n${get('/')}`)
    expect(replies.at(-1)?.status).toBe(400)
    expect(replies.length).toBeLessThanOrEqual(2)
    expectHeaders(replies)
  })

  it('V4.2.1 with a body beyond its Content-Length: the rest is no part of it', async () => {
    const { replies } = await exchange(port, [`${post()}Content-Length: 2\r\n\r\n{}`, `${note}\r\n\r\n`])
    // The body {} lacks both members, and what follows is no request.
    expect(replies.map(({ status }) => status)).toEqual([400, 400])
    expectHeaders(replies)
    expect(replies[1]?.fields.get('connection')).toBe('close')
  })

  it('V4.2.1 with a body that ends before its Content-Length: nothing is done', async () => {
    const socket = connect(port, '127.0.0.1')
    await new Promise((done) => socket.once('connect', done))
    socket.resume()
    socket.end(`${post()}Content-Length: ${note.length + 1}\r\n\r\n${note}`)
    await new Promise((done) => socket.once('close', done))
  })

  it('RFC 9112 §7.1 in chunks, whose trailer is no header', async () => {
    const trailer = 'Authorization: Bearer x\r\nIf-Match: "9"\r\n'
    const body = `${chunkOf(note.slice(0, 7))}${chunkOf(note.slice(7))}0\r\n${trailer}\r\n`
    const { replies } = await exchange(port, `${post()}${close}Transfer-Encoding: chunked\r\n\r\n${body}`)
    expect(replies.map(({ status }) => status)).toEqual([201])
    noteCount++
  })

  it('RFC 9110 §10.1.1 after 100 Continue', async () => {
    const expecting = `${post()}${close}Expect: 100-continue\r\nContent-Length: ${note.length}\r\n\r\n`
    const { replies } = await exchange(port, [expecting, note])
    expect(replies.map(({ status }) => status)).toEqual([100, 201])
    expectHeaders(replies)
    noteCount++
  })

  it('V4.4.1 without becoming another protocol', async () => {
    const upgrade = 'Connection: Upgrade, close\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n'
    const { replies } = await exchange(port, get('/', upgrade))
    expect(replies.map(({ status }) => status)).toEqual([200])
  })

  it('V15.2.2 while hundreds of connections say nothing or half a header', async () => {
    const sockets = Array.from({ length: 300 }, (_, index) => {
      const socket = connect(port, '127.0.0.1', () => {
        if (index % 2 === 0) socket.write(`GET / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nX-A`)
      })
      socket.on('error', () => {})
      return socket
    })
    await Promise.all(sockets.map((socket) => new Promise((done) => socket.once('connect', done))))
    expect((await exchange(port, get('/', close))).replies.map(({ status }) => status)).toEqual([200])
    for (const socket of sockets) socket.destroy()
  })
})
