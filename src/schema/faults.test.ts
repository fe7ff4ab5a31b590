import { toStandardJsonSchema } from '@valibot/to-json-schema'
import { type } from 'arktype'
import Joi from 'joi'
import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { describeSchema, type JsonSchema, type Schema, schemaFaults } from './index.ts'

type Role = 'input' | 'output'

function faultsIn(schema: Schema, role: Role): string[] {
  const described = describeSchema(schema, role)
  if (!described.ok) return ['cannot be written']
  return schemaFaults(described.json, role).map(({ rule, path }) => `${rule} ${path}`)
}

const standard = toStandardJsonSchema

/** The same schema four times, and what is wrong with it as an input and as an output. */
interface Case {
  readonly name: string
  readonly schemas: Readonly<Record<string, Schema>>
  readonly input: readonly string[]
  readonly output: readonly string[]
}

const cases: readonly Case[] = [
  {
    name: 'nothing',
    schemas: {
      zod: z.object({ a: z.string().max(9), b: z.array(z.int()).max(3), c: z.uuid().nullable() }),
      valibot: standard(
        v.object({
          a: v.pipe(v.string(), v.maxLength(9)),
          b: v.pipe(v.array(v.number()), v.maxLength(3)),
          c: v.nullable(v.pipe(v.string(), v.uuid())),
        }),
      ),
      arktype: type({ a: 'string <= 9', b: 'number[] <= 3', c: 'string.uuid | null' }),
      joi: Joi.object({
        a: Joi.string().max(9),
        b: Joi.array().items(Joi.number()).max(3),
        c: Joi.string().guid().allow(null),
      }),
    },
    input: [],
    output: [],
  },
  {
    name: 'an open node',
    schemas: {
      zod: z.object({ a: z.unknown() }),
      valibot: standard(v.object({ a: v.unknown() })),
      arktype: type({ a: 'unknown' }),
      joi: Joi.object({ a: Joi.any() }),
    },
    input: ['open-node /a'],
    output: ['open-node /a'],
  },
  {
    name: 'a list of anything',
    schemas: {
      zod: z.object({ a: z.array(z.any()).max(3) }),
      valibot: standard(v.object({ a: v.pipe(v.array(v.any()), v.maxLength(3)) })),
      joi: Joi.object({ a: Joi.array().items(Joi.any()).max(3) }),
    },
    input: ['open-node /a/*'],
    output: ['open-node /a/*'],
  },
  {
    name: 'a list without items',
    schemas: { arktype: type({ a: 'unknown[] <= 3' }), joi: Joi.object({ a: Joi.array().max(3) }) },
    input: ['open-node /a'],
    output: ['open-node /a'],
  },
  {
    name: 'an object without keys',
    schemas: { arktype: type({ a: 'object' }), joi: Joi.object({ a: Joi.object() }) },
    input: ['open-node /a'],
    output: ['open-node /a'],
  },
  {
    name: 'a text of any length, deep inside',
    schemas: {
      zod: z.object({ a: z.array(z.object({ b: z.string() })).max(3) }),
      valibot: standard(v.object({ a: v.pipe(v.array(v.object({ b: v.string() })), v.maxLength(3)) })),
      arktype: type({ a: type({ b: 'string' }).array().atMostLength(3) }),
      joi: Joi.object({
        a: Joi.array()
          .items(Joi.object({ b: Joi.string() }))
          .max(3),
      }),
    },
    input: ['unbounded-string /a/*/b'],
    output: [],
  },
  {
    name: 'a pattern, an address and a URL alone',
    schemas: {
      zod: z.object({ a: z.string().regex(/^a+$/), b: z.email(), c: z.url() }),
      valibot: standard(
        v.object({
          a: v.pipe(v.string(), v.regex(/^a+$/)),
          b: v.pipe(v.string(), v.email()),
          c: v.pipe(v.string(), v.url()),
        }),
      ),
      arktype: type({ a: /^a+$/, b: 'string.email', c: 'string.url' }),
      joi: Joi.object({ a: Joi.string().pattern(/^a+$/), b: Joi.string().email(), c: Joi.string().uri() }),
    },
    input: ['unbounded-string /a', 'unbounded-string /b', 'unbounded-string /c'],
    output: [],
  },
  {
    name: 'a list of any length',
    schemas: {
      zod: z.object({ a: z.array(z.int()) }),
      valibot: standard(v.object({ a: v.array(v.number()) })),
      arktype: type({ a: 'number[]' }),
      joi: Joi.object({ a: Joi.array().items(Joi.number()) }),
    },
    input: ['unbounded-array /a'],
    output: [],
  },
  {
    name: 'a tuple',
    schemas: {
      zod: z.object({ a: z.tuple([z.int(), z.boolean()]) }),
      valibot: standard(v.object({ a: v.strictTuple([v.number(), v.boolean()]) })),
      arktype: type({ a: ['number', 'boolean'] }),
      joi: Joi.object({ a: Joi.array().ordered(Joi.number(), Joi.boolean()) }),
    },
    input: [],
    output: [],
  },
  {
    name: 'a branch of a union',
    schemas: {
      zod: z.object({ a: z.union([z.string(), z.int()]) }),
      valibot: standard(v.object({ a: v.union([v.string(), v.number()]) })),
      arktype: type({ a: 'string | number' }),
      joi: Joi.object({ a: Joi.alternatives(Joi.string(), Joi.number()) }),
    },
    input: ['unbounded-string /a'],
    output: [],
  },
  {
    name: 'a map with names of any length',
    schemas: {
      zod: z.object({ a: z.record(z.string(), z.int()) }),
      valibot: standard(v.object({ a: v.record(v.string(), v.number()) })),
      arktype: type({ a: { '[string]': 'number' } }),
      joi: Joi.object({ a: Joi.object().pattern(Joi.string(), Joi.number()) }),
    },
    // arktype and Joi say nothing of a map's names, so there is no bounded form of it in these two.
    input: ['undeclared-keys /a'],
    output: ['undeclared-keys /a'],
  },
  {
    name: 'a map with bounded names',
    schemas: {
      zod: z.object({ a: z.record(z.string().max(9), z.int()) }),
      valibot: standard(v.object({ a: v.record(v.pipe(v.string(), v.maxLength(9)), v.number()) })),
    },
    input: [],
    output: [],
  },
  {
    name: 'a Date, where the library writes it as anything',
    schemas: { arktype: type({ a: 'Date' }) },
    input: ['open-node /a'],
    output: ['open-node /a'],
  },
  {
    name: 'a Date, where the library refuses to write it',
    schemas: { zod: z.object({ a: z.date() }), valibot: standard(v.object({ a: v.date() })) },
    input: ['cannot be written'],
    output: ['cannot be written'],
  },
  {
    name: 'a recursive schema',
    schemas: {
      arktype: type.module({ node: { name: 'string', 'kids?': 'node[]' } }).node,
      joi: Joi.object({ name: Joi.string(), kids: Joi.array().items(Joi.link('/')) }),
    },
    input: ['unbounded-array /kids', 'unbounded-string /name'],
    output: [],
  },
]

describe.each(cases)('faults: $name', ({ schemas, input, output }) => {
  it.each(Object.entries(schemas))('V2.2.1 are the same in %s', (_, schema) => {
    expect(faultsIn(schema, 'input').toSorted()).toEqual(input)
    expect(faultsIn(schema, 'output').toSorted()).toEqual(output)
  })
})

const written: readonly (readonly [name: string, json: JsonSchema, faults: readonly string[]])[] = [
  ['nothing at all', {}, ['open-node ']],
  ['a description only', { description: 'x' }, ['open-node ']],
  ['a property that is true', { type: 'object', properties: { a: true } }, ['open-node /a']],
  ['a loose object', { type: 'object', properties: {}, additionalProperties: {} }, ['undeclared-keys ']],
  [
    'a loose object, in words',
    { type: 'object', properties: {}, additionalProperties: true },
    ['undeclared-keys '],
  ],
  [
    'patterned keys',
    { type: 'object', properties: {}, patternProperties: { '^a': { type: 'number' } } },
    ['undeclared-keys '],
  ],
  [
    'a condition',
    { type: 'object', properties: {}, if: {}, else: { properties: { a: true } } },
    ['unsupported '],
  ],
  ['a reference elsewhere', { $ref: 'https://example.com/x.json' }, ['unsupported ', 'open-node ']],
  ['a reference to nothing', { $ref: '#/$defs/none' }, ['unsupported ', 'open-node ']],
  ['a reference that cannot be decoded', { $ref: '#/%zz' }, ['unsupported ', 'open-node ']],
  ['a reference to itself', { $ref: '#' }, ['unsupported ', 'open-node ']],
  ['a fixed object', { const: { a: 1 } }, ['unsupported ']],
  ['an open branch', { anyOf: [{ type: 'null' }, {}] }, ['open-node ']],
  ['a part that bounds another', { allOf: [{ type: 'string' }, { maxLength: 3 }] }, []],
  ['a reference beside a bound', { $ref: '#/$defs/a', maxLength: 3, $defs: { a: { type: 'string' } } }, []],
  ['nothing is acceptable', { not: {} }, []],
  [
    'a tail of any length',
    { type: 'array', prefixItems: [{ type: 'null' }], items: { type: 'null' } },
    ['unbounded-array '],
  ],
  ['a key with a slash', { type: 'object', properties: { 'a/b~': {} } }, ['open-node /a~1b~0']],
]

describe('faults of a JSON Schema', () => {
  it.each(written)('V2.2.1 finds %s', (_, json, faults) => {
    expect(schemaFaults(json, 'input').map(({ rule, path }) => `${rule} ${path}`)).toEqual(faults)
  })

  it('says what to write instead', () => {
    const [fault] = schemaFaults({ type: 'string' }, 'input')
    expect(fault?.fix).toContain('.max(200)')
    const [reference] = schemaFaults({ $ref: '#/$defs/none' }, 'input')
    expect(reference?.fix).toContain('"#/$defs/none", which leads nowhere')
  })

  it('comes to an end on unions that multiply', () => {
    const pair = { anyOf: [{ maxLength: 1 }, { maxLength: 2 }] }
    const json = { type: 'string', allOf: Array.from({ length: 40 }, () => pair) }
    expect(schemaFaults(json, 'input').map(({ rule }) => rule)).toEqual(['unsupported'])
  })
})

describe('describeSchema', () => {
  it.each([
    ['a valibot schema that was not wrapped', v.object({}), 'toStandardJsonSchema'],
    ['a transform', z.string().transform(Number), 'Transforms cannot be represented'],
  ])('says what to write for %s', (_, schema, words) => {
    expect(describeSchema(schema, 'output')).toEqual({ ok: false, reason: expect.stringContaining(words) })
  })

  it('refuses what is no Standard Schema', () => {
    const bare: unknown = JSON.parse('{"type": "string"}')
    expect(Reflect.apply(describeSchema, undefined, [bare, 'input'])).toEqual({
      ok: false,
      reason: 'it is not a Standard Schema',
    })
  })

  it('puts null among the values that Joi allows', () => {
    const described = describeSchema(Joi.string().valid('a').allow(null), 'input')
    expect(described).toEqual({ ok: true, json: { type: ['string', 'null'], enum: ['a', null] } })
  })
})
