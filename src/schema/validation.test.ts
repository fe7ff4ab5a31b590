import { toStandardJsonSchema } from '@valibot/to-json-schema'
import { type } from 'arktype'
import Joi from 'joi'
import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { Problem } from '../errors/index.ts'
import {
  type Checked,
  compileInput,
  compileOutput,
  describeSchema,
  type JsonSchema,
  type Schema,
} from './index.ts'

function jsonOf(schema: Schema, side: 'input' | 'output' = 'input'): JsonSchema {
  const described = describeSchema(schema, side)
  return described.ok ? described.json : {}
}

const check = (schema: Schema, value: unknown): Checked | Promise<Checked> =>
  compileInput(schema, jsonOf(schema))(value)

describe('validation', () => {
  it('V15.3.5 lets no library convert', async () => {
    const list: readonly Schema[] = [
      z.object({ a: z.coerce.number() }),
      toStandardJsonSchema(v.object({ a: v.number() })),
      type({ a: 'number' }),
      Joi.object({ a: Joi.number().required() }),
    ]
    for (const schema of list) {
      for (const a of ['1', '', null, true, [1]]) {
        expect(await check(schema, { a })).toEqual({
          ok: false,
          errors: [{ path: '/a', message: 'expected a number' }],
        })
      }
    }
  })

  it('V15.3.5 has Joi compare where it would convert', () => {
    const refused = { ok: false, errors: [{ path: '', message: 'is not acceptable' }] }
    expect(check(Joi.string().max(9).lowercase(), 'ABC')).toEqual(refused)
    expect(check(Joi.string().max(9).lowercase(), 'abc')).toEqual({ ok: true, value: 'abc' })
    // A Joi.date() is a Date to Joi, and JSON has none: Joi.string().isoDate() is the input to declare.
    expect(check(Joi.date(), '2026-01-01T00:00:00Z')).toMatchObject({ ok: false })
  })

  it.each([
    ['zod', z.number()],
    ['valibot', toStandardJsonSchema(v.number())],
    ['arktype', type('number')],
    ['joi', Joi.number()],
  ])('V1.4.2 takes and gives no number that JSON cannot hold exactly: %s', async (_, schema) => {
    for (const value of [2 ** 53, -(2 ** 60), Number.POSITIVE_INFINITY, Number.NaN]) {
      const errors = [{ path: '', message: 'expected a number' }]
      expect(await check(schema, value)).toEqual({ ok: false, errors })
      expect(await compileOutput(schema, jsonOf(schema, 'output'))(value)).toMatchObject({ ok: false })
    }
  })

  it('finds the branch of a union of maps by the length of their names', async () => {
    const map = (count: number) => z.record(z.string().max(count), z.int())
    const schema = z.union([map(3), map(9)])
    expect(await check(schema, { abcdef: 1 })).toEqual({ ok: true, value: { abcdef: 1 } })
    expect(await check(schema, { abcdefghijk: 1 })).toMatchObject({ ok: false })
  })

  it('V1.3.3 enforces the bound of a format that a library leaves without one', () => {
    const at = `2026-01-01T00:00:00.${'0'.repeat(100_000)}Z`
    expect(z.iso.datetime().safeParse(at).success).toBe(true)
    expect(check(z.object({ at: z.iso.datetime() }), { at })).toEqual({
      ok: false,
      errors: [{ path: '/at', message: 'expected a date and time (ISO 8601)' }],
    })
  })

  it.each([
    ['zod', z.object({ m: z.record(z.string().max(9), z.uuid()) })],
    [
      'valibot',
      toStandardJsonSchema(
        v.object({ m: v.record(v.pipe(v.string(), v.maxLength(9)), v.pipe(v.string(), v.uuid())) }),
      ),
    ],
  ])('V16.5.1 does not repeat the key of a map: %s', async (_, schema) => {
    expect(await check(schema, { m: { CANARY: 'no' } })).toEqual({
      ok: false,
      errors: [{ path: '/m/*', message: 'expected a UUID' }],
    })
    expect(await check(schema, { m: { CANARY: 7 } })).toEqual({
      ok: false,
      errors: [{ path: '/m/*', message: 'expected a UUID' }],
    })
    const long = await check(schema, { m: { CANARYCANARY: 'no' } })
    expect(long).toEqual({ ok: false, errors: [{ path: '/m', message: 'has a key that is not declared' }] })
  })

  it('has a plain sentence for what the schema has no words for', () => {
    const schema = z.object({ a: z.int() }).refine(() => false, 'CANARY')
    expect(check(schema, { a: 1 })).toEqual({
      ok: false,
      errors: [{ path: '', message: 'is not acceptable' }],
    })
    const title = z.object({ title: z.string().trim().min(1).max(9) })
    expect(check(title, { title: '  ' })).toEqual({
      ok: false,
      errors: [{ path: '/title', message: 'expected a string of 1 to 9 characters' }],
    })
  })

  it('V16.5.1 follows no path that the schema does not declare', () => {
    const schema = z.object({ a: z.int() }).superRefine((_, context) => {
      context.addIssue({ code: 'custom', path: ['a', 'CANARY'], message: 'CANARY' })
      context.addIssue({ code: 'custom', path: ['CANARY'], message: 'CANARY' })
    })
    expect(check(schema, { a: 1 })).toEqual({
      ok: false,
      errors: [
        { path: '', message: 'is not acceptable' },
        { path: '/a', message: 'is not acceptable' },
      ],
    })
  })

  it('answers at once, or later when the schema does', async () => {
    expect(check(z.object({ a: z.int() }), { a: 1 })).toEqual({ ok: true, value: { a: 1 } })
    const late = z.object({ a: z.int().refine(async (a) => a > 1) })
    expect(check(late, { a: 1 })).toBeInstanceOf(Promise)
    expect(await check(late, { a: 1 })).toMatchObject({ ok: false })
    expect(await check(late, { a: 2 })).toEqual({ ok: true, value: { a: 2 } })
    const send = compileOutput(late, jsonOf(late, 'output'))
    expect(await send({ a: 2, secret: 1 })).toEqual({ ok: true, value: { a: 2 } })
  })

  it('V16.5.3 takes a schema that throws for a refusal of ours', async () => {
    const thrower = toStandardJsonSchema(v.object({ a: v.number() }))
    const broken: Schema = {
      '~standard': { ...thrower['~standard'], validate: () => Reflect.get(Object(null), 'x').y },
    }
    const late: Schema = {
      '~standard': { ...thrower['~standard'], validate: () => Promise.reject(new TypeError('x')) },
    }
    expect(() => check(broken, { a: 1 })).toThrow(Problem)
    await expect(check(late, { a: 1 })).rejects.toThrow(Problem)
    expect(() => compileOutput(broken, jsonOf(thrower))({ a: 1 })).toThrow(Problem)
  })

  it('V16.5.3 asks an asynchronous zod schema once each time, so that no promise is left to reject alone', async () => {
    let askedCount = 0
    const schema = z.strictObject({
      word: z.string().refine(async (word) => {
        askedCount += 1
        return word !== 'wrong'
      }),
    })
    const look = compileInput(schema, jsonOf(schema))
    await look({ word: 'first' })
    askedCount = 0
    expect(await look({ word: 'right' })).toEqual({ ok: true, value: { word: 'right' } })
    expect(await look({ word: 'wrong' })).toMatchObject({ ok: false, errors: [{ path: '/word' }] })
    expect(askedCount).toBe(2)
  })

  it('V15.3.1 cuts what a transform adds, and fills defaults', async () => {
    const schema = z
      .object({ id: z.string() })
      .transform(({ id }): { id: string; [added: string]: unknown } => ({ id, secret: 1 }))
      .pipe(z.looseObject({ id: z.string(), size: z.int().default(3) }))
    expect(await compileOutput(schema, jsonOf(schema, 'output'))({ id: 'n1', other: 1 })).toEqual({
      ok: true,
      value: { id: 'n1', size: 3 },
    })
  })
})
