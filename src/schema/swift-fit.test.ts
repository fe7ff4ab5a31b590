import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { compileInput, describeSchema, type JsonSchema, type Schema } from './index.ts'
import { faultsIn } from './inspect.ts'
import { readShape } from './read-shape.ts'
import { swiftFit } from './swift-fit.ts'

const Note = z.strictObject({
  title: z.string().min(1).max(20),
  count: z.int().min(0).max(9),
  kind: z.enum(['read', 'write']),
  tags: z.array(z.string().max(5)).max(3),
  who: z.strictObject({ name: z.string().max(10) }).optional(),
  note: z.string().max(10).nullable().optional(),
})
const good = { title: 'a', count: 1, kind: 'read', tags: ['b'] }

function jsonOf(schema: Schema): JsonSchema {
  const described = describeSchema(schema, 'input')
  return described.ok ? described.json : {}
}

const json = jsonOf(Note)
const shape = readShape(json)
const fits = swiftFit(shape)

class Titled {
  readonly title = 'a'
  readonly count = 1
  readonly kind = 'read'
  readonly tags: readonly string[] = []
  readonly isAdmin = true
}

const parsed = (text: string): unknown => JSON.parse(text)
const refused: Readonly<Record<string, unknown>> = {
  'an undeclared key': { ...good, isAdmin: true },
  'an undeclared key below': { ...good, who: { name: 'a', isAdmin: true } },
  'an undeclared key without a value': { ...good, isAdmin: null },
  'an own __proto__': parsed('{"title":"a","count":1,"kind":"read","tags":[],"__proto__":{"isAdmin":true}}'),
  'an own constructor': { ...good, constructor: { prototype: {} } },
  'a toString of its own': { ...good, toString: 'a' },
  'an enumerable toJSON': { ...good, toJSON: () => ({ isAdmin: true }) },
  'a class instance with more': new Titled(),
  'a missing key': { title: 'a', count: 1, kind: 'read' },
  'a required key that is undefined': { ...good, title: undefined },
  'a required key that is null': { ...good, title: null },
  'required keys that are inherited': Object.create(good),
  'one required key that is inherited': Object.assign(Object.create({ title: 'a' }), {
    count: 1,
    kind: 'read',
    tags: [],
  }),
  'a text that is too long': { ...good, title: 'a'.repeat(21) },
  'a text that is too short': { ...good, title: '' },
  'a text object': { ...good, title: Object('a') },
  'a date for a text': { ...good, title: new Date(0) },
  'a list for a text': { ...good, title: ['a'] },
  'a number for a text': { ...good, title: 1 },
  'no number': { ...good, count: Number.NaN },
  infinity: { ...good, count: Number.POSITIVE_INFINITY },
  'a number that is too large to be told from the next': { ...good, count: 2 ** 53 },
  'half a number': { ...good, count: 1.5 },
  'a number outside': { ...good, count: 10 },
  'a bigint': { ...good, count: 1n },
  'a text for a number': { ...good, count: '1' },
  'another word': { ...good, kind: 'admin' },
  'a word in a list': { ...good, kind: ['read'] },
  'a list with a hole': { ...good, tags: new Array(1) },
  'a list with undefined': { ...good, tags: [undefined] },
  'too many items': { ...good, tags: ['a', 'b', 'c', 'd'] },
  'an object like a list': { ...good, tags: { length: 1, 0: 'a' } },
  'a list for an object': [good],
  'a list for an object below': { ...good, who: [{ name: 'a' }] },
  'a map': new Map(Object.entries(good)),
  'a function': Object.assign(() => undefined, good),
  null: null,
  undefined,
  'a text': 'a',
}

describe('the quick look at a note', () => {
  it('says yes to a note, also to one without a prototype, with optional keys and with undefined ones', () => {
    const bare: object = Object.assign(Object.create(null), good)
    const full = { ...good, who: { name: 'a' }, note: null }
    for (const value of [good, bare, full, { ...full, note: undefined }, parsed(JSON.stringify(full))])
      expect(fits(value, 0)).toBe(true)
  })

  for (const [what, value] of Object.entries(refused)) {
    it(`V15.3.3 V2.2.1 says no to ${what}`, () => expect(fits(value, 0)).toBe(false))

    it(`V15.3.3 V2.2.1 lets nothing through with ${what}`, () => {
      expect(faultsIn(shape, value)).not.toBeNull()
      expect(compileInput(Note, json)(value)).toMatchObject({ ok: false })
    })
  }

  it('V15.3.3 leaves what is inherited to the full one, which takes it for none of the value', () => {
    const value: unknown = Object.assign(Object.create({ isAdmin: true }), good)
    expect(fits(value, 0)).toBe(false)
    expect(faultsIn(shape, value)).toBeNull()
  })

  it('V15.3.6 is not deceived by a prototype that somebody has polluted', () => {
    const half = { count: 1, kind: 'read', tags: [] }
    const title = { value: 'a', configurable: true, enumerable: true, writable: true }
    Object.defineProperty(Object.prototype, 'title', title)
    try {
      expect(fits(half, 0)).toBe(false)
      expect(compileInput(Note, json)(half)).toMatchObject({ ok: false })
    } finally {
      Reflect.deleteProperty(Object.prototype, 'title')
    }
  })
})

describe('the quick look at other shapes', () => {
  it('V15.3.3 holds the names of a map to their length', () => {
    const look = swiftFit(readShape(jsonOf(z.record(z.string().max(3), z.number()))))
    expect(look({ abc: 1 }, 0)).toBe(true)
    expect(look({ abcd: 1 }, 0)).toBe(false)
    expect(look({ abc: '1' }, 0)).toBe(false)
    // The schema names no names, so it is the values alone that count here.
    expect(look(JSON.parse('{"__proto__":1}'), 0)).toBe(false)
  })

  it('V15.3.3 takes no key of one alternative in another', () => {
    const Either = z.union([
      z.strictObject({ kind: z.literal('a'), left: z.number() }),
      z.strictObject({ kind: z.literal('b'), right: z.number() }),
    ])
    const look = swiftFit(readShape(jsonOf(Either)))
    expect(look({ kind: 'a', left: 1 }, 0)).toBe(true)
    expect(look({ kind: 'b', right: 1 }, 0)).toBe(true)
    for (const value of [
      { kind: 'a', right: 1 },
      { kind: 'a', left: 1, right: 1 },
      { kind: 'c', left: 1 },
    ])
      expect(look(value, 0)).toBe(false)
  })

  it('V2.2.1 says no where nothing is declared', () => {
    for (const open of [{}, { type: 'object' }, { type: 'array' }] satisfies JsonSchema[]) {
      const value = 'type' in open && open.type === 'array' ? [1] : { a: 1 }
      expect(swiftFit(readShape(open))(value, 0)).toBe(false)
    }
  })

  it('V2.2.1 takes a date for a text only where the schema says that it is one', () => {
    const look = swiftFit(readShape({ type: 'string', format: 'date-time' }))
    expect(look(new Date(0), 0)).toBe(true)
    expect(look(new Date(Number.NaN), 0)).toBe(false)
    expect(swiftFit(readShape({ type: 'string' }))(new Date(0), 0)).toBe(false)
  })

  it('V2.2.1 holds a tuple to its items', () => {
    const look = swiftFit(readShape(jsonOf(z.tuple([z.string(), z.number()]))))
    expect(look(['a', 1], 0)).toBe(true)
    for (const value of [['a'], ['a', 1, 2], [1, 'a'], ['a', undefined]]) expect(look(value, 0)).toBe(false)
  })
})
