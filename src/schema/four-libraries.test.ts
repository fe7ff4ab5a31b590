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
  compileUndeclared,
  describeSchema,
  type JsonSchema,
  type Projected,
  type Schema,
} from './index.ts'

type Manner = 'plain' | 'strict' | 'loose'

const zodObjects = { plain: z.object, strict: z.strictObject, loose: z.looseObject }
const text = (max: number) => v.pipe(v.string(), v.minLength(1), v.maxLength(max))
const arktypeKeys = { plain: 'ignore', strict: 'reject', loose: 'ignore' } as const

function zodNote(manner: Manner): Schema {
  const object = zodObjects[manner]
  return object({
    title: z.string().min(1).max(20),
    kind: z.enum(['write', 'read']),
    count: z.int().min(1).max(100),
    tags: z.array(object({ name: z.string().min(1).max(10) })).max(3),
    who: object({ id: z.uuid() }),
    mail: z.email().max(100).optional(),
    code: z
      .string()
      .min(1)
      .max(10)
      .regex(/^[a-z]+$/)
      .optional(),
    note: z.string().min(1).max(10).nullable().optional(),
  })
}

function valibotObject(manner: Manner, entries: v.ObjectEntries): v.GenericSchema {
  if (manner === 'strict') return v.strictObject(entries)
  return manner === 'loose' ? v.looseObject(entries) : v.object(entries)
}

function valibotNote(manner: Manner): Schema {
  const object = (entries: v.ObjectEntries) => valibotObject(manner, entries)
  return toStandardJsonSchema(
    object({
      title: text(20),
      kind: v.picklist(['write', 'read']),
      count: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(100)),
      tags: v.pipe(v.array(object({ name: text(10) })), v.maxLength(3)),
      who: object({ id: v.pipe(v.string(), v.uuid()) }),
      mail: v.optional(v.pipe(v.string(), v.email(), v.maxLength(100))),
      code: v.optional(v.pipe(v.string(), v.minLength(1), v.maxLength(10), v.regex(/^[a-z]+$/))),
      note: v.optional(v.nullable(text(10))),
    }),
  )
}

function arktypeNote(manner: Manner): Schema {
  const keys = arktypeKeys[manner]
  return type({
    '+': keys,
    title: '1 <= string <= 20',
    kind: "'write' | 'read'",
    count: '1 <= number.integer <= 100',
    tags: type({ '+': keys, name: '1 <= string <= 10' }).array().atMostLength(3),
    who: type({ '+': keys, id: 'string.uuid' }),
    'mail?': 'string.email <= 100',
    'code?': type('1 <= string <= 10').and(/^[a-z]+$/),
    'note?': '1 <= string <= 10 | null',
  })
}

function joiNote(manner: Manner): Schema {
  const object = (keys: Joi.SchemaMap) =>
    (manner === 'loose' ? Joi.object(keys).unknown() : Joi.object(keys)).required()
  const note = object({
    title: Joi.string().max(20).required(),
    kind: Joi.string().valid('write', 'read').required(),
    count: Joi.number().integer().min(1).max(100).required(),
    tags: Joi.array()
      .items(object({ name: Joi.string().max(10).required() }).optional())
      .max(3)
      .required(),
    who: object({ id: Joi.string().guid().required() }),
    mail: Joi.string().email().max(100),
    code: Joi.string()
      .max(10)
      .pattern(/^[a-z]+$/),
    note: Joi.string().max(10).allow(null),
  })
  return manner === 'plain' ? note.options({ stripUnknown: true }) : note
}

interface Library {
  readonly name: string
  /** A note with nested objects and lists, said in the library's plain, strict or loose words. */
  readonly note: (manner: Manner) => Schema
  /** How a bounded e-mail address is spoken of; arktype forgets the format when it is given a length. */
  readonly mail: string
}

const mail = 'expected an e-mail address of at most 100 characters'
const libraries: readonly Library[] = [
  { name: 'zod', note: zodNote, mail },
  { name: 'valibot', note: valibotNote, mail },
  {
    name: 'arktype',
    note: arktypeNote,
    mail: 'expected a string of at most 100 characters in the required form',
  },
  { name: 'joi', note: joiNote, mail },
]

const manners: readonly Manner[] = ['plain', 'strict', 'loose']
const variants = libraries.flatMap((library) => manners.map((manner) => ({ library, manner })))

function jsonOf(schema: Schema, side: 'input' | 'output'): JsonSchema {
  const described = describeSchema(schema, side)
  expect(described).toMatchObject({ ok: true })
  return described.ok ? described.json : {}
}

const check = (schema: Schema, value: unknown): Checked | Promise<Checked> =>
  compileInput(schema, jsonOf(schema, 'input'))(value)

const send = (schema: Schema, value: unknown): Projected | Promise<Projected> =>
  compileOutput(schema, jsonOf(schema, 'output'))(value)

const good = {
  title: 'Milk',
  kind: 'read',
  count: 3,
  tags: [{ name: 'a' }, { name: 'b' }],
  who: { id: '0199f3b2-7c1e-7000-9d3b-5a1b0c2d3e4f' },
}

const undeclaredCases: readonly (readonly [name: string, json: string, places: readonly string[]])[] = [
  ['nothing', '{}', []],
  ['at the root', '{"isAdmin": true}', ['']],
  ['in an object', '{"who": {"id": "x", "role": "admin"}}', ['/who']],
  ['in a list', '{"tags": [{"name": "a"}, {"name": "b", "ownerId": 1}]}', ['/tags/1']],
  ['everywhere', '{"a": 1, "b": 2, "who": {"c": 1}, "tags": [{"d": 1}]}', ['', '/who', '/tags/0']],
  ['an own __proto__', '{"__proto__": {"isAdmin": true}}', ['']],
  ['a nested __proto__', '{"who": {"__proto__": {"isAdmin": true}}}', ['/who']],
  ['constructor', '{"constructor": {"prototype": {"isAdmin": true}}}', ['']],
  ['toString', '{"who": {"toString": 1}}', ['/who']],
  ['hasOwnProperty', '{"tags": [{"hasOwnProperty": 1}]}', ['/tags/0']],
]

describe.each(variants)('undeclared keys: $library.name, $manner', ({ library, manner }) => {
  const schema = library.note(manner)
  it.each(undeclaredCases)('V15.3.3 finds %s', (_, json, places) => {
    const found = compileUndeclared(jsonOf(schema, 'input'))(JSON.parse(json))
    expect(found.toSorted()).toEqual(places.toSorted())
  })

  it.each(undeclaredCases.slice(1))('V15.3.3 refuses %s in a body', async (_, json, places) => {
    const body: unknown = JSON.parse(`${JSON.stringify(good).slice(0, -1)},${json.slice(1)}`)
    const checked = await check(schema, body)
    expect(checked).toEqual({
      ok: false,
      errors: expect.arrayContaining(
        places.map((path) => ({ path, message: 'has a key that is not declared' })),
      ),
    })
  })

  it('takes what it declares', async () => {
    expect(await check(schema, good)).toEqual({ ok: true, value: good })
  })
})

const canary = 'CANARY7'

const faultCases: readonly (readonly [
  name: string,
  change: object,
  faults: Readonly<Record<string, string>>,
])[] = [
  ['a missing member', { title: undefined }, { '/title': 'required' }],
  [
    'a text that is too long',
    { title: canary.repeat(9) },
    { '/title': 'expected a string of 1 to 20 characters' },
  ],
  ['an empty text', { title: '' }, { '/title': 'expected a string of 1 to 20 characters' }],
  [
    'an object for a text',
    { title: { $ne: canary } },
    { '/title': 'expected a string of 1 to 20 characters' },
  ],
  ['no option of an enum', { kind: canary }, { '/kind': 'expected one of: read, write' }],
  ['a text for a number', { count: '7' }, { '/count': 'expected a whole number from 1 to 100' }],
  ['a number out of range', { count: 101 }, { '/count': 'expected a whole number from 1 to 100' }],
  ['half a number', { count: 1.5 }, { '/count': 'expected a whole number from 1 to 100' }],
  [
    'a list that is too long',
    { tags: Array.from({ length: 4 }, () => ({ name: 'a' })) },
    { '/tags': 'expected a list of at most 3 items' },
  ],
  ['an object for a list', { tags: { 0: canary } }, { '/tags': 'expected a list of at most 3 items' }],
  ['a text in a list', { tags: [canary] }, { '/tags/0': 'expected an object' }],
  ['a wrong UUID', { who: { id: canary } }, { '/who/id': 'expected a UUID' }],
  ['a number for a UUID', { who: { id: 7 } }, { '/who/id': 'expected a UUID' }],
  ['a wrong address', { mail: canary }, { '/mail': mail }],
  [
    'a wrong pattern',
    { code: canary },
    { '/code': 'expected a string of 1 to 10 characters in the required form' },
  ],
  [
    'a wrong nullable',
    { note: canary.repeat(2) },
    { '/note': 'expected a string of 1 to 10 characters or null' },
  ],
  [
    'several at once',
    { title: 1, count: canary, tags: [{ name: '' }] },
    {
      '/count': 'expected a whole number from 1 to 100',
      '/tags/0/name': 'expected a string of 1 to 10 characters',
      '/title': 'expected a string of 1 to 20 characters',
    },
  ],
  [
    'several wrong forms',
    { mail: canary, who: { id: canary } },
    { '/mail': mail, '/who/id': 'expected a UUID' },
  ],
]

describe.each(variants)('messages: $library.name, $manner', ({ library, manner }) => {
  it.each(faultCases)('V16.5.1 says what is expected, never what was sent: %s', async (_, change, faults) => {
    const checked = await check(library.note(manner), { ...good, ...change })
    expect(checked).toEqual({
      ok: false,
      errors: Object.entries(faults).map(([path, message]) => ({
        path,
        message: message === mail ? library.mail : message,
      })),
    })
    expect(JSON.stringify(checked)).not.toContain(canary)
  })
})

describe.each(variants)('output: $library.name, $manner', ({ library, manner }) => {
  const schema = library.note(manner)

  it('V15.3.1 drops every key that the schema does not name', async () => {
    const row = Object.assign(Object.create(null), {
      ...good,
      passwordHash: canary,
      tags: [{ name: 'a', secret: canary }],
      who: { ...good.who, role: canary },
      note: undefined,
      toJSON: () => ({ leak: canary }),
    })
    const sent = await send(schema, row)
    expect(sent).toEqual({ ok: true, value: { ...good, tags: [{ name: 'a' }] } })
    expect(JSON.stringify(sent)).not.toContain(canary)
  })

  it('V15.3.1 refuses what the schema cannot hold, and names no value', async () => {
    const sent = await send(schema, { ...good, count: canary, who: { id: canary } })
    expect(sent).toMatchObject({ ok: false, reason: expect.stringContaining('/count') })
    expect(JSON.stringify(sent)).not.toContain(canary)
  })

  it.each([Number.NaN, Number.POSITIVE_INFINITY, 2 ** 60, 1n])(
    'V1.4.2 does not send the number %s',
    async (count) => {
      expect(await send(schema, { ...good, count })).toMatchObject({ ok: false })
    },
  )
})
