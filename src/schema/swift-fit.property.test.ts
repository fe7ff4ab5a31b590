import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { describeSchema, type JsonSchema, type Schema } from './index.ts'
import { faultsIn } from './inspect.ts'
import { define } from './own-property.ts'
import { readShape } from './read-shape.ts'
import { swiftFit } from './swift-fit.ts'

const names = fc.constantFrom('a', 'b', 'kind', 'constructor', 'toString', 'length', '__proto__', 'a/b')
const texts = fc.constantFrom('', 'x', 'xy', 'x'.repeat(12), 'x'.repeat(45), '2026-01-01T00:00:00Z')

const leaf = fc.oneof(
  fc.record<JsonSchema>(
    {
      type: fc.constant('string'),
      minLength: fc.nat(3),
      maxLength: fc.integer({ min: 3, max: 12 }),
      format: fc.constantFrom('uuid', 'date-time', 'email'),
    },
    { requiredKeys: ['type'] },
  ),
  fc.record<JsonSchema>(
    {
      type: fc.constantFrom('number', 'integer'),
      minimum: fc.integer({ min: -3, max: 3 }),
      exclusiveMaximum: fc.integer({ min: 3, max: 9 }),
      multipleOf: fc.constantFrom(1, 2),
    },
    { requiredKeys: ['type'] },
  ),
  fc.constantFrom<JsonSchema>(
    { type: ['boolean', 'null'] },
    { enum: ['x', 2, null] },
    { const: 'x' },
    { type: ['string', 'object'], properties: { a: { type: 'string' } } },
    {},
    { type: 'array' },
  ),
)

const schemas = fc.letrec<{ node: JsonSchema; object: JsonSchema; list: JsonSchema; union: JsonSchema }>(
  (tie) => ({
    node: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      leaf,
      tie('object'),
      tie('object'),
      tie('list'),
      tie('union'),
    ),
    object: fc
      .record({
        properties: fc.dictionary(names, tie('node'), { maxKeys: 4 }),
        isAll: fc.boolean(),
        rest: fc.oneof(fc.constantFrom<unknown>(false, true, undefined), tie('node')),
        nameLength: fc.option(fc.nat(2), { nil: undefined }),
      })
      .map(({ properties, isAll, rest, nameLength }) => ({
        type: 'object',
        properties,
        required: Object.keys(properties).filter((_, at) => isAll || at % 2 === 0),
        ...(rest === undefined ? {} : { additionalProperties: rest }),
        ...(nameLength === undefined ? {} : { propertyNames: { type: 'string', maxLength: nameLength } }),
      })),
    list: fc.oneof(
      fc.record({ items: tie('node'), maxItems: fc.nat(3) }).map((list) => ({ type: 'array', ...list })),
      fc
        .record({ prefixItems: fc.array(tie('node'), { maxLength: 2 }), items: fc.constant(false) })
        .map((list) => ({
          type: 'array',
          ...list,
        })),
    ),
    union: fc.array(tie('node'), { minLength: 2, maxLength: 3 }).map((anyOf) => ({ anyOf })),
  }),
).node

class Instance {
  a = 'x'
  get b(): string {
    return 'x'
  }
  toJSON(): string {
    return 'x'
  }
}

/** Members of any name, `__proto__` too, as `JSON.parse` makes them. */
function withMembers(members: readonly (readonly [string, unknown])[], prototype: object | null): object {
  const made: Record<string, unknown> = Object.create(prototype)
  for (const [name, value] of members) define(made, name, value)
  return made
}

const strange = fc.constantFrom<() => unknown>(
  () => undefined,
  () => Number.NaN,
  () => 2 ** 53,
  () => Number.NEGATIVE_INFINITY,
  () => 1n,
  () => Symbol('x'),
  () => () => 'x',
  () => new Date(0),
  () => new Date(Number.NaN),
  () => new Instance(),
  () => new Map([['a', 'x']]),
  () => Object.create({ a: 'x', b: 1, kind: 'x' }),
  () => withMembers([['__proto__', { a: 'x' }]], Object.prototype),
  () => Object.defineProperty({}, 'a', { get: () => 'x', enumerable: true }),
  () => Object.defineProperty({}, 'a', { value: 'x', enumerable: false }),
  () => new Array(2),
  () => Object.assign(['x'], { extra: 'x' }),
  () => Object('x'),
)

function schemaOf(value: unknown): JsonSchema {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

/** Values that mostly are what a schema declares. */
function valuesFor(schema: JsonSchema, strangeness: number): fc.Arbitrary<unknown> {
  return fc.oneof(
    { weight: 12, arbitrary: fittingFor(schema, strangeness) },
    { weight: strangeness, arbitrary: strange.map((make) => make()) },
    { weight: strangeness, arbitrary: fc.constantFrom<unknown>('x', 1, null, true, [], {}) },
  )
}

function fittingFor(schema: JsonSchema, strangeness: number): fc.Arbitrary<unknown> {
  const { type: kind, properties, items, prefixItems, anyOf, enum: options } = schema
  const inner = (value: unknown) => valuesFor(schemaOf(value), strangeness)
  if (Array.isArray(anyOf)) return fc.oneof(...anyOf.map(inner))
  if (Array.isArray(options)) return fc.constantFrom<unknown>(...options)
  if (kind === 'string') return texts
  if (kind === 'number' || kind === 'integer') return fc.integer({ min: -3, max: 9 })
  if (Array.isArray(prefixItems)) return fc.tuple(...prefixItems.map(inner))
  if (kind === 'array') return fc.array(inner(items), { maxLength: 4 })
  if (kind !== 'object') return fc.constantFrom<unknown>('x', null, true, { a: 'x' })
  const required = listOf(schema['required'])
  const members = Object.entries(schemaOf(properties)).map(([name, value]) =>
    fc
      .tuple(
        inner(value),
        fc.integer({ min: 0, max: 9 }),
        // One that is inherited, or left out, is no member.
      )
      .map(([made, luck]) => ({ name, made, isThere: required.includes(name) ? luck > 0 : luck > 3 })),
  )
  const extras = fc.array(fc.tuple(names, inner(schema['additionalProperties'])), { maxLength: strangeness })
  const prototypes = fc.constantFrom<object | null>(Object.prototype, null)
  return fc
    .tuple(fc.tuple(...members), extras, prototypes)
    .map(([made, more, prototype]) =>
      withMembers(
        [
          ...more,
          ...made.filter(({ isThere }) => isThere).map((one): [string, unknown] => [one.name, one.made]),
        ],
        prototype,
      ),
    )
}

describe('the quick look at a value', () => {
  it('V15.3.3 V2.2.1 says yes to nothing in which the full one finds a fault', () => {
    const count = { yes: 0, no: 0 }
    const cases = fc
      .tuple(schemas, fc.nat(2))
      .chain(([schema, strangeness]) => fc.tuple(fc.constant(schema), valuesFor(schema, strangeness)))
    fc.assert(
      fc.property(cases, ([schema, value]) => {
        const shape = readShape(schema)
        const isYes = swiftFit(shape)(value, 0)
        if (isYes) expect(faultsIn(shape, value)).toBeNull()
        count[isYes ? 'yes' : 'no'] += 1
      }),
      { numRuns: 3_000 },
    )
    // A look that always says no would hold the property, too, and one that nothing is asked of.
    expect(count.yes).toBeGreaterThan(300)
    expect(count.no).toBeGreaterThan(300)
  })

  it('says yes to what is declared, so that the full one is seldom needed', () => {
    const cases = schemas.chain((schema) => fc.tuple(fc.constant(schema), valuesFor(schema, 0)))
    let unneeded = 0
    let fitting = 0
    fc.assert(
      fc.property(cases, ([schema, value]) => {
        const shape = readShape(schema)
        if (faultsIn(shape, value) !== null) return
        fitting += 1
        if (!swiftFit(shape)(value, 0)) unneeded += 1
      }),
      { numRuns: 1_500 },
    )
    expect(fitting).toBeGreaterThan(200)
    expect(unneeded).toBeLessThan(fitting / 20)
  })
})

describe('the quick look at values of a schema that contains itself', () => {
  interface Tree {
    name: string
    left?: Tree | undefined
    more?: Tree[] | undefined
  }
  const Tree: z.ZodType<Tree> = z.strictObject({
    name: z.string().max(10),
    get left() {
      return Tree.optional()
    },
    get more() {
      return z.array(Tree).max(3).optional()
    },
  })
  const described = describeSchema(Tree satisfies Schema, 'input')
  const shape = readShape(described.ok ? described.json : {})
  const fits = swiftFit(shape)
  const trees = fc.letrec<{ tree: Tree }>((tie) => ({
    tree: fc.record(
      {
        name: fc.constantFrom('x', 'x'.repeat(11), ''),
        left: fc.option(tie('tree'), { nil: undefined, maxDepth: 4 }),
        more: fc.array(tie('tree'), { maxLength: 4 }),
      },
      { requiredKeys: ['name'] },
    ),
  })).tree

  it('V2.2.1 says the same as the full one', () => {
    fc.assert(
      fc.property(trees, (tree) => {
        if (fits(tree, 0)) expect(faultsIn(shape, tree)).toBeNull()
      }),
      { numRuns: 300 },
    )
  })

  it('V2.2.1 ends at sixty-four levels and at a circle', () => {
    const deep = (count: number): Tree => (count === 0 ? { name: 'x' } : { name: 'x', left: deep(count - 1) })
    expect(fits(deep(60), 0)).toBe(true)
    expect(fits(deep(64), 0)).toBe(false)
    expect(fits(deep(5_000), 0)).toBe(false)
    const circle: Tree = { name: 'x' }
    circle.left = circle
    expect(fits(circle, 0)).toBe(false)
    circle.left = undefined
    circle.more = [circle]
    expect(fits(circle, 0)).toBe(false)
  })
})
