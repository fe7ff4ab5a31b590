import { toStandardJsonSchema } from '@valibot/to-json-schema'
import { type } from 'arktype'
import Joi from 'joi'
import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import {
  type Checked,
  compileInput,
  compileOutput,
  compileText,
  describeSchema,
  type JsonSchema,
  type Projected,
  type Schema,
} from './index.ts'

interface Library {
  readonly name: string
  /** Query parameters. */
  readonly paging: Schema
  /** A union told apart by `kind`, and `null`. */
  readonly union: Schema
}

const libraries: readonly Library[] = [
  {
    name: 'zod',
    paging: z.object({
      limit: z.int().min(1).max(100),
      ratio: z.number().optional(),
      all: z.boolean().optional(),
      tag: z.array(z.string().max(5)).max(3).optional(),
      name: z.string().max(20).optional(),
    }),
    union: z.object({
      item: z.union([
        z.object({ kind: z.literal('text'), body: z.string().max(9) }),
        z.object({ kind: z.literal('count'), count: z.number() }),
        z.null(),
      ]),
    }),
  },
  {
    name: 'valibot',
    paging: toStandardJsonSchema(
      v.object({
        limit: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(100)),
        ratio: v.optional(v.number()),
        all: v.optional(v.boolean()),
        tag: v.optional(v.pipe(v.array(v.pipe(v.string(), v.maxLength(5))), v.maxLength(3))),
        name: v.optional(v.pipe(v.string(), v.maxLength(20))),
      }),
    ),
    union: toStandardJsonSchema(
      v.object({
        item: v.nullable(
          v.variant('kind', [
            v.object({ kind: v.literal('text'), body: v.pipe(v.string(), v.maxLength(9)) }),
            v.object({ kind: v.literal('count'), count: v.number() }),
          ]),
        ),
      }),
    ),
  },
  {
    name: 'arktype',
    paging: type({
      limit: '1 <= number.integer <= 100',
      'ratio?': 'number',
      'all?': 'boolean',
      'tag?': type('string <= 5').array().atMostLength(3),
      'name?': 'string <= 20',
    }),
    union: type({
      item: type({ kind: "'text'", body: 'string <= 9' }).or({ kind: "'count'", count: 'number' }).or('null'),
    }),
  },
  {
    name: 'joi',
    paging: Joi.object({
      limit: Joi.number().integer().min(1).max(100).required(),
      ratio: Joi.number(),
      all: Joi.boolean(),
      tag: Joi.array().items(Joi.string().allow('').max(5)).max(3),
      name: Joi.string().allow('').max(20),
    }),
    union: Joi.object({
      item: Joi.alternatives(
        Joi.object({ kind: Joi.valid('text').required(), body: Joi.string().allow('').max(9).required() }),
        Joi.object({ kind: Joi.valid('count').required(), count: Joi.number().required() }),
      )
        .allow(null)
        .required(),
    }),
  },
]

function jsonOf(schema: Schema, side: 'input' | 'output'): JsonSchema {
  const described = describeSchema(schema, side)
  expect(described).toMatchObject({ ok: true })
  return described.ok ? described.json : {}
}

const check = (schema: Schema, value: unknown): Checked | Promise<Checked> =>
  compileInput(schema, jsonOf(schema, 'input'))(value)

const send = (schema: Schema, value: unknown): Projected | Promise<Projected> =>
  compileOutput(schema, jsonOf(schema, 'output'))(value)

const canary = 'CANARY7'

describe.each(libraries)('unions: $name', ({ union }) => {
  it.each([
    ['the first', { item: { kind: 'text', body: 'x' } }],
    ['the second', { item: { kind: 'count', count: 1 } }],
    ['null', { item: null }],
  ])('takes %s', async (_, value) => expect(await check(union, value)).toEqual({ ok: true, value }))

  it.each([
    [
      'a key of another branch',
      { item: { kind: 'text', body: 'x', count: 1 } },
      '/item',
      'has a key that is not declared',
    ],
    [
      'a branch that is none',
      { item: { kind: canary, body: 'x' } },
      '/item',
      'expected an object of one of the declared shapes or null',
    ],
    ['a wrong member', { item: { kind: 'count', count: canary } }, '/item/count', 'expected a number'],
    ['a missing member', { item: { kind: 'text' } }, '/item/body', 'required'],
    ['a text', { item: canary }, '/item', 'expected an object of one of the declared shapes or null'],
  ])('V15.3.3 refuses %s', async (_, value, path, message) => {
    expect(await check(union, value)).toEqual({ ok: false, errors: [{ path, message }] })
  })

  it('V15.3.1 cuts to the branch that the value belongs to', async () => {
    const row = { item: { kind: 'count', count: 1, body: canary, passwordHash: canary }, secret: canary }
    expect(await send(union, row)).toEqual({ ok: true, value: { item: { kind: 'count', count: 1 } } })
    expect(await send(union, { item: null })).toEqual({ ok: true, value: { item: null } })
    expect(await send(union, { item: { kind: 'none' } })).toMatchObject({ ok: false })
  })
})

const textCases: readonly (readonly [string, string | string[], unknown])[] = [
  ['limit', '10', 10],
  ['limit', '1000', 1000],
  ['limit', '-1', -1],
  ['limit', '1e3', '1e3'],
  ['limit', ' 1', ' 1'],
  ['limit', '0x1', '0x1'],
  ['limit', '', ''],
  ['limit', '01', '01'],
  ['limit', '-0', '-0'],
  ['limit', '1.0', '1.0'],
  ['limit', 'Infinity', 'Infinity'],
  ['limit', '9007199254740993', '9007199254740993'],
  ['limit', ['1', '2'], ['1', '2']],
  ['ratio', '-1.5', -1.5],
  ['ratio', '.5', '.5'],
  ['ratio', '1e-7', '1e-7'],
  ['ratio', 'NaN', 'NaN'],
  ['ratio', '0.1234567890123456789', '0.1234567890123456789'],
  ['all', 'true', true],
  ['all', 'false', false],
  ['all', 'TRUE', 'TRUE'],
  ['all', '1', '1'],
  ['tag', 'a', ['a']],
  ['tag', ['a', 'b'], ['a', 'b']],
  ['name', '10', '10'],
  ['name', 'true', 'true'],
  ['other', '10', '10'],
  ['__proto__', '10', '10'],
]

describe.each(libraries)('text: $name', ({ paging }) => {
  it.each(textCases)('V15.3.5 reads %s=%j as %j', (name, value, want) => {
    const read = compileText(jsonOf(paging, 'input'))(Object.fromEntries([[name, value]]))
    expect(Object.getPrototypeOf(read)).toBe(Object.prototype)
    expect(Object.entries(read)).toEqual([[name, want]])
  })

  it.each(['1e3', '', '01', '9007199254740993', '101'])('V15.3.5 refuses limit=%s', async (limit) => {
    const read = compileText(jsonOf(paging, 'input'))({ limit })
    expect(await check(paging, read)).toEqual({
      ok: false,
      errors: [{ path: '/limit', message: 'expected a whole number from 1 to 100' }],
    })
  })
})
