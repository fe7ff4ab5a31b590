import { describe, expect, it } from 'vitest'
import { Problem } from '../errors/index.ts'
import { createLogger } from '../observe/index.ts'
import { createEdge, type Edge } from './edge.ts'
import type { EdgeOptions } from './edge-options.ts'

const options: EdgeOptions = {
  origin: new URL('https://api.example.com'),
  mode: 'production',
  trustedProxies: ['10.0.0.1'],
  allowedOrigins: ['https://app.example.com', 'https://www.example.com:8443'],
  logger: createLogger({ level: 'silent' }),
}
const throughProxy = {
  remoteAddress: '10.0.0.1',
  headers: { host: 'api.example.com', 'x-forwarded-proto': 'https', 'x-forwarded-for': '198.51.100.1' },
}

function edgeWithRoutes(changes: Partial<EdgeOptions> = {}): Edge {
  const edge = createEdge({ ...options, ...changes })
  edge.fastify.get('/', async () => ({ ok: true }))
  edge.fastify.get('/moved', async (_request, reply) => reply.redirect('/', 302))
  edge.fastify.get('/page', async (_request, reply) =>
    reply
      .header('content-security-policy', "default-src 'self'")
      .header('vary', 'Accept')
      .type('text/html')
      .send('<p>'),
  )
  edge.fastify.get('/conflict', async () => {
    throw new Problem('CONFLICT', 'x')
  })
  edge.fastify.get('/crash', async () => {
    throw new TypeError('x')
  })
  edge.fastify.put('/notes/:id', async () => ({}))
  return edge
}

describe('security headers', () => {
  const edge = edgeWithRoutes({ origin: new URL('http://localhost'), mode: 'test' })
  const kinds = [
    { name: 'a result', request: { url: '/' } },
    { name: 'HEAD', request: { method: 'HEAD', url: '/' } },
    { name: 'a redirect', request: { url: '/moved' } },
    { name: 'a problem', request: { url: '/conflict' } },
    { name: 'a crash', request: { url: '/crash' } },
    { name: 'a 404', request: { url: '/missing' } },
    { name: 'a 405', request: { method: 'DELETE', url: '/' } },
    { name: 'a bad target', request: { url: '/%zz' } },
    { name: 'a foreign host', request: { url: '/', headers: { host: 'evil.example' } } },
    {
      name: 'a preflight',
      request: {
        method: 'OPTIONS',
        url: '/',
        headers: { origin: 'https://evil.example', 'access-control-request-method': 'GET' },
      },
    },
  ] as const
  const wanted = {
    'cache-control': 'no-store, max-age=0',
    'content-security-policy':
      "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    'cross-origin-embedder-policy': 'require-corp',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'permissions-policy': expect.stringContaining('geolocation=()'),
    'referrer-policy': 'no-referrer',
    vary: 'Origin',
    'x-content-type-options': 'nosniff',
    'x-dns-prefetch-control': 'off',
    'x-frame-options': 'DENY',
    'x-permitted-cross-domain-policies': 'none',
  }
  for (const { name, request } of kinds) {
    it(`V3.4.4 stand on ${name}`, async () => {
      const { headers } = await edge.fastify.inject(request)
      expect(headers).toMatchObject(wanted)
      expect(headers).not.toHaveProperty('strict-transport-security')
      expect(headers).not.toHaveProperty('server')
    })
  }

  it('V3.4.3 a page sets its own policy and keeps Origin in Vary', async () => {
    const { headers } = await edge.fastify.inject({ url: '/page' })
    expect(headers['content-security-policy']).toBe("default-src 'self'")
    expect(headers['vary']).toBe('Accept, Origin')
  })

  it('V13.4.6 tell nothing by default, and what is asked for on demand', async () => {
    const plain = await edge.fastify.inject({ url: '/' })
    for (const name of ['x-request-id', 'x-response-time', 'api-version'])
      expect(plain.headers).not.toHaveProperty(name)
    const telling = edgeWithRoutes({
      origin: new URL('http://localhost'),
      mode: 'test',
      headers: { requestId: true, responseTime: true, apiVersion: '7' },
    })
    for (const url of ['/', '/conflict', '/missing']) {
      const { headers } = await telling.fastify.inject({ url })
      expect(headers).toMatchObject({
        'x-request-id': expect.stringMatching(/^[0-9a-f-]{36}$/),
        'x-response-time': expect.stringMatching(/^\d+ms$/),
        'api-version': '7',
      })
    }
  })
})

describe('HSTS', () => {
  const ask = async (request: object, changes: Partial<EdgeOptions> = {}): Promise<unknown> =>
    (await edgeWithRoutes(changes).fastify.inject({ url: '/', ...request })).headers[
      'strict-transport-security'
    ]

  it('V3.4.1 stands on replies through a trusted TLS proxy, errors too', async () => {
    expect(await ask(throughProxy)).toBe('max-age=63072000; includeSubDomains')
    expect(await ask({ ...throughProxy, url: '/crash' })).toBe('max-age=63072000; includeSubDomains')
    expect(await ask({ ...throughProxy, url: '/%zz' })).toBe('max-age=63072000; includeSubDomains')
  })

  it('RFC 6797 §7.2 never stands on a reply that did not go over TLS', async () => {
    expect(await ask({ ...throughProxy, remoteAddress: '203.0.113.7' })).toBeUndefined()
    expect(
      await ask({ ...throughProxy, headers: { ...throughProxy.headers, 'x-forwarded-proto': 'http' } }),
    ).toBeUndefined()
    const plain = { origin: new URL('http://api.example.com') }
    expect(await ask(throughProxy, plain)).toBeUndefined()
  })
})

describe('CORS', () => {
  const edge = edgeWithRoutes()
  const ask = async (request: { method?: 'GET' | 'OPTIONS'; url?: string }, headers: object) => {
    const reply = await edge.fastify.inject({
      url: '/',
      ...request,
      headers: { host: 'api.example.com', ...headers },
    })
    const granted = Object.entries(reply.headers).filter(([name]) => name.startsWith('access-control-'))
    return { status: reply.statusCode, vary: reply.headers['vary'], granted: Object.fromEntries(granted) }
  }
  const origin = 'https://app.example.com'

  it('V3.4.2 grants a listed origin access, on errors too', async () => {
    for (const url of ['/', '/crash', '/missing']) {
      const { granted, vary } = await ask({ url }, { origin })
      expect(vary).toBe('Origin')
      expect(granted).toEqual({
        'access-control-allow-origin': origin,
        'access-control-allow-credentials': 'true',
        'access-control-expose-headers': 'etag, location, ratelimit, ratelimit-policy, retry-after',
      })
    }
  })

  const foreign = [
    undefined,
    'null',
    '*',
    'https://evil.example',
    'http://app.example.com',
    'https://app.example.com:444',
    'https://app.example.com.evil.example',
    'https://evilapp.example.com',
    'https://APP.example.com',
    'https://app.example.com/',
    'https://app.example.com, https://evil.example',
    'https://www.example.com',
  ]
  for (const other of foreign) {
    it(`V3.4.2 grants ${other} nothing`, async () => {
      const headers = other === undefined ? {} : { origin: other }
      const simple = await ask({}, headers)
      const preflight = await ask(
        { method: 'OPTIONS' },
        { ...headers, 'access-control-request-method': 'GET' },
      )
      expect(simple).toEqual({ status: 200, vary: 'Origin', granted: {} })
      expect(preflight).toEqual({ status: 204, vary: 'Origin', granted: {} })
    })
  }

  it('V3.5.2 answers preflights from the routes', async () => {
    const preflight = (method: string, url: string) =>
      ask({ method: 'OPTIONS', url }, { origin, 'access-control-request-method': method })
    expect(await preflight('PUT', '/notes/1')).toEqual({
      status: 204,
      vary: 'Origin',
      granted: {
        'access-control-allow-origin': origin,
        'access-control-allow-credentials': 'true',
        'access-control-allow-methods': 'PUT',
        'access-control-allow-headers':
          'authorization, content-type, idempotency-key, if-match, if-none-match',
        'access-control-max-age': '600',
      },
    })
    expect(await preflight('DELETE', '/notes/1')).toEqual({ status: 204, vary: 'Origin', granted: {} })
    expect(await preflight('put', '/notes/1')).toEqual({ status: 204, vary: 'Origin', granted: {} })
    expect(await preflight('PUT', '/missing')).toMatchObject({ status: 404, granted: {} })
    expect(await preflight('__proto__', '/notes/1')).toEqual({ status: 204, vary: 'Origin', granted: {} })
  })
})
