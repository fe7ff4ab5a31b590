import { toStandardJsonSchema } from '@valibot/to-json-schema'
import { type } from 'arktype'
import fc from 'fast-check'
import Joi from 'joi'
import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { Problem } from '../errors/index.ts'
import { compileOutput, compileProjection, describeSchema, type JsonSchema, type Schema } from './index.ts'
import { define } from './own-property.ts'

const libraries: Readonly<Record<string, Schema>> = {
  zod: z.object({ id: z.string(), title: z.string(), count: z.number(), note: z.string().nullable() }),
  valibot: toStandardJsonSchema(
    v.object({ id: v.string(), title: v.string(), count: v.number(), note: v.nullable(v.string()) }),
  ),
  arktype: type({ id: 'string', title: 'string', count: 'number', note: 'string|null' }),
  joi: Joi.object({
    id: Joi.string().required(),
    title: Joi.string().required(),
    count: Joi.number().required(),
    note: Joi.string().allow(null).required(),
  }),
}

function jsonOf(schema: Schema): JsonSchema {
  const described = describeSchema(schema, 'output')
  return described.ok ? described.json : {}
}

const declared = { id: 'n1', title: 'a', count: 1, note: null }

class Row {
  readonly id = 'n1'
  readonly title = 'a'
  readonly count = 1
  readonly note = null
  readonly passwordHash = 'secret'
  get secret(): string {
    return 'secret'
  }
  toJSON(): object {
    return { passwordHash: 'secret' }
  }
}

const returned: Readonly<Record<string, unknown>> = {
  'what is declared': declared,
  'undeclared keys': { ...declared, passwordHash: 'secret', isAdmin: true },
  'undeclared objects and functions': { ...declared, who: { passwordHash: 'secret' }, save: () => 'secret' },
  'symbols as keys': { ...declared, [Symbol('secret')]: 'secret' },
  'a class instance': new Row(),
  'no prototype': Object.assign(Object.create(null), declared, { secret: 'secret' }),
  'undeclared inherited keys': Object.assign(Object.create({ secret: 'secret' }), declared),
  'a toJSON of its own': { ...declared, toJSON: () => ({ secret: 'secret' }) },
  'an inherited toJSON': Object.assign(Object.create({ toJSON: () => 'secret' }), declared),
  'an own __proto__': withProto({ toJSON: () => 'secret', secret: 'secret' }),
  'keys that cannot be seen': Object.defineProperty({ ...declared }, 'secret', { value: 'secret' }),
  'a getter of an undeclared key': Object.defineProperty({ ...declared }, 'secret', {
    get: () => 'secret',
    enumerable: true,
  }),
  'a proxy': new Proxy({ ...declared, secret: 'secret' }, {}),
}

function withProto(value: object): object {
  const made: Record<string, unknown> = { ...declared }
  define(made, '__proto__', value)
  return made
}

describe.each(Object.entries(libraries))('V15.3.1 what a handler returns, with %s', (_library, schema) => {
  const output = compileOutput(schema, jsonOf(schema))

  it.each(Object.entries(returned))('is cut to what is declared: %s', async (_what, value) => {
    const projected = await output(value)
    expect(projected).toEqual({ ok: true, value: declared })
    const sent = JSON.stringify(projected.ok ? projected.value : undefined)
    expect(JSON.parse(sent)).toEqual(declared)
    expect(sent).not.toContain('secret')
  })

  const wrong: Readonly<Record<string, unknown>> = {
    'keys that are inherited': Object.create(declared),
    'keys that cannot be seen': Object.defineProperty({ ...declared }, 'id', { enumerable: false }),
    'a getter of the class': Object.assign(
      Object.create({
        get id() {
          return 'n1'
        },
      }),
      { title: 'a', count: 1, note: null },
    ),
    'a function for a text': { ...declared, title: () => 'a' },
    'a symbol for a text': { ...declared, title: Symbol('a') },
    'an object for a text': { ...declared, title: { secret: 'secret' } },
    'a list for a text': { ...declared, title: ['secret'] },
    'a bigint for a number': { ...declared, count: 1n },
    'no number': { ...declared, count: Number.NaN },
    'a list': [declared],
    'a function': () => declared,
    null: null,
    nothing: undefined,
  }
  it.each(Object.entries(wrong))('is refused with %s', async (_what, value) => {
    const projected = await output(value)
    expect(projected).toMatchObject({ ok: false })
    expect(JSON.stringify(projected)).not.toContain('secret')
  })
})

const names = fc.constantFrom('a', 'b', 'c', 'constructor', 'toString', '__proto__')
const scalars = fc.constantFrom<unknown>('x', 1, true, null, undefined, 1n, Number.NaN)
const members = fc.oneof(
  { weight: 8, arbitrary: scalars },
  { weight: 1, arbitrary: fc.constantFrom<unknown>({}, [], new Date(0), () => 'x', Symbol('x')) },
)

interface Case {
  readonly json: JsonSchema
  readonly value: unknown
}

const flat: fc.Arbitrary<Case> = fc
  .record({
    declares: fc.uniqueArray(names, { maxLength: 4 }),
    own: fc.array(fc.tuple(names, members, fc.boolean()), { maxLength: 6 }),
    inherited: fc.array(fc.tuple(names, members), { maxLength: 2 }),
    isNullable: fc.boolean(),
    rest: fc.constantFrom(undefined, false, { type: 'string' }),
  })
  .map(({ declares, own, inherited, isNullable, rest }) => {
    const properties: Record<string, JsonSchema> = {}
    for (const name of declares) define(properties, name, { type: ['string', 'number', 'null'] })
    const above: Record<string, unknown> = {}
    for (const [name, value] of inherited) define(above, name, value)
    const value: object = Object.create(above)
    for (const [name, member, enumerable] of own)
      Object.defineProperty(value, name, { value: member, enumerable, configurable: true })
    const kind = isNullable ? ['object', 'null'] : 'object'
    return {
      json: { type: kind, properties, ...(rest === undefined ? {} : { additionalProperties: rest }) },
      value,
    }
  })

/** What comes of a cut: each member of the copy by name, whatever the name is, or the refusal. */
function outcomeOf(cut: () => unknown): unknown {
  try {
    const copy: unknown = cut()
    const made = Object(copy)
    const names = Reflect.ownKeys(made).map(String).toSorted()
    const members = names.map((name) => [name, Object.getOwnPropertyDescriptor(made, name)])
    return { members, isPlain: Object.getPrototypeOf(made) === Object.prototype }
  } catch (error) {
    if (error instanceof Problem) return 'refused'
    throw error
  }
}

describe('the quick cut', () => {
  it('V15.3.1 gives what the careful one gives', () => {
    const count = { cut: 0, refused: 0 }
    fc.assert(
      fc.property(flat, ({ json, value }) => {
        // Below another object the careful one does it.
        const careful = compileProjection({ type: 'object', properties: { in: json } })
        const expected = outcomeOf(() => Reflect.get(Object(careful({ in: value })), 'in'))
        const given = outcomeOf(() => compileProjection(json)(value))
        expect(given).toEqual(expected)
        count[given === 'refused' ? 'refused' : 'cut'] += 1
      }),
      { numRuns: 2_000 },
    )
    expect(Math.min(count.cut, count.refused)).toBeGreaterThan(50)
  })

  it('V15.3.1 reads each member once, so that no second reading gives something else', () => {
    let readCount = 0
    const value = Object.defineProperty({}, 'id', {
      get: () => {
        readCount += 1
        return readCount === 1 ? 'n1' : { secret: 'secret' }
      },
      enumerable: true,
    })
    const cut = compileProjection({ type: 'object', properties: { id: { type: 'string' } } })
    expect(cut(value)).toEqual({ id: 'n1' })
    expect(readCount).toBe(1)
  })

  it('keeps dates and lists for the careful one', () => {
    const json = { type: 'object', properties: { at: { type: 'string', format: 'date-time' } } }
    const at = new Date(0)
    expect(compileProjection(json)({ at, secret: 1 })).toEqual({ at })
    const list = { type: 'object', properties: { tags: { type: 'array', items: { type: 'string' } } } }
    expect(compileProjection(list)({ tags: ['a'], secret: 1 })).toEqual({ tags: ['a'] })
  })
})
