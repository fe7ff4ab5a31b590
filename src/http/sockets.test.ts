import { createServer } from 'node:http'
import { connect, type Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createLogger } from '../observe/index.ts'
import { createEdge, type Edge } from './edge.ts'
import type { EdgeOptions } from './edge-options.ts'
import type { EdgeLimits } from './limits.ts'
import { hardenedReplies } from './response.ts'

const lines: string[] = []
const options: EdgeOptions = {
  origin: new URL('http://localhost'),
  mode: 'test',
  trustedProxies: [],
  allowedOrigins: [],
  logger: createLogger({ level: 'info', destination: { write: (line) => void lines.push(line) } }),
}

async function listen(
  limits: Partial<EdgeLimits> = {},
): Promise<{ edge: Edge; port: number; handled: string[] }> {
  const edge = createEdge({ ...options, limits })
  const handled: string[] = []
  edge.fastify.get('/ok', async (request) => {
    handled.push(request.url)
    return { ok: true }
  })
  edge.fastify.post('/echo', async (request) => ({ body: request.body }))
  edge.fastify.get('/telling', async (_request, reply) => {
    reply.raw.setHeader('X-Powered-By', 'x')
    reply.raw.appendHeader('Via', 'kept')
    reply.raw.appendHeader('X-Runtime-Version', 'kept')
    return reply
      .headers({ Server: 'x', 'x-aspnet-version': 'x', 'X-B3-TraceId': 'x', SourceMap: 'x' })
      .send({})
  })
  edge.fastify.get('/half', (_request, reply) => {
    reply.hijack()
    reply.raw.writeHead(200, { 'content-length': 10 }).write('12345')
  })
  edge.fastify.head('/talkative', async () => ({ body: 'on HEAD' }))
  await edge.fastify.listen({ host: '127.0.0.1', port: 0 })
  const address = edge.fastify.server.address()
  return { edge, port: typeof address === 'object' && address !== null ? address.port : 0, handled }
}

/** Everything the server says to these bytes until it closes, or until `isEnough`. */
function exchange(
  port: number,
  bytes: string,
  isEnough = (_text: string): boolean => false,
): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    const socket: Socket = connect(port, '127.0.0.1', () => socket.write(bytes, 'latin1'))
    socket.setEncoding('latin1')
    socket.on('data', (chunk) => {
      text += String(chunk)
      if (isEnough(text)) socket.destroy()
    })
    socket.on('close', () => resolve(text))
    socket.on('error', (error: Error & { code?: string }) =>
      error.code === 'ECONNRESET' ? resolve(text) : reject(error),
    )
  })
}

function expectProblem(text: string, status: number, code: string): void {
  const [head = '', body = ''] = text.split('\r\n\r\n')
  expect(head.split('\r\n')[0]).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
  const fields = head.toLowerCase()
  for (const field of [
    'content-type: application/problem+json',
    "content-security-policy: default-src 'none'",
    'x-content-type-options: nosniff',
    'cache-control: no-store',
    'referrer-policy: no-referrer',
    'vary: origin',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
    'date: ',
  ]) {
    expect(fields).toContain(field)
  }
  expect(fields).not.toContain('strict-transport-security')
  const problem: { type: string; status: number; instance: string } = JSON.parse(body)
  expect(problem).toMatchObject({ status, type: `urn:holdfast:problem:${code}` })
  expect(lines.join('')).toContain(problem.instance)
}

describe('malformed requests', () => {
  let server: Awaited<ReturnType<typeof listen>>
  beforeAll(async () => {
    server = await listen({ headersTimeoutMs: 300, requestTimeoutMs: 600, timeoutCheckIntervalMs: 50 })
  })
  afterAll(() => server.edge.fastify.close())

  const host = 'Host: localhost\r\n'
  const post = `POST /echo HTTP/1.1\r\n${host}Content-Type: application/json\r\n`
  const closing = 'Connection: close\r\n'
  const cases: readonly (readonly [string, string, number, string])[] = [
    [
      'V4.2.1 both TE and CL',
      `${post}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      400,
      'bad-request',
    ],
    ['V4.2.1 two lengths', `${post}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}`, 400, 'bad-request'],
    ['V4.2.1 a list of lengths', `${post}Content-Length: 2, 2\r\n\r\n{}`, 400, 'bad-request'],
    ['V4.2.1 a signed length', `${post}Content-Length: +2\r\n\r\n{}`, 400, 'bad-request'],
    ['V4.2.1 an unknown coding', `${post}Transfer-Encoding: xchunked\r\n\r\n`, 400, 'bad-request'],
    ['V4.2.1 a broken chunk', `${post}Transfer-Encoding: chunked\r\n\r\nzz\r\n`, 400, 'bad-request'],
    ['V4.2.1 a bare CR', `GET /ok HTTP/1.1\r\n${host}X: a\rb\r\n\r\n`, 400, 'bad-request'],
    ['V4.2.1 a folded line', `GET /ok HTTP/1.1\r\n${host}X: a\r\n b\r\n\r\n`, 400, 'bad-request'],
    ['V4.2.1 a space before the colon', `GET /ok HTTP/1.1\r\nHost : localhost\r\n\r\n`, 400, 'bad-request'],
    ['V4.2.1 a NUL', `GET /ok HTTP/1.1\r\n${host}X: a\0b\r\n\r\n`, 400, 'bad-request'],
    ['V4.2.1 a broken method', `G@T /ok HTTP/1.1\r\n${host}\r\n`, 400, 'bad-request'],
    ['V4.2.1 no HTTP', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 400, 'bad-request'],
    ['RFC 9112 §3.2 no Host', `GET /ok HTTP/1.1\r\n${closing}\r\n`, 400, 'bad-request'],
    ['RFC 9112 §3.2 two Hosts', `GET /ok HTTP/1.1\r\n${host}${host}${closing}\r\n`, 400, 'bad-request'],
    ['RFC 9112 §3.2 an empty Host', `GET /ok HTTP/1.1\r\nHost:\r\n${closing}\r\n`, 400, 'bad-request'],
    [
      'RFC 9110 §7.4 another absolute target',
      `GET http://evil.example/ok HTTP/1.1\r\n${host}${closing}\r\n`,
      421,
      'misdirected-request',
    ],
    [
      'V15.2.2 headers over the limit',
      `GET /ok HTTP/1.1\r\n${host}X: ${'a'.repeat(30_000)}\r\n\r\n`,
      431,
      'headers-too-large',
    ],
    [
      'V15.2.2 headers just over the limit',
      `GET /ok HTTP/1.1\r\n${host}${closing}X: ${'a'.repeat(16_384)}\r\n\r\n`,
      431,
      'headers-too-large',
    ],
    [
      'V15.2.2 too many headers',
      `GET /ok HTTP/1.1\r\n${host}${closing}${'X: 1\r\n'.repeat(100)}\r\n`,
      431,
      'headers-too-large',
    ],
    [
      'V15.2.2 a long target',
      `GET /${'a'.repeat(9_000)} HTTP/1.1\r\n${host}${closing}\r\n`,
      414,
      'uri-too-long',
    ],
    [
      'V15.2.2 chunk extensions',
      `${post}Transfer-Encoding: chunked\r\n\r\n2;${'a'.repeat(20_000)}\r\n{}\r\n0\r\n\r\n`,
      413,
      'content-too-large',
    ],
    ['V15.2.2 headers that never end', `GET /ok HTTP/1.1\r\n${host}`, 408, 'request-timeout'],
    ['V15.2.2 a body that never comes', `${post}Content-Length: 2\r\n\r\n{`, 408, 'request-timeout'],
    ['V15.2.2 a silent connection', '', 408, 'request-timeout'],
    [
      'V4.1.4 CONNECT',
      `CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n`,
      501,
      'not-implemented',
    ],
  ]
  for (const [name, bytes, status, code] of cases) {
    it(`${name}: ${status}`, async () => {
      lines.length = 0
      const text = await exchange(server.port, bytes)
      if (status === 501) lines.push(text)
      expectProblem(text, status, code)
    })
  }

  it('V15.2.2 a dribbled header is cut in time', async () => {
    const { edge, port } = await listen({
      headersTimeoutMs: 200,
      requestTimeoutMs: 60_000,
      timeoutCheckIntervalMs: 50,
    })
    const startMs = performance.now()
    const socket = connect(port, '127.0.0.1')
    const timer = setInterval(() => socket.write('X: 1\r\n'), 50)
    socket.on('error', () => {})
    socket.write(`GET /ok HTTP/1.1\r\n${host}`)
    socket.resume()
    await new Promise((done) => socket.on('close', done))
    clearInterval(timer)
    expect(performance.now() - startMs).toBeLessThan(5_000)
    await edge.fastify.close()
  })

  it('V4.2.1 writes no refusal into a reply that is under way', async () => {
    const { edge, port } = await listen()
    const socket = connect(port, '127.0.0.1', () => socket.write(`GET /half HTTP/1.1\r\n${host}\r\n`))
    let text = ''
    socket.on('data', (chunk) => {
      text += String(chunk)
      socket.write('G@T / HTTP/1.1\r\n\r\n')
    })
    socket.on('error', () => {})
    await new Promise((done) => socket.on('close', done))
    expect(text.split('HTTP/1.1')).toHaveLength(2)
    expect(text).not.toContain('problem')
    await edge.fastify.close()
  })
})

describe('connections', () => {
  const host = 'Host: localhost\r\n'
  const get = `GET /ok HTTP/1.1\r\n${host}\r\n`
  const last = `GET /ok HTTP/1.1\r\n${host}Connection: close\r\n\r\n`

  it('V4.2.1 answers pipelined requests in order', async () => {
    const { edge, port } = await listen()
    const text = await exchange(port, `${get}GET /missing HTTP/1.1\r\n${host}\r\n${last}`)
    expect(text.match(/HTTP\/1.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 404', 'HTTP/1.1 200'])
    await edge.fastify.close()
  })

  it('V4.4.1 ignores upgrades to h2c and WebSocket', async () => {
    const { edge, port } = await listen()
    for (const protocol of ['h2c', 'websocket']) {
      const text = await exchange(
        port,
        `GET /ok HTTP/1.1\r\n${host}Connection: Upgrade, HTTP2-Settings, close\r\nUpgrade: ${protocol}\r\nHTTP2-Settings: AAMAAABk\r\n\r\n`,
        (reply) => reply.endsWith('{"ok":true}'),
      )
      expect(text).toMatch(/^HTTP\/1.1 200 /)
    }
    await edge.fastify.close()
  })

  it('ignores an expectation that nobody knows, and answers with every header', async () => {
    const { edge, port } = await listen()
    const text = await exchange(
      port,
      `GET /ok HTTP/1.1\r\n${host}Expect: 200-maybe\r\nConnection: close\r\n\r\n`,
    )
    expect(text).toMatch(/^HTTP\/1.1 200 /)
    expect(text).toContain('x-content-type-options: nosniff')
    await edge.fastify.close()
  })

  it('V3.4.4 makes replies with every header, also those that Fastify never sees', async () => {
    const { Reply } = hardenedReplies({ isSecure: () => false, isStopping: () => false })
    const server = createServer({ ServerResponse: Reply }, (_request, response) => response.end())
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    const address = server.address()
    const text = await exchange(typeof address === 'object' ? (address?.port ?? 0) : 0, last)
    expect(text).toContain('x-content-type-options: nosniff')
    server.close()
  })

  it('V13.4.6 drops headers that tell what the server is built of', async () => {
    const { edge, port } = await listen()
    const text = await exchange(port, `GET /telling HTTP/1.1\r\n${host}Connection: close\r\n\r\n`)
    expect(text).not.toMatch(/^(server|x-powered-by|x-aspnet-version|x-b3-traceid|sourcemap):/im)
    expect(text).toMatch(/^Via: kept/im)
    await edge.fastify.close()
  })

  it('V4.2.2 sends no body on HEAD, whatever the handler gives', async () => {
    const { edge, port } = await listen()
    const text = await exchange(
      port,
      `HEAD /talkative HTTP/1.1\r\n${host}\r\nHEAD /missing HTTP/1.1\r\n${host}\r\n${last}`,
    )
    expect(text.match(/HTTP\/1.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 404', 'HTTP/1.1 200'])
    expect(text).not.toContain('on HEAD')
    await edge.fastify.close()
  })

  it('V15.2.2 closes a connection after its quota and carries out nothing behind it', async () => {
    const { edge, port, handled } = await listen({ requestsPerConnectionCount: 2 })
    const text = await exchange(port, get + get + get + get)
    expect(text.match(/HTTP\/1.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 200'])
    expect(text.match(/connection: close/gi)).toHaveLength(1)
    expect(handled).toHaveLength(2)
    await edge.fastify.close()
  })

  it('V15.2.2 refuses connections over the cap', async () => {
    const { edge, port } = await listen({ connectionCount: 1 })
    const first = connect(port, '127.0.0.1')
    await new Promise((done) => first.once('connect', done))
    expect(await exchange(port, last)).toBe('')
    expect(lines.join('')).toContain('too many are open')
    first.destroy()
    await edge.fastify.close()
  })

  it('V15.2.2 cuts a connection on which nothing moves', async () => {
    const { edge, port } = await listen({ socketIdleTimeoutMs: 100 })
    expect(await exchange(port, `GET /half HTTP/1.1\r\n${host}\r\n`)).toMatch(/^HTTP\/1.1 200 /)
    await edge.fastify.close()
  })

  it('V15.2.2 sheds when the event loop is really late, and recovers', async () => {
    const edge = createEdge({ ...options, shedding: { settings: { thresholdMs: 100, windowMs: 50 } } })
    edge.fastify.get('/ok', async () => ({}))
    await edge.fastify.ready()
    const status = async (): Promise<number> => (await edge.fastify.inject({ url: '/ok' })).statusCode
    expect(await status()).toBe(200)
    // The monitor reports a delay once its next tick is over, so it gets to run between the late and the question.
    await new Promise((done) => setTimeout(done, 30))
    const untilMs = performance.now() + 400
    while (performance.now() < untilMs);
    await new Promise((done) => setTimeout(done, 30))
    expect(await status()).toBe(503)
    await expect.poll(status, { interval: 60, timeout: 5_000 }).toBe(200)
    await edge.fastify.close()
  })
})
