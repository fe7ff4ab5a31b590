import { Readable } from 'node:stream'
import type { FastifyReply } from 'fastify'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { askOnWire, bytesFrom, replyIn, type WireReply } from '../../test/kit/wire.ts'
import { Problem } from '../errors/index.ts'
import { createLogger } from '../observe/index.ts'
import { createEdge, type Edge } from './edge.ts'
import { securityHeaders, tellingHeaders } from './headers.ts'
import { HardenedReply } from './response.ts'

const block = securityHeaders(false)
const telling = { 'X-Powered-By': 'Express', server: 'x', 'X-ASPNET-Version': 'x' }
const mixed = {
  'Cache-Control': 'max-age=60',
  'CONTENT-SECURITY-POLICY': "default-src 'self'",
  Vary: 'Accept',
  RateLimit: 'upstream',
}
type Handler = (reply: FastifyReply) => unknown

/** Writes a head behind Fastify's back, as proxies and file servers do. */
const hijacked =
  (write: (reply: FastifyReply['raw']) => unknown): Handler =>
  (reply) => {
    reply.hijack()
    write(reply.raw)
    reply.raw.end('x')
  }
const own = (reply: FastifyReply): void => {
  if (reply.raw instanceof HardenedReply)
    reply.raw.addOwn({ ratelimit: '"a";r=1', 'ratelimit-policy': '"a";q=2' })
}

const routes: Readonly<Record<string, Handler>> = {
  json: (reply) => reply.send({ ok: true }),
  text: (reply) => reply.type('text/plain').send('x'),
  nothing: (reply) => reply.code(204).send(),
  unchanged: (reply) => reply.code(304).send(),
  redirect: (reply) => reply.redirect('/json', 303),
  stream: (reply) => reply.send(Readable.from(['a', 'b'])),
  crash: () => Promise.reject(new TypeError('secret')),
  problem: (reply) => {
    reply.headers({ etag: '"1"', 'content-encoding': 'gzip', 'cache-control': 'max-age=60', vary: 'Accept' })
    reply.removeHeader('x-frame-options')
    reply.raw.removeHeader('x-content-type-options')
    reply.raw.setHeader('content-security-policy', "default-src 'self'")
    throw new Problem('CONFLICT', 'half done')
  },
  bare: hijacked(() => undefined),
  object: hijacked((raw) => raw.writeHead(200, telling)),
  reason: hijacked((raw) => raw.writeHead(200, 'Fine', { ...telling, 'x-kept': '1' })),
  list: hijacked((raw) => raw.writeHead(200, Object.entries({ ...telling, 'x-kept': '1' }).flat())),
  pairs: hijacked((raw) =>
    Reflect.apply(raw.writeHead, raw, [200, Object.entries({ ...telling, 'x-kept': '1' })]),
  ),
  afterSet: hijacked((raw) => raw.setHeader('x-kept', '1').writeHead(200, telling)),
  listAfterSet: hijacked((raw) =>
    raw.setHeader('x-kept', '1').writeHead(200, Object.entries(telling).flat()),
  ),
  headers: hijacked((raw) => raw.setHeaders(new Headers({ ...telling, 'x-kept': '1' }))),
  appended: hijacked((raw) => raw.appendHeader('X-Powered-By', 'x').appendHeader('x-kept', '1')),
  flushed: hijacked((raw) => raw.flushHeaders()),
  inherited: hijacked((raw) => raw.writeHead(200, Object.create({ 'x-frame-options': 'SAMEORIGIN' }))),
}
const changing: Readonly<Record<string, Handler>> = {
  set: (reply) => reply.headers(mixed).send('x'),
  raw: hijacked((raw) => {
    for (const [name, value] of Object.entries(mixed)) raw.setHeader(name, value)
  }),
  object: hijacked((raw) => raw.writeHead(200, mixed)),
  list: hijacked((raw) => raw.writeHead(200, Object.entries(mixed).flat())),
  pairs: hijacked((raw) => Reflect.apply(raw.writeHead, raw, [200, Object.entries(mixed)])),
  objectAfterSet: hijacked((raw) => raw.setHeader('x-kept', '1').writeHead(200, mixed)),
  listAfterSet: hijacked((raw) => raw.setHeader('x-kept', '1').writeHead(200, Object.entries(mixed).flat())),
  setTwice: hijacked((raw) => {
    raw.setHeader('cache-control', 'max-age=1').setHeader('x-kept', '1')
    raw.writeHead(200, mixed)
  }),
}

let edge: Edge
let port = 0
beforeAll(async () => {
  edge = createEdge({
    origin: new URL('http://localhost'),
    mode: 'test',
    trustedProxies: [],
    allowedOrigins: [],
    logger: createLogger({ level: 'silent' }),
  })
  const { fastify } = edge
  for (const [name, handler] of Object.entries(routes))
    fastify.get(`/${name}`, (_request, reply) => handler(reply))
  for (const [name, handler] of Object.entries(changing))
    fastify.get(`/changing/${name}`, (_request, reply) => {
      own(reply)
      return handler(reply)
    })
  for (const [name, handler] of Object.entries(routes))
    fastify.get(`/own/${name}`, (_request, reply) => {
      own(reply)
      return handler(reply)
    })
  fastify.post('/json', async () => ({ ok: true }))
  await fastify.listen({ host: '127.0.0.1', port: 0 })
  const address = fastify.server.address()
  port = typeof address === 'object' && address !== null ? address.port : 0
})
afterAll(() => edge.fastify.close())

function expectBlock(reply: WireReply, without: readonly string[] = []): void {
  for (const [name, value] of block)
    if (!without.includes(name)) expect(reply.values(name), name).toEqual([value])
  expect(reply.values('strict-transport-security')).toEqual([])
  for (const [name] of reply.fields) expect(tellingHeaders.has(name), name).toBe(false)
}

const kept = ['reason', 'list', 'pairs', 'afterSet', 'listAfterSet', 'headers', 'appended']

describe('V3.4 each security header stands once, and nothing that tells, on', () => {
  it.each(Object.keys(routes))('a reply of the kind %s', async (name) => {
    const reply = await askOnWire(port, `GET /${name}`)
    expectBlock(reply)
    expect(reply.values('date')).toHaveLength(1)
    if (kept.includes(name)) expect(reply.values('x-kept')).toEqual(['1'])
    if (name === 'problem') {
      for (const field of ['etag', 'content-encoding']) expect(reply.values(field)).toEqual([])
      expect(reply.values('content-type')).toEqual(['application/problem+json'])
    }
    expect(reply.body.toString()).not.toContain('secret')
  })

  it.each(Object.keys(routes))('the answer to HEAD, without a body: %s', async (name) => {
    const reply = await askOnWire(port, `HEAD /${name}`)
    expectBlock(reply)
    expect(reply.body).toHaveLength(0)
  })

  it.each(Object.keys(routes))('one with fields of our own, which stand once too: %s', async (name) => {
    const reply = await askOnWire(port, `GET /own/${name}`)
    expectBlock(reply)
    expect(reply.values('ratelimit')).toEqual(['"a";r=1'])
    expect(reply.values('ratelimit-policy')).toEqual(['"a";q=2'])
  })

  const refusals: readonly (readonly [string, string, number])[] = [
    ['no route', 'GET /missing', 404],
    ['another method', 'PUT /json', 405],
    ['an unknown method', 'PROPFIND /json', 501],
    ['a broken path', 'GET /%zz', 400],
    ['a type', 'POST /json', 415],
    ['OPTIONS', 'OPTIONS /json', 204],
  ]
  it.each(refusals)('the answer to %s', async (_what, line, status) => {
    const fields = status === 415 ? ['Content-Type: text/plain'] : []
    const reply = await askOnWire(port, line, fields, status === 415 ? 'x' : '')
    expect(reply.status).toBe(status)
    expectBlock(reply)
  })

  it('one behind 100 Continue', async () => {
    const head = `POST /json HTTP/1.1\r\nHost: localhost:${port}\r\nConnection: close\r\nExpect: 100-continue\r\n`
    const fields = 'Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}'
    const bytes = await bytesFrom(port, head + fields)
    expect(bytes.toString()).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 /)
    expectBlock(replyIn(bytes))
  })
})

describe('V3.4 what a handler sets itself wins, and is not doubled', () => {
  it.each(Object.keys(changing))('whichever way it sets it: %s', async (name) => {
    const reply = await askOnWire(port, `GET /changing/${name}`)
    expect(reply.status).toBe(200)
    expectBlock(reply, ['cache-control', 'content-security-policy', 'vary'])
    expect(reply.values('cache-control')).toEqual(['max-age=60'])
    expect(reply.values('content-security-policy')).toEqual(["default-src 'self'"])
    expect(reply.values('ratelimit')).toEqual(['upstream'])
    expect(reply.values('ratelimit-policy')).toEqual(['"a";q=2'])
    // A shared cache must not serve one origin's grant to another, whatever else a reply depends on.
    const varying = reply.values('vary').flatMap((value) => value.split(/,\s*/))
    expect(varying.toSorted()).toEqual(['Accept', 'Origin'])
  })
})

describe('V3.4.1 behind a proxy that is trusted and speaks TLS', () => {
  it('every reply says so, once; without TLS none does', async () => {
    const secure = createEdge({
      origin: new URL('https://localhost'),
      mode: 'test',
      trustedProxies: ['127.0.0.1'],
      allowedOrigins: [],
      logger: createLogger({ level: 'silent' }),
    })
    for (const [name, handler] of Object.entries(routes))
      secure.fastify.get(`/${name}`, (_request, reply) => handler(reply))
    await secure.fastify.listen({ host: '127.0.0.1', port: 0 })
    const address = secure.fastify.server.address()
    const at = typeof address === 'object' && address !== null ? address.port : 0
    for (const name of [...Object.keys(routes), 'missing', '%zz']) {
      const reply = await askOnWire(at, `GET /${name}`, ['X-Forwarded-Proto: https'])
      for (const [field, value] of securityHeaders(true)) expect(reply.values(field), field).toEqual([value])
      expect(reply.values('strict-transport-security')).toHaveLength(1)
      const plain = await askOnWire(at, `GET /${name}`, ['X-Forwarded-Proto: http'])
      expect(plain.values('strict-transport-security')).toEqual([])
    }
    await secure.fastify.close()
  })
})
