import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { RoutePlan } from '../route/index.ts'
import { describeSchema, type JsonSchema } from '../schema/index.ts'
import { curlOf } from './curl.ts'
import { exampleOf } from './example.ts'
import { fieldsOf } from './fields.ts'

function json(schema: z.ZodType): JsonSchema {
  const described = describeSchema(schema, 'input')
  if (!described.ok) expect.fail(described.reason)
  return described.json
}

const Tree = z.strictObject({
  name: z.string().max(5),
  get kids() {
    return z.array(Tree).max(3)
  },
  get twin() {
    return Tree.optional()
  },
})
const Address = z.strictObject({ street: z.string().min(3).max(30) }).meta({ id: 'Address' })

const schemas: [string, z.ZodType][] = [
  [
    'texts',
    z.strictObject({ a: z.string().min(60).max(70), b: z.string().max(2), c: z.string().min(3).max(3) }),
  ],
  [
    'formats',
    z.strictObject({
      a: z.uuid(),
      b: z.email(),
      c: z.iso.datetime(),
      d: z.iso.date(),
      e: z.url(),
      f: z.ipv4(),
    }),
  ],
  [
    'numbers',
    z.strictObject({
      a: z.int(),
      b: z.number().min(5).max(9),
      c: z.number().gt(5).lt(7),
      d: z.number().max(-3),
    }),
  ],
  [
    'steps',
    z.strictObject({
      a: z.int().multipleOf(5).min(7),
      b: z.number().multipleOf(0.25).positive(),
      c: z.int().negative(),
    }),
  ],
  [
    'lists',
    z.strictObject({ a: z.array(z.int()).min(2).max(3), b: z.tuple([z.string().max(3), z.boolean()]) }),
  ],
  [
    'options',
    z.strictObject({ a: z.enum(['x', 'y']), b: z.literal(7), c: z.string().max(3).nullable(), d: z.null() }),
  ],
  ['unions', z.union([z.strictObject({ a: z.int() }), z.strictObject({ b: z.boolean() })])],
  ['maps', z.record(z.string().max(5), z.int())],
  ['definitions', z.strictObject({ home: Address, work: Address.nullable(), all: z.array(Address).max(3) })],
  ['a schema that holds itself', Tree],
  ['a schema that holds one that holds itself', z.strictObject({ tree: Tree, trees: z.array(Tree).max(2) })],
  [
    'defaults',
    z.strictObject({ a: z.int().min(1).max(100).default(20), b: z.string().max(9).default("it's") }),
  ],
]

describe('an example', () => {
  it.each(schemas)('is one that its schema takes: %s', (_, schema) => {
    const example = exampleOf(json(schema))
    expect(schema.safeParse(example), JSON.stringify(example)).toMatchObject({ success: true })
  })

  it('comes to an end when a schema must hold itself', () => {
    const endless = { type: 'object', properties: { next: { $ref: '#' } }, required: ['next'] }
    expect(exampleOf(endless)).toEqual({})
    expect(exampleOf({ $ref: '#' })).toBeNull()
  })
})

describe('the fields of a schema', () => {
  it('are told with their types and bounds', () => {
    const Body = z.strictObject({
      title: z.string().min(1).max(200).describe('What it is called.'),
      count: z.int().min(1).max(100).default(20),
      id: z.uuid().nullable(),
      tags: z.array(z.string().max(9)).max(5).optional(),
      homes: z.array(Address).max(2),
      way: z.discriminatedUnion('kind', [
        z.strictObject({ kind: z.literal('card'), digits: z.string().length(4) }),
        z.strictObject({ kind: z.literal('cash'), amount: z.number().positive() }),
      ]),
    })
    const lines = fieldsOf(json(Body)).map(({ name, depthCount, type, bounds, isRequired, isHeading }) =>
      [depthCount, name, type, ...bounds, ...(isRequired && !isHeading ? ['required'] : [])].join(' | '),
    )
    expect(lines).toEqual([
      '0 | title | text | 1 to 200 characters | required',
      '0 | count | whole number | 1 to 100 | default 20',
      '0 | id | UUID or null | required',
      '0 | tags | list of text | at most 5 items',
      '0 | homes | list of objects | at most 2 items | required',
      '1 | street | text | 3 to 30 characters | required',
      '0 | way | object | required',
      '1 |  | either, when kind is "card"',
      '2 | kind | "card" | required',
      '2 | digits | text | exactly 4 characters | required',
      '1 |  | or, when kind is "cash"',
      '2 | kind | "cash" | required',
      '2 | amount | number | above 0 | required',
    ])
  })

  it('come to an end when a schema holds itself', () => {
    expect(fieldsOf(json(Tree)).length).toBeLessThan(20)
    const wide = Object.fromEntries(
      Array.from({ length: 9 }, (_, index) => [`p${index}`, { $ref: '#/$defs/A' }]),
    )
    const bomb = { $ref: '#/$defs/A', $defs: { A: { type: 'object', properties: wide } } }
    expect(fieldsOf(bomb).length).toBeLessThanOrEqual(200)
  })

  it('are told of a list and of a plain value too', () => {
    expect(fieldsOf(json(z.array(Address).max(3))).map(({ name, type }) => `${name} ${type}`)).toEqual([
      ' list of objects',
      'street text',
    ])
    expect(fieldsOf(json(z.string().max(3))).map(({ type }) => type)).toEqual(['text'])
  })
})

describe('the line to try', () => {
  const quirks = `it's $(touch /tmp/x) \`id\` "; exit 1 #\\ \n!`
  const route: RoutePlan = {
    method: 'PUT',
    path: '/api/notes/:id',
    access: { kind: 'signed-in' },
    limit: 'write',
    status: 200,
    schemas: {
      params: { type: 'object', properties: { id: { type: 'string', default: quirks } } },
      query: {
        type: 'object',
        properties: { a: { type: 'string', default: quirks }, b: { type: 'string' } },
        required: ['a'],
      },
      body: { type: 'object', properties: { [quirks]: { type: 'string', default: quirks } } },
    },
    source: 'x',
    origin: 'application',
  }

  it('V1.2.5 gives the shell nothing to run but the token', () => {
    // A shell function in place of curl shows which words arrive.
    const script = `curl() { for word in "$@"; do printf '%s\\0' "$word"; done; }; TOKEN=abc; ${curlOf(route, `https://x.example/${quirks}`)}`
    const words = execFileSync('/bin/sh', ['-c', script], { encoding: 'utf8' }).split('\0').slice(0, -1)
    const search = new URLSearchParams({ a: quirks }).toString()
    expect(words).toEqual([
      '-X',
      'PUT',
      `https://x.example/${quirks}/api/notes/${encodeURIComponent(quirks)}?${search}`,
      '-H',
      'Authorization: Bearer abc',
      '-H',
      'Content-Type: application/json',
      '-d',
      JSON.stringify({ [quirks]: quirks }, null, 2),
    ])
  })

  it('carries no token to an open route', () => {
    const open = { ...route, access: { kind: 'open', reason: 'Anyone.' } } as const
    expect(curlOf(open, 'https://x.example')).not.toContain('Authorization')
  })
})
