import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { granted, resource, shared, through } from '../../data/resource.ts'
import type { Access } from '../access.ts'
import { noContent } from '../no-content.ts'
import { type RouteRecord, type RouteSpec, recordOf } from '../route.ts'
import { words } from '../words.ts'
import { examineAdoption } from './adoption.ts'
import { type ExaminedRoute, examineRoute } from './examine.ts'
import { membersRead } from './members-read.ts'
import { examineOverlap } from './overlap.ts'
import { BootError, type Violation } from './violation.ts'
import { examineVocabulary } from './vocabulary.ts'

const NoteRow = z.strictObject({ id: z.uuid(), ownerId: z.uuid(), title: z.string().max(200) })
const Note = resource('note', 'notes', { row: NoteRow, owner: 'ownerId', server: { id: 'uuid' } })
const w = words({
  resources: [Note],
  roles: ['admin'],
  limits: { read: { count: 10, windowSeconds: 60 }, write: { count: 5, windowSeconds: 60 } },
})
const View = NoteRow.omit({ ownerId: true })
const ById = z.strictObject({ id: z.uuid() })
const whole: RouteSpec = { access: w.owns(Note), params: ById, output: View, limit: 'read' }

/** A route as plain JavaScript would write it: the compiler has seen nothing. */
function written(
  address: string,
  spec: Record<string, unknown>,
  handler: (context: never) => unknown = () => undefined,
): RouteRecord {
  return { address, spec, handler, place: { file: `${process.cwd()}/app/notes.ts`, line: 7 } }
}

function rulesOf(found: readonly Violation[]): string[] {
  return found.map((violation) => violation.rule)
}

function refused(record: RouteRecord): string[] {
  return rulesOf(examineRoute(record, w.vocabulary).violations)
}

function examined(address: string, spec: RouteSpec): ExaminedRoute {
  const { route } = examineRoute(written(address, { ...spec }), w.vocabulary)
  expect(route).toBeDefined()
  return route as ExaminedRoute
}

describe('V8.2.1 a route that leaves something open is refused', () => {
  it('lets a whole route pass', () => {
    expect(refused(written('GET /api/notes/:id', { ...whole }))).toEqual([])
  })

  const cases: [string, string, Record<string, unknown>, string][] = [
    ['no access', 'GET /a/:id', { ...whole, access: undefined }, 'route.access-missing'],
    [
      'access made by hand',
      'GET /a/:id',
      { ...whole, access: { rule: { kind: 'open', reason: 'x' } } },
      'route.access-missing',
    ],
    ['no limit', 'GET /a/:id', { ...whole, limit: undefined }, 'route.limit-missing'],
    ['an unknown limit', 'GET /a/:id', { ...whole, limit: 'raed' }, 'route.limit-unknown'],
    ['a limit from the prototype', 'GET /a/:id', { ...whole, limit: 'toString' }, 'route.limit-unknown'],
    ['no params', 'GET /a/:id', { ...whole, params: undefined }, 'route.params-missing'],
    [
      'other params',
      'GET /a/:id',
      { ...whole, params: z.strictObject({ slug: z.uuid() }) },
      'route.params-mismatch',
    ],
    [
      'params without parameters',
      'GET /a',
      whole as object as Record<string, unknown>,
      'route.params-mismatch',
    ],
    ['no output', 'GET /a/:id', { ...whole, output: undefined }, 'route.output-missing'],
    ['an output that holds anything', 'GET /a/:id', { ...whole, output: z.any() }, 'schema.open-node'],
    [
      'an open node deep in the output',
      'GET /a/:id',
      { ...whole, output: z.strictObject({ a: z.array(z.unknown()) }) },
      'schema.open-node',
    ],
    [
      'a query text without an end',
      'GET /a/:id',
      { ...whole, query: z.strictObject({ q: z.string() }) },
      'schema.unbounded-string',
    ],
    [
      'a body list without an end',
      'PUT /a/:id',
      { ...whole, body: z.strictObject({ tags: z.array(z.uuid()) }) },
      'schema.unbounded-array',
    ],
    [
      'a body that admits other keys',
      'PUT /a/:id',
      { ...whole, body: z.looseObject({ a: z.int() }) },
      'schema.undeclared-keys',
    ],
    [
      'a schema with no JSON Schema',
      'PUT /a/:id',
      { ...whole, body: z.strictObject({ at: z.date() }) },
      'schema.not-json-schema',
    ],
    [
      'a body that sets the owner',
      'PUT /a/:id',
      { ...whole, body: z.strictObject({ ownerId: z.uuid() }) },
      'schema.server-column',
    ],
    [
      'a body that sets the key',
      'PUT /a/:id',
      { ...whole, body: z.strictObject({ id: z.uuid() }) },
      'schema.server-column',
    ],
    ['a body on GET', 'GET /a/:id', { ...whole, body: z.strictObject({ a: z.int() }) }, 'route.body-on-get'],
    ['an unknown member', 'GET /a/:id', { ...whole, limits: 'read' }, 'route.unknown-member'],
    ['a wildcard', 'GET /a/*', { ...whole, params: undefined }, 'route.address'],
    ['a regular expression', 'GET /a/:id(\\d+)', { ...whole }, 'route.address'],
    ['a trailing slash', 'GET /a/', { ...whole }, 'route.address'],
    ['an unknown method', 'TRACE /a/:id', { ...whole }, 'route.address'],
    [
      'open without a reason',
      'GET /a',
      { access: w.open('   '), output: View, limit: 'read' },
      'access.reason-missing',
    ],
    [
      'two resources',
      'GET /a/:id',
      { ...whole, access: w.owns(Note).or(w.owns(Note)) },
      'access.two-resources',
    ],
  ]
  for (const [name, address, spec, rule] of cases) {
    it(name, () => {
      expect(refused(written(address, spec))).toContain(rule)
    })
  }

  it('refuses a role and a resource that the vocabulary does not know', () => {
    const other = words({ resources: [], roles: ['boss'], limits: {} })
    const Foreign = resource('note', 'notes', { row: NoteRow, owner: 'ownerId', server: {} })
    const foreign: { owns(resource: unknown): Access<unknown> } = { owns: (r) => w.owns(r as typeof Note) }
    expect(refused(written('GET /a', { access: other.role('boss'), output: View, limit: 'read' }))).toEqual([
      'access.unknown-role',
    ])
    expect(refused(written('GET /a/:id', { ...whole, access: foreign.owns(Foreign) }))).toEqual([
      'access.unknown-resource',
    ])
  })

  it('refuses a handler that reads what no schema describes', () => {
    const spec = { access: w.signedIn(), output: View, limit: 'write' }
    const handlers = [
      ({ body }: { body: unknown }) => body,
      async ({ db, body: draft }: { db: unknown; body: unknown }) => [db, draft],
      (context: { body: unknown }) => context.body,
      function named(context: { body: unknown }) {
        return context.body
      },
    ]
    for (const handler of handlers) {
      expect(refused(written('POST /a', spec, handler as (context: never) => unknown))).toEqual([
        'route.input-undeclared',
      ])
    }
  })

  it('names every violation with its route, place and what to write', () => {
    const { violations } = examineRoute(written('GET /a/:id', {}), w.vocabulary)
    expect(rulesOf(violations)).toEqual([
      'route.access-missing',
      'route.limit-missing',
      'route.params-missing',
      'route.output-missing',
    ])
    const { report } = new BootError(violations)
    expect(report).toContain('4 things would be open by accident')
    for (const text of [
      'GET /a/:id',
      'app/notes.ts:7',
      `limit: 'read' or limit: 'write'`,
      `open('why`,
      'z.strictObject({ id: z.uuid() })',
    ]) {
      expect(report).toContain(text)
    }
  })

  it('knows the success status', () => {
    const base = { access: w.signedIn(), limit: 'read' } as const
    expect(examined('GET /a', { ...base, output: View }).status).toBe(200)
    expect(examined('POST /a', { ...base, output: View }).status).toBe(201)
    expect(examined('POST /a', { ...base, output: View, status: 202 }).status).toBe(202)
    expect(examined('DELETE /a', { ...base, output: noContent }).status).toBe(204)
  })

  it('names the file and line of the call', () => {
    const made = w.route('GET /a', { access: w.signedIn(), output: View, limit: 'read' }, () => ({
      id: '',
      title: '',
    }))
    expect(recordOf(made)?.place.file).toMatch(/gate\.test\.ts$/)
    expect(recordOf(made)?.place.line).toBeGreaterThan(100)
  })
})

describe('members a handler reads', () => {
  it('finds names, not look-alikes', () => {
    expect(membersRead(({ somebody }: { somebody: unknown }) => somebody)).toEqual([])
    expect(membersRead((context: { x: { body: unknown } }) => context.x.body)).toEqual([])
    expect(
      membersRead(({ query = 1, params }: { query?: number; params: unknown }) => [query, params]),
    ).toEqual(['params', 'query'])
  })
})

describe('overlapping routes', () => {
  const open = { access: w.open('Says nothing about anyone.'), output: View, limit: 'read' } as const

  it('refuses twins whatever their parameter is called', async () => {
    const One = z.strictObject({ one: z.uuid() })
    const found = await examineOverlap([
      examined('GET /a/:id', { ...open, params: ById }),
      examined('GET /a/:one', { ...open, params: One }),
    ])
    expect(rulesOf(found)).toEqual(['route.duplicate'])
  })

  it('refuses a static path that hides a value its neighbour accepts, and only that', async () => {
    const any = z.strictObject({ id: z.string().max(20) })
    const hidden = [examined('GET /a/:id', { ...open, params: any }), examined('GET /a/new', open)]
    const apart = [examined('GET /a/:id', { ...open, params: ById }), examined('GET /a/new', open)]
    expect(rulesOf(await examineOverlap(hidden))).toEqual(['route.shadowed'])
    expect(await examineOverlap(apart)).toEqual([])
  })
})

describe('the vocabulary', () => {
  const limits = {}
  it('refuses resources without an owner, a reason, a column or a table', () => {
    // JavaScript can leave out what the types demand.
    const ownerless = { ...Note, owner: undefined } as object as typeof Note
    const found = examineVocabulary({
      roles: [],
      limits,
      resources: [
        ownerless,
        resource('a', 'as', { row: NoteRow, owner: shared(''), server: {} }),
        resource('b', 'bs', { row: NoteRow, owner: through('nowhere', 'id'), server: {} }),
        resource('c', 'cs', {
          row: NoteRow,
          owner: 'ownerId',
          server: {},
          read: granted('as', { row: 'x', user: 'id' }),
        }),
        resource('d', 'as', { row: NoteRow, owner: 'ownerId', server: {} }),
        { ...Note, name: 'e', table: 'es', key: 'nope' },
      ],
    })
    expect(rulesOf(found).sort()).toEqual([
      'resource.duplicate',
      'resource.owner-missing',
      'resource.reason-missing',
      'resource.unknown-column',
      'resource.unknown-column',
      'resource.unknown-table',
    ])
  })

  it('refuses limit classes that are no numbers', () => {
    const bad = {
      roles: [],
      resources: [],
      limits: { a: { count: 0, windowSeconds: 1 }, b: { count: 1.5, windowSeconds: 1 } },
    }
    expect(rulesOf(examineVocabulary(bad))).toEqual(['limit.invalid', 'limit.invalid'])
  })

  it('V8.1.1 refuses a permission that nobody has or that names no role, and takes the others', () => {
    const { permission, vocabulary } = words({
      resources: [],
      roles: ['admin', 'editor'],
      limits: { read: { count: 1, windowSeconds: 60 } },
      permissions: { publish: ['editor', 'admin'], nothing: [] },
    })
    const examined = (name: 'publish' | 'nothing') =>
      examineRoute(written('GET /a', { access: permission(name), output: View, limit: 'read' }), vocabulary)
    expect(rulesOf(examined('nothing').violations)).toEqual(['access.unknown-role'])
    expect(examined('publish').route?.access).toEqual({
      kind: 'role',
      roles: ['editor', 'admin'],
      permission: 'publish',
    })
    const bad = { roles: ['admin'], resources: [], limits: {}, permissions: { publish: ['boss'] } }
    expect(rulesOf(examineVocabulary(bad))).toEqual(['resource.unknown-role'])
  })
})

describe('adopted plugins', () => {
  it('refuses an adoption without reason, access or limit, and ownership', () => {
    expect(
      rulesOf(examineAdoption({ reason: '', access: undefined, limit: undefined }, 'a.ts:1', w.vocabulary)),
    ).toEqual(['plugin.reason-missing', 'route.limit-missing', 'route.access-missing'])
    const owned = { reason: 'Serves the landing page.', access: w.owns(Note), limit: 'read' }
    expect(rulesOf(examineAdoption(owned, 'a.ts:1', w.vocabulary))).toEqual(['access.owns-on-plugin'])
  })
})
