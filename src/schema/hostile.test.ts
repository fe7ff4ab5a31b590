import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { Problem } from '../errors/index.ts'
import {
  type Checked,
  compileInput,
  compileProjection,
  compileText,
  compileUndeclared,
  describeSchema,
  type JsonSchema,
  type Schema,
} from './index.ts'
import { Inspection } from './inspect.ts'
import { readShape } from './read-shape.ts'

function jsonOf(schema: Schema, side: 'input' | 'output' = 'input'): JsonSchema {
  const described = describeSchema(schema, side)
  return described.ok ? described.json : {}
}

const check = (schema: Schema, value: unknown): Checked | Promise<Checked> =>
  compileInput(schema, jsonOf(schema))(value)

const leaf = fc.constantFrom<JsonSchema>(
  { type: 'string' },
  { type: 'number' },
  { type: ['boolean', 'null'] },
)
const names = fc.constantFrom('a', 'b', 'constructor', 'toString', '__proto__', 'a/b')

const schemas = fc.letrec<{ node: JsonSchema; object: JsonSchema }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    leaf,
    tie('object'),
    fc.record({ type: fc.constant('array'), items: tie('node') }),
  ),
  object: fc
    .dictionary(names, tie('node'), { maxKeys: 4 })
    .map((properties) => ({ type: 'object', properties: { ...properties } })),
})).node

/** A value that has what the schema declares, and more when `extra` is set. */
function valueFor(schema: JsonSchema, extra: object): unknown {
  const { type: kind, properties, items } = schema
  if (kind === 'string') return 'x'
  if (kind === 'number') return 1
  if (kind === 'array') return [valueFor(schemaOf(items), extra), valueFor(schemaOf(items), extra)]
  if (kind !== 'object') return null
  const members = Object.entries(schemaOf(properties)).map(([name, inner]) => [
    name,
    valueFor(schemaOf(inner), extra),
  ])
  return Object.fromEntries([...Object.entries(extra), ...members])
}

function schemaOf(value: unknown): JsonSchema {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}

describe('properties', () => {
  it('V15.3.1 a projection never yields a key that is not declared', () => {
    fc.assert(
      fc.property(schemas, fc.dictionary(fc.string(), fc.jsonValue()), (json, extra) => {
        const cut = compileProjection(json)(valueFor(json, extra))
        expect(compileUndeclared(json)(cut)).toEqual([])
        expect(cut).toEqual(valueFor(json, {}))
      }),
    )
  })

  it('V15.3.3 a value without undeclared keys projects to itself, one with them is found', () => {
    fc.assert(
      fc.property(schemas, (json) => {
        const clean = valueFor(json, {})
        expect(compileUndeclared(json)(clean)).toEqual([])
        expect(compileProjection(json)(clean)).toEqual(clean)
        const spoilt = valueFor(json, { 'never declared': 1 })
        const holdsObject = JSON.stringify(spoilt).includes('never declared')
        expect(compileUndeclared(json)(spoilt).length > 0).toBe(holdsObject)
      }),
    )
  })

  it('any JSON is answered, without an exception and without an echo', () => {
    const schema = z.object({
      a: z.array(z.union([z.object({ k: z.literal(1) }), z.string().max(3)])).max(3),
      b: z.uuid(),
    })
    const run = compileInput(schema, jsonOf(schema))
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const answer = run({ a: value, b: value, 'CANARY key': value })
        expect(answer).toMatchObject({ ok: false })
        expect(JSON.stringify(answer)).not.toContain('CANARY')
      }),
    )
  })

  it('V15.3.5 a text that is read as a number is exactly that number', () => {
    const read = compileText({ type: 'object', properties: { n: { type: 'number' } } })
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.double().map(String), fc.maxSafeInteger().map(String)), (n) => {
        expect(String(read({ n })['n'])).toBe(n)
      }),
    )
  })
})

describe('hostile values', () => {
  const list: JsonSchema = {
    type: 'array',
    items: { type: 'object', properties: { a: { type: 'number' } } },
  }

  it('names at most twenty places, however many there are', () => {
    const many = Array.from({ length: 100_000 }, () => ({ b: 1 }))
    expect(compileUndeclared(list)(many)).toHaveLength(20)
  })

  it('does not grow a fault for each of many wrong items', async () => {
    const schema = z.array(z.int())
    const checked = await check(
      schema,
      Array.from({ length: 100_000 }, () => 'x'),
    )
    expect(checked.ok ? [] : checked.errors).toHaveLength(20)
  })

  it('collects at most twenty faults, not only shows them', () => {
    const inspection = new Inspection()
    const many = Array.from({ length: 1_000 }, () => ({ a: 'x' }))
    inspection.look(readShape(list), many)
    expect(inspection.faults).toHaveLength(20)
  })

  it('V15.3.6 does not take an inherited property for a required one', () => {
    const schema = z.object({ constructor: z.string().max(9), toString: z.literal('x') })
    expect(check(schema, {})).toEqual({
      ok: false,
      errors: [
        { path: '/constructor', message: 'required' },
        { path: '/toString', message: 'required' },
      ],
    })
  })

  it('shares the answer when nothing is wrong', () => {
    const find = compileUndeclared(list)
    expect(find([{ a: 1 }])).toBe(find([{ a: 2 }]))
  })

  // Each level fits two alternatives until the innermost decides: 2^60 ways for a search without memory.
  const ambiguous: JsonSchema = {
    anyOf: [
      { type: 'object', properties: { kid: { $ref: '#' }, x: { type: 'string' } } },
      { type: 'object', properties: { kid: { $ref: '#' }, x: { type: 'number' } } },
    ],
  }

  const nested = (levelCount: number, innermost: unknown): unknown => {
    let value = innermost
    for (let level = 0; level < levelCount; level++) value = { kid: value }
    return value
  }

  it('V15.3.3 finds its way through ambiguous unions in little time', () => {
    expect(compileUndeclared(ambiguous)(nested(60, { x: 1 }))).toEqual([])
    expect(compileUndeclared(ambiguous)(nested(60, { isAdmin: true }))).toHaveLength(1)
    expect(compileProjection(ambiguous)(nested(60, { x: 1, secret: 1 }))).toEqual(nested(60, { x: 1 }))
  })

  it('V15.3.3 is no hiding place below its deepest level', () => {
    const recursive: JsonSchema = { type: 'object', properties: { kid: { $ref: '#' } } }
    expect(compileUndeclared(recursive)(nested(5_000, { isAdmin: true }))).toHaveLength(1)
    expect(() => compileProjection(recursive)(nested(5_000, {}))).toThrow(Problem)
  })

  it('ends on an output that holds itself', () => {
    const twins = {
      anyOf: ['string', 'number'].map((x) => ({
        type: 'object',
        properties: { kid: { $ref: '#' }, twin: { $ref: '#' }, x: { type: x } },
      })),
    }
    const knot: Record<string, unknown> = {}
    knot['kid'] = knot
    knot['twin'] = knot
    expect(() => compileProjection(twins)(knot)).toThrow(Problem)
  })
})

describe('projection', () => {
  const json: JsonSchema = { type: 'object', properties: { id: { type: 'string' }, at: { type: 'string' } } }
  const cut = compileProjection(json)

  it('V15.3.6 copies own properties only, into a plain object', () => {
    class Row {
      id = 'n1'
      secret = 's'
      get at(): string {
        return 'inherited'
      }
    }
    const copy = cut(new Row())
    expect(copy).toEqual({ id: 'n1' })
    expect(Object.getPrototypeOf(copy)).toBe(Object.prototype)
    expect(
      compileProjection({ type: 'object', properties: { constructor: { type: 'string' } } })({}),
    ).toEqual({})
  })

  it('V15.3.6 keeps a declared __proto__ as a property', () => {
    const declared: JsonSchema = JSON.parse('{"type":"object","properties":{"__proto__":{"type":"number"}}}')
    const copy = compileProjection(declared)(JSON.parse('{"__proto__":1}'))
    expect(JSON.stringify(copy)).toBe('{"__proto__":1}')
  })

  it.each([
    ['an object for a text', { id: { secret: 1 } }],
    ['bytes for a text', { id: Buffer.from('secret') }],
    ['a function', { id: () => 'secret' }],
    ['a list for the object', ['secret']],
  ])('V15.3.1 refuses %s', (_, value) => expect(() => cut(value)).toThrow(Problem))

  it('V15.3.1 gives nothing of an open node', () => {
    expect(() => compileProjection({})({ secret: 1 })).toThrow(Problem)
  })

  it('cuts maps, tuples and merged parts', () => {
    const parts: JsonSchema = {
      allOf: [
        {
          type: 'object',
          properties: { map: { type: 'object', additionalProperties: { $ref: '#/$defs/n' } } },
        },
        { type: 'object', properties: { pair: { type: 'array', prefixItems: [{ type: 'number' }] } } },
      ],
      $defs: { n: { type: 'object', properties: { n: { type: 'number' } } } },
    }
    const row = { map: { x: { n: 1, secret: 1 } }, pair: [1, 'secret'], secret: 1 }
    expect(compileProjection(parts)(row)).toEqual({ map: { x: { n: 1 } }, pair: [1] })
    expect(compileUndeclared(parts)(row).toSorted()).toEqual(['', '/map/*', '/pair'])
  })
})
