import { describe, expect, it } from 'vitest'
import { Problem } from '../errors/index.ts'
import { createLogger } from '../observe/index.ts'
import { createEdge, type Edge } from './edge.ts'
import type { EdgeOptions } from './edge-options.ts'

const lines: string[] = []
const options: EdgeOptions = {
  origin: new URL('http://localhost'),
  mode: 'test',
  trustedProxies: [],
  allowedOrigins: ['https://app.example.com'],
  logger: createLogger({ level: 'info', destination: { write: (line) => void lines.push(line) } }),
}
const canary = 'canary-4f1c'

/** An edge with a few routes, as an application and a plugin would register them. */
function edgeWithRoutes(changes: Partial<EdgeOptions> = {}): Edge {
  const edge = createEdge({ ...options, ...changes })
  const { fastify } = edge
  fastify.get('/notes/:id', async () => ({ ok: true }))
  fastify.delete('/notes/:id', async (_request, reply) => reply.code(204).send())
  fastify.get('/notes/recent', async () => [])
  fastify.post('/notes', async (request) => ({ body: request.body }))
  fastify.post('/small', { bodyLimit: 10 }, async () => ({}))
  fastify.get('/slow', { handlerTimeout: 20 }, () => new Promise(() => {}))
  fastify.get('/query', async (request) => Object.assign({}, request.query))
  fastify.get('/who', async (request) => ({ clientAddress: request.clientAddress, id: request.id }))
  fastify.get('/not-found', (_request, reply) => reply.callNotFound())
  fastify.get('/refused', async () => {
    throw new Problem('CONFLICT', canary, { headers: { 'x-kept': '1' } })
  })
  fastify.get('/unauthenticated', async () => {
    throw new Problem('UNAUTHENTICATED', canary)
  })
  return edge
}

async function expectProblem(edge: Edge, request: object, status: number, code: string): Promise<object> {
  const reply = await edge.fastify.inject(request)
  expect(reply.statusCode).toBe(status)
  expect(reply.headers['content-type']).toBe('application/problem+json')
  expect(reply.headers['x-content-type-options']).toBe('nosniff')
  const body: Record<string, unknown> = reply.json()
  expect(body['type']).toContain(code.toLowerCase().replaceAll('_', '-'))
  expect(body['status']).toBe(status)
  expect(body['instance']).toMatch(/^[0-9a-f-]{36}$/)
  expect(
    Object.keys(body).filter((name) => !/^(type|title|status|detail|instance|errors)$/.test(name)),
  ).toEqual([])
  return reply.headers
}

describe('problem replies', () => {
  const edge = edgeWithRoutes()
  const json = { 'content-type': 'application/json' }
  const cases: readonly (readonly [string, object, number, string])[] = [
    ['no route', { url: `/${canary}` }, 404, 'NOT_FOUND'],
    ['callNotFound', { url: '/not-found' }, 404, 'NOT_FOUND'],
    ['another method', { method: 'PUT', url: '/notes/1' }, 405, 'METHOD_NOT_ALLOWED'],
    ['an unknown method', { method: 'PROPFIND', url: '/notes/1' }, 501, 'NOT_IMPLEMENTED'],
    ['TRACE', { method: 'TRACE', url: '/notes/1' }, 501, 'NOT_IMPLEMENTED'],
    ['upper case', { url: '/NOTES/1' }, 404, 'NOT_FOUND'],
    ['a slash at the end', { url: '/notes/1/' }, 404, 'NOT_FOUND'],
    ['a doubled slash', { url: '//notes/1' }, 404, 'NOT_FOUND'],
    ['a broken escape in the path', { url: '/notes/%zz' }, 400, 'BAD_REQUEST'],
    ['a broken escape in the query', { url: '/query?a=%zz' }, 400, 'BAD_REQUEST'],
    ['too many parameters', { url: `/query?${'a=1&'.repeat(51)}` }, 400, 'BAD_REQUEST'],
    ['a long parameter', { url: `/notes/${'a'.repeat(201)}` }, 414, 'URI_TOO_LONG'],
    ['a long target', { url: `/query?${'a'.repeat(8_192)}` }, 414, 'URI_TOO_LONG'],
    [
      'too many headers',
      { url: '/who', headers: Object.fromEntries(Array.from({ length: 101 }, (_, i) => [`x${i}`, '1'])) },
      431,
      'HEADERS_TOO_LARGE',
    ],
    ['large headers', { url: '/who', headers: { x: 'a'.repeat(16_384) } }, 431, 'HEADERS_TOO_LARGE'],
    [
      'refused JSON',
      { method: 'POST', url: '/notes', headers: json, body: '{"a":1,"a":2}' },
      400,
      'JSON_REFUSED',
    ],
    ['an empty body', { method: 'POST', url: '/notes', headers: json }, 400, 'JSON_REFUSED'],
    [
      'text',
      { method: 'POST', url: '/notes', headers: { 'content-type': 'text/plain' }, body: '{}' },
      415,
      'UNSUPPORTED_MEDIA_TYPE',
    ],
    [
      'a form',
      {
        method: 'POST',
        url: '/notes',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: 'a=1',
      },
      415,
      'UNSUPPORTED_MEDIA_TYPE',
    ],
    ['no type', { method: 'POST', url: '/notes', body: Buffer.from('{}') }, 415, 'UNSUPPORTED_MEDIA_TYPE'],
    [
      'a broken type',
      { method: 'POST', url: '/notes', headers: { 'content-type': 'json' }, body: '{}' },
      415,
      'UNSUPPORTED_MEDIA_TYPE',
    ],
    [
      'another charset',
      {
        method: 'POST',
        url: '/notes',
        headers: { 'content-type': 'application/json; charset=utf-16' },
        body: '{}',
      },
      415,
      'UNSUPPORTED_MEDIA_TYPE',
    ],
    [
      'a compressed body',
      { method: 'POST', url: '/notes', headers: { ...json, 'content-encoding': 'gzip' }, body: '{}' },
      415,
      'UNSUPPORTED_MEDIA_TYPE',
    ],
    [
      'a large body',
      { method: 'POST', url: '/notes', headers: json, body: `"${'a'.repeat(1_048_576)}"` },
      413,
      'CONTENT_TOO_LARGE',
    ],
    [
      'a body over the route’s limit',
      { method: 'POST', url: '/small', headers: json, body: '"0123456789"' },
      413,
      'CONTENT_TOO_LARGE',
    ],
    ['another host', { url: '/who', headers: { host: 'evil.example' } }, 421, 'MISDIRECTED_REQUEST'],
    ['a broken host', { url: '/who', headers: { host: 'a b' } }, 400, 'BAD_REQUEST'],
    [
      'a doubled authorization',
      { url: '/who', headers: { authorization: ['Bearer a', 'Bearer b'] } },
      400,
      'BAD_REQUEST',
    ],
    ['a planted cookie', { url: '/who', headers: { cookie: '__Host-s=1; __Host-s=2' } }, 400, 'BAD_REQUEST'],
    [
      'another site',
      {
        method: 'POST',
        url: '/notes',
        headers: { ...json, cookie: 's=1', 'sec-fetch-site': 'cross-site' },
        body: '{}',
      },
      403,
      'CROSS_SITE_REFUSED',
    ],
    ['a slow handler', { url: '/slow' }, 503, 'UNAVAILABLE'],
    ['a thrown problem', { url: '/refused' }, 409, 'CONFLICT'],
  ]
  for (const [name, request, status, code] of cases) {
    it(`V16.5.1 ${name}: ${status} ${code}`, async () => {
      await expectProblem(edge, request, status, code)
    })
  }

  it('V15.2.2 cuts off a handler that has no limit of its own', async () => {
    const { fastify } = createEdge({ ...options, limits: { handlerTimeoutMs: 20 } })
    fastify.get('/', () => new Promise(() => {}))
    const reply = await fastify.inject({ url: '/' })
    expect([reply.statusCode, reply.headers['retry-after']]).toEqual([503, '5'])
  })

  it('keeps the headers of a problem, and a 401 names a scheme', async () => {
    expect(await expectProblem(edge, { url: '/refused' }, 409, 'CONFLICT')).toHaveProperty('x-kept', '1')
    const headers = await expectProblem(edge, { url: '/unauthenticated' }, 401, 'UNAUTHENTICATED')
    expect(headers).toHaveProperty('www-authenticate', 'Bearer')
  })

  it('V16.5.1 never echoes the target or the reason', async () => {
    for (const url of [`/${canary}`, `/notes/1?${canary}=%zz`, `/${canary}/%zz`, '/refused']) {
      const reply = await edge.fastify.inject({ url, method: 'GET' })
      expect(reply.statusCode).toBeGreaterThanOrEqual(400)
      expect(reply.payload).not.toContain(canary)
    }
  })

  it('answers HEAD as GET without a body', async () => {
    const head = await edge.fastify.inject({ method: 'HEAD', url: '/notes/1' })
    expect([head.statusCode, head.payload, head.headers['content-length']]).toEqual([200, '', '11'])
    const missing = await edge.fastify.inject({ method: 'HEAD', url: '/missing' })
    expect([missing.statusCode, missing.payload]).toEqual([404, ''])
    expect(Number(missing.headers['content-length'])).toBeGreaterThan(100)
    const other = await edge.fastify.inject({ method: 'HEAD', url: '/notes' })
    expect([other.statusCode, other.payload, other.headers['allow']]).toEqual([405, '', 'POST, OPTIONS'])
  })

  it('sends the same body in every environment', async () => {
    const bodies = new Set<string>()
    for (const mode of ['development', 'test', 'production'] as const) {
      const other = createEdge({ ...options, mode })
      other.fastify.get('/', async () => {
        throw new TypeError(canary)
      })
      const reply = await other.fastify.inject({ url: '/' })
      bodies.add(reply.payload.replace(/"instance":"[^"]*"/, ''))
    }
    expect(bodies.size).toBe(1)
    expect([...bodies][0]).not.toContain(canary)
  })
})

describe('methods and routes', () => {
  const edge = edgeWithRoutes()
  const cases = [
    ['PUT', '/notes/1', 'GET, HEAD, DELETE, OPTIONS'],
    ['PATCH', '/notes/recent', 'GET, HEAD, DELETE, OPTIONS'],
    ['PATCH', '/notes/%72ecent', 'GET, HEAD, DELETE, OPTIONS'],
    ['GET', '/notes', 'POST, OPTIONS'],
    ['POST', '/notes/1?a=b', 'GET, HEAD, DELETE, OPTIONS'],
  ] as const
  for (const [method, url, allow] of cases) {
    it(`V4.1.4 ${method} ${url}: 405, Allow: ${allow}`, async () => {
      expect(await expectProblem(edge, { method, url }, 405, 'METHOD_NOT_ALLOWED')).toHaveProperty(
        'allow',
        allow,
      )
    })
  }

  it('V4.1.4 answers OPTIONS from the routes', async () => {
    const known = await edge.fastify.inject({ method: 'OPTIONS', url: '/notes/1' })
    expect([known.statusCode, known.headers['allow'], known.payload]).toEqual([
      204,
      'GET, HEAD, DELETE, OPTIONS',
      '',
    ])
    await expectProblem(edge, { method: 'OPTIONS', url: '/missing' }, 404, 'NOT_FOUND')
    await expectProblem(edge, { method: 'OPTIONS', url: '/notes/1/2' }, 404, 'NOT_FOUND')
  })

  it('V4.1.4 a plugin’s wildcard OPTIONS makes no path exist', async () => {
    const other = edgeWithRoutes()
    other.fastify.options('*', async () => ({}))
    await expectProblem(other, { url: '/missing' }, 404, 'NOT_FOUND')
  })

  it('V8.2.1 sees every route that Fastify registers, plugins and automatic HEAD included', async () => {
    const { fastify, routes } = createEdge(options)
    fastify.get('/a', { config: { mark: 1 } }, async () => ({}))
    fastify.register(
      async (plugin) => {
        plugin.route({ method: ['POST', 'PUT'], url: '/b', handler: async () => ({}) })
        plugin.options('/c', async () => ({}))
      },
      { prefix: '/p' },
    )
    await fastify.ready()
    expect(routes.map(({ method, url, prefix }) => `${method} ${url} ${prefix}`)).toEqual([
      'GET /a ',
      'HEAD /a ',
      'POST /p/b /p',
      'PUT /p/b /p',
      'OPTIONS /p/c /p',
    ])
    expect(routes[1]?.config).toMatchObject({ mark: 1 })
  })
})

describe('requests', () => {
  it('V16.2.1 takes no request id from outside', async () => {
    const reply = await edgeWithRoutes().fastify.inject({
      url: '/who',
      headers: { 'x-request-id': canary, 'request-id': canary },
    })
    expect(reply.json().id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4/)
  })

  it('V4.1.3 knows the client by the socket, or by a trusted proxy', async () => {
    const headers = { 'x-forwarded-for': '1.1.1.1, ::ffff:198.51.100.1' }
    const ask = async (trustedProxies: readonly string[], remoteAddress: string): Promise<unknown> =>
      (
        await edgeWithRoutes({ trustedProxies }).fastify.inject({ url: '/who', headers, remoteAddress })
      ).json().clientAddress
    expect(await ask([], '203.0.113.7')).toBe('203.0.113.7')
    expect(await ask(['203.0.113.0/24'], '203.0.113.7')).toBe('198.51.100.1')
    expect(await ask(['203.0.113.0/24'], '::ffff:203.0.113.7')).toBe('198.51.100.1')
  })

  it('V16.2.1 logs one line per request, with the pattern and without the target', async () => {
    const { fastify } = edgeWithRoutes()
    lines.length = 0
    const reply = await fastify.inject({
      url: `/notes/${canary}?q=${canary}`,
      headers: { 'user-agent': canary },
    })
    const refused = await fastify.inject({ url: `/refused` })
    await fastify.inject({ url: `/${canary}` })
    await fastify.inject({ url: `/${canary}%zz` })
    const records = lines.map((line): Record<string, unknown> => JSON.parse(line))
    expect(records).toHaveLength(4)
    expect(records[0]).toMatchObject({
      level: 'info',
      requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      method: 'GET',
      route: '/notes/:id',
      status: reply.statusCode,
      durationMs: expect.any(Number),
      clientAddress: '127.0.0.1',
      bytes: 11,
    })
    expect(records[1]).toMatchObject({
      level: 'warn',
      status: 409,
      problem: 'CONFLICT',
      requestId: refused.json().instance,
    })
    expect(records[2]).toMatchObject({ level: 'warn', status: 404, route: null })
    expect(records[3]).toMatchObject({ level: 'warn', status: 400 })
    expect(lines.filter((line) => !line.includes('/refused')).join('')).not.toContain(canary)
  })

  it('V15.2.2 sheds under load, except for probes and the console', async () => {
    const settings = { thresholdMs: 10, windowMs: 0 }
    const parts = { nowMs: () => 0, monitor: { takeMs: () => 11, stop: () => {} } }
    const edge = edgeWithRoutes({ shedding: { settings, parts } })
    edge.fastify.get('/health/live', async () => edge.health.live())
    edge.fastify.get('/console/:page', async () => ({}))
    lines.length = 0
    const headers = await expectProblem(edge, { url: '/who' }, 503, 'TEMPORARY_REDUCED_CAPACITY')
    expect(lines.join('')).not.toContain('"level":"error"')
    expect(headers).toHaveProperty('retry-after', '5')
    expect(edge.shedder.shedCount).toBe(1)
    expect((await edge.fastify.inject({ url: '/health/live' })).statusCode).toBe(200)
    expect((await edge.fastify.inject({ url: '/console/events' })).statusCode).toBe(200)
    expect((await edge.fastify.inject({ url: '/consoles' })).statusCode).toBe(503)
  })

  it('V16.5.3 turns requests away while stopping, except for probes', async () => {
    const edge = edgeWithRoutes()
    edge.fastify.get('/health/ready', async () => edge.health.ready())
    await edge.fastify.ready()
    edge.health.stop()
    const headers = await expectProblem(edge, { url: '/who' }, 503, 'STOPPING')
    expect(headers).toMatchObject({ connection: 'close', 'retry-after': '5' })
    expect((await edge.fastify.inject({ url: '/health/ready' })).json()).toEqual({
      status: 'unavailable',
      checks: {},
    })
  })

  it('lets probes come by address', async () => {
    const edge = edgeWithRoutes()
    edge.fastify.get('/health/live', async () => edge.health.live())
    const headers = { host: '10.1.2.3:3000' }
    expect((await edge.fastify.inject({ url: '/health/live', headers })).statusCode).toBe(200)
    expect((await edge.fastify.inject({ url: '/who', headers })).statusCode).toBe(421)
  })
})
