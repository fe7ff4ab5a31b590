import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { Plan, RoutePlan } from '../route/index.ts'
import { describeSchema, type JsonSchema, type Schema } from '../schema/index.ts'
import { openApiDocument } from './document.ts'

function json(schema: Schema, side: 'input' | 'output' = 'input'): JsonSchema {
  const described = describeSchema(schema, side)
  if (!described.ok) expect.fail(described.reason)
  return described.json
}

function route(method: string, path: string, rest: Partial<RoutePlan> = {}): RoutePlan {
  return {
    method,
    path,
    access: { kind: 'signed-in' },
    limit: 'read',
    status: 200,
    schemas: {},
    source: 'app/secret-folder/notes.ts:1',
    origin: 'application',
    ...rest,
  }
}

function documentOf(...routes: readonly RoutePlan[]): unknown {
  const plan: Plan = {
    title: 'Notes',
    version: '1.2.3',
    routes,
    resources: [],
    limits: { read: { count: 300, windowSeconds: 60 } },
    roles: ['admin'],
    settings: [],
  }
  return JSON.parse(JSON.stringify(openApiDocument(plan, { origin: 'https://api.example.com' })))
}

/** What stands at a JSON Pointer; `undefined` when nothing does. */
function at(document: unknown, pointer: string): unknown {
  let found = document
  for (const step of pointer.split('/').slice(1)) {
    const name = decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~')
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, name)) return undefined
    found = Reflect.get(found, name)
  }
  return found
}

function operation(document: unknown, method: string, path: string, pointer = ''): unknown {
  return at(document, `/paths/${path.replaceAll('/', '~1')}/${method}${pointer}`)
}

/** Every `$ref` of a document, wherever it stands. */
function refsOf(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(refsOf)
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) =>
    key === '$ref' && typeof inner === 'string' ? [inner] : refsOf(inner),
  )
}

const Id = z.strictObject({ id: z.uuid() })
const View = z.strictObject({ id: z.uuid(), title: z.string().max(200) })
const Draft = z.strictObject({ title: z.string().min(1).max(200) })
const owns = { kind: 'owns', resource: 'note', action: 'update' } as const

const everything = [
  route('GET', '/', {
    access: { kind: 'open', reason: 'Says what this is.' },
    schemas: { output: json(View) },
  }),
  route('GET', '/api/notes', {
    schemas: {
      query: json(z.strictObject({ limit: z.int().min(1).max(100).default(20), q: z.string().max(9) })),
      output: json(z.array(View).max(9), 'output'),
    },
  }),
  route('POST', '/api/notes', { status: 201, schemas: { body: json(Draft), output: json(View) } }),
  route('GET', '/api/notes/:id', {
    access: { ...owns, action: 'read' },
    schemas: { params: json(Id), output: json(View) },
  }),
  route('PATCH', '/api/notes/:id', {
    access: { kind: 'any', of: [owns, { kind: 'role', roles: ['admin'] }] },
    schemas: { params: json(Id), body: json(Draft), output: json(View) },
  }),
  route('DELETE', '/api/notes/:id', { access: owns, status: 204, schemas: { params: json(Id) } }),
  route('DELETE', '/api/notes/:noteId/shares/:userId', { access: owns, status: 204 }),
  route('GET', '/api/notes/:note/shares/:user', { access: { kind: 'role', roles: ['admin'] } }),
  route('GET', '/static/*', {
    origin: { adopted: 'Serves files.' },
    access: { kind: 'open', reason: 'Public.' },
  }),
  route('GET', '/files/:name(^\\d+).:ext', { origin: { adopted: 'Serves files.' } }),
  route('HEAD', '/api/notes'),
  route('OPTIONS', '/api/notes'),
  route('GET', '/health/live', { origin: 'holdfast', access: { kind: 'open', reason: 'A probe.' } }),
]
const whole = documentOf(...everything)

describe('the OpenAPI document', () => {
  it('is the 3.1 document of one server', () => {
    expect(whole).toMatchObject({
      openapi: '3.1.1',
      info: { title: 'Notes', version: '1.2.3' },
      jsonSchemaDialect: 'https://json-schema.org/draft/2020-12/schema',
      servers: [{ url: 'https://api.example.com' }],
      components: { securitySchemes: { bearerAuth: { type: 'http', scheme: 'bearer' } } },
    })
  })

  it('lists every route but HEAD and OPTIONS, paths as templates', () => {
    const paths: unknown = at(whole, '/paths')
    expect(Object.entries(paths ?? {}).map(([path, item]) => [path, Object.keys(item)])).toEqual([
      ['/', ['get']],
      ['/api/notes', ['get', 'post']],
      ['/api/notes/{id}', ['get', 'patch', 'delete']],
      // One path with two sets of names would be two identical paths, which OpenAPI forbids.
      ['/api/notes/{noteId}/shares/{userId}', ['delete', 'get']],
      ['/static/{rest}', ['get']],
      ['/files/{name}.{ext}', ['get']],
      ['/health/live', ['get']],
    ])
  })

  it('declares exactly the parameters of each path', () => {
    for (const [path, item] of Object.entries(at(whole, '/paths') ?? {}))
      for (const method of Object.keys(item)) {
        const declared: unknown = operation(whole, method, path, '/parameters') ?? []
        const names = Array.isArray(declared)
          ? declared.filter((one) => one.in === 'path').map(({ name }) => name)
          : []
        expect(names, `${method} ${path}`).toEqual([...path.matchAll(/\{([^}]+)\}/g)].map(([, name]) => name))
      }
  })

  it('has references that all lead somewhere, and component names that OpenAPI allows', () => {
    const refs = refsOf(whole)
    expect(refs.length).toBeGreaterThan(30)
    for (const ref of refs) expect(at(whole, ref.slice(1)), ref).toBeDefined()
    for (const group of ['schemas', 'responses', 'parameters', 'headers'])
      for (const name of Object.keys(at(whole, `/components/${group}`) ?? {}))
        expect(name).toMatch(/^[\w.-]+$/)
  })

  it('takes query parameters from the schema, required only where it says so', () => {
    expect(operation(whole, 'get', '/api/notes', '/parameters')).toEqual([
      {
        name: 'limit',
        in: 'query',
        required: false,
        schema: { default: 20, type: 'integer', minimum: 1, maximum: 100 },
      },
      { name: 'q', in: 'query', required: true, schema: { type: 'string', maxLength: 9 } },
    ])
  })

  it('tells body and answer as JSON, and no content for 204', () => {
    expect(operation(whole, 'post', '/api/notes', '/requestBody')).toEqual({
      required: true,
      content: { 'application/json': { schema: json(Draft) } },
    })
    expect(operation(whole, 'post', '/api/notes', '/responses/201/content')).toEqual({
      'application/json': { schema: json(View) },
    })
    expect(operation(whole, 'delete', '/api/notes/{id}', '/responses/204/content')).toBeUndefined()
  })

  const statuses: [string, string, string][] = [
    ['get', '/', '200 400 429 500 503 default'],
    ['get', '/api/notes', '200 400 401 429 500 503 default'],
    ['post', '/api/notes', '201 400 401 403 409 413 415 429 500 503 default'],
    ['get', '/api/notes/{id}', '200 304 400 401 404 429 500 503 default'],
    ['patch', '/api/notes/{id}', '200 400 401 403 404 409 412 413 415 429 500 503 default'],
    ['delete', '/api/notes/{id}', '204 400 401 403 404 409 412 429 500 503 default'],
    ['get', '/api/notes/{noteId}/shares/{userId}', '200 400 401 403 404 429 500 503 default'],
    ['get', '/static/{rest}', '400 429 500 503 default'],
    ['get', '/health/live', '200 400 429 500 default'],
  ]
  it.each(statuses)('tells what %s %s can answer: %s', (method, path, expected) => {
    const responses: unknown = operation(whole, method, path, '/responses')
    expect(Object.keys(responses ?? {}).join(' ')).toBe(expected)
  })

  it('V16.5.1 shows every refusal as the same problem, with the body that is really sent', () => {
    for (const [name, response] of Object.entries(at(whole, '/components/responses') ?? {})) {
      expect(Object.keys(response.content), name).toEqual(['application/problem+json'])
      expect(at(response, '/content/application~1problem+json/schema')).toEqual({
        $ref: '#/components/schemas/Problem',
      })
    }
    expect(
      at(
        whole,
        '/components/responses/QuotaExceeded/content/application~1problem+json/examples/QUOTA_EXCEEDED/value',
      ),
    ).toMatchObject({ type: 'https://iana.org/assignments/http-problem-types#quota-exceeded', status: 429 })
  })

  it('V8.2.1 asks for credentials everywhere but on open routes, and says who may call', () => {
    expect(at(whole, '/security')).toEqual([{ bearerAuth: [] }])
    expect(operation(whole, 'get', '/', '/security')).toEqual([])
    expect(operation(whole, 'get', '/api/notes', '/security')).toBeUndefined()
    expect(operation(whole, 'patch', '/api/notes/{id}')).toMatchObject({
      operationId: 'patchApiNotesById',
      tags: ['notes'],
      description: expect.stringContaining('whoever may update the note, or anyone with the role admin'),
      'x-holdfast-access': { kind: 'any', of: [owns, { kind: 'role', roles: ['admin'] }] },
      'x-holdfast-limit': { class: 'read', count: 300, windowSeconds: 60 },
    })
    expect(operation(whole, 'get', '/', '/description')).toContain('Says what this is.')
  })

  it('tells about revisions where the address names a row', () => {
    const conditional = (method: string, path: string): boolean =>
      JSON.stringify(operation(whole, method, path, '/parameters') ?? []).includes('/IfMatch')
    expect(conditional('patch', '/api/notes/{id}')).toBe(true)
    expect(conditional('get', '/api/notes/{id}')).toBe(false)
    expect(conditional('post', '/api/notes')).toBe(false)
    expect(operation(whole, 'get', '/api/notes/{id}', '/responses/200/headers/ETag')).toBeDefined()
    expect(operation(whole, 'get', '/api/notes', '/responses/200/headers/ETag')).toBeUndefined()
    expect(operation(whole, 'get', '/api/notes', '/responses/200/headers/RateLimit')).toBeDefined()
  })

  it('V13.4.2 names no file of the application', () => {
    expect(JSON.stringify(whole)).not.toContain('secret-folder')
  })

  it('gives each operation an id of its own, whatever the order of the routes', () => {
    const routes = ['/a-b', '/a/b', '/aB', '/a/:b', '/a/by/b'].map((path) => route('GET', path))
    const idsOf = (document: unknown): Record<string, string> =>
      Object.fromEntries(
        Object.entries(at(document, '/paths') ?? {}).map(([path, item]) => [path, item.get.operationId]),
      )
    const ids = idsOf(documentOf(...routes))
    expect(new Set(Object.values(ids)).size).toBe(routes.length)
    expect(idsOf(documentOf(...routes.toReversed()))).toEqual(ids)
    for (const id of Object.values(ids)) expect(id).toMatch(/^\w+$/)
  })

  it('takes a property called __proto__ for a property', () => {
    const body: JsonSchema = JSON.parse('{"type":"object","properties":{"__proto__":{"type":"string"}}}')
    const document = documentOf(route('POST', '/a', { schemas: { body } }))
    expect(JSON.stringify(operation(document, 'post', '/a', '/requestBody'))).toContain(
      '"__proto__":{"type":"string"}',
    )
  })
})
