import { fastify as makeFastify } from 'fastify'
import { describe, expect, it } from 'vitest'
import { lazyCompilers } from './lazy-compilers.ts'

const text = { type: 'string' } as const

describe('schemas of routes that plugins bring', () => {
  const server = makeFastify({ schemaController: { compilersFactory: lazyCompilers() } })
  server.post('/', {
    schema: {
      headers: { type: 'object', properties: { 'X-Tenant': { type: 'integer' } }, required: ['X-Tenant'] },
      querystring: { type: 'object', properties: { limit: { type: 'integer' } } },
      response: { 200: { type: 'object', properties: { title: text } } },
    },
    handler: async () => ({ title: 'x', secret: 'y' }),
  })

  it('V2.2.1 are held against header fields of any case', async () => {
    const missing = await server.inject({ method: 'POST', url: '/' })
    const wrong = await server.inject({ method: 'POST', url: '/', headers: { 'x-tenant': 'seven' } })
    expect([missing.statusCode, wrong.statusCode]).toEqual([400, 400])
  })

  it('V2.2.1 are held against queries', async () => {
    const reply = await server.inject({ method: 'POST', url: '/?limit=x', headers: { 'x-tenant': '7' } })
    expect(reply.statusCode).toBe(400)
  })

  it('V15.3.1 cut the reply to what they declare', async () => {
    const reply = await server.inject({ method: 'POST', url: '/?limit=1', headers: { 'x-tenant': '7' } })
    expect([reply.statusCode, reply.json()]).toEqual([200, { title: 'x' }])
  })
})
