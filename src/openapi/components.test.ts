import { describe, expect, it } from 'vitest'
import type { JsonSchema } from '../schema/index.ts'
import { Components } from './components.ts'

const street: JsonSchema = { type: 'string', maxLength: 30 }

function embed(schema: JsonSchema): { readonly schema: JsonSchema; readonly components: JsonSchema } {
  const components = new Components()
  return { schema: components.embed(schema, schema, 'Hint'), components: components.toJson() }
}

describe('an embedded schema', () => {
  it('stays as it is without references', () => {
    const schema = { type: 'object', properties: { a: street }, required: ['a'], additionalProperties: false }
    expect(embed(schema)).toEqual({ schema, components: {} })
  })

  it('gives its definitions to the document', () => {
    const schema = {
      type: 'object',
      properties: { a: { $ref: '#/$defs/Addr' }, b: { anyOf: [{ $ref: '#/$defs/Addr' }, { type: 'null' }] } },
      $defs: { Addr: { type: 'object', properties: { street } }, Unused: {} },
    }
    const ref = { $ref: '#/components/schemas/Addr' }
    expect(embed(schema)).toEqual({
      schema: { type: 'object', properties: { a: ref, b: { anyOf: [ref, { type: 'null' }] } } },
      components: { Addr: { type: 'object', properties: { street } } },
    })
  })

  it('may refer to itself, as a whole and in its definitions', () => {
    const self = { type: 'object', properties: { kids: { type: 'array', items: { $ref: '#' } } } }
    expect(embed(self)).toEqual({
      schema: { $ref: '#/components/schemas/Hint' },
      components: {
        Hint: {
          type: 'object',
          properties: { kids: { type: 'array', items: { $ref: '#/components/schemas/Hint' } } },
        },
      },
    })
    const inner = {
      $ref: '#/$defs/__schema0',
      $defs: { __schema0: { anyOf: [{ $ref: '#/$defs/__schema0' }] } },
    }
    expect(embed(inner)).toEqual({
      schema: { $ref: '#/components/schemas/HintPart' },
      components: { HintPart: { anyOf: [{ $ref: '#/components/schemas/HintPart' }] } },
    })
  })

  it('keeps references into the middle of something', () => {
    const schema = {
      type: 'object',
      properties: { a: street, b: { $ref: '#/properties/a' }, c: { $ref: '#/$defs/D/properties/x~1y' } },
      $defs: { D: { type: 'object', properties: { 'x/y': street } } },
    }
    const { schema: embedded, components } = embed(schema)
    expect(embedded).toEqual({ $ref: '#/components/schemas/Hint' })
    expect(components).toMatchObject({
      Hint: {
        properties: {
          b: { $ref: '#/components/schemas/Hint/properties/a' },
          c: { $ref: '#/components/schemas/D/properties/x~1y' },
        },
      },
      D: { properties: { 'x/y': street } },
    })
  })

  it('shares what is the same, and renames namesakes that are not', () => {
    const components = new Components()
    components.define('Addr_2', {})
    const using = (Addr: JsonSchema): JsonSchema => {
      const schema = {
        items: { $ref: '#/$defs/Addr' },
        $defs: { Addr, Other: { title: JSON.stringify(Addr) } },
      }
      return components.embed(schema, schema, 'Hint')
    }
    const first = using(street)
    expect(using(street)).toEqual(first)
    expect(first).toEqual({ items: { $ref: '#/components/schemas/Addr' } })
    expect(using({ type: 'null' })).toEqual({ items: { $ref: '#/components/schemas/Addr_3' } })
  })

  it('tells namesakes apart by what they lead to', () => {
    const components = new Components()
    const using = (leaf: JsonSchema): JsonSchema => {
      const schema = {
        $ref: '#/$defs/Tree',
        $defs: { Tree: { items: { $ref: '#/$defs/Leaf' } }, Leaf: leaf },
      }
      return components.embed(schema, schema, 'Hint')
    }
    expect(using({ const: 1 })).not.toEqual(using({ const: 2 }))
  })

  it('does not take data for references, nor properties for keywords', () => {
    const data = { inner: { $ref: '#/$defs/Gone', $id: 'data' } }
    const schema = {
      type: 'object',
      properties: { $ref: street, default: street, $defs: street, $id: street },
      default: data,
      examples: [data],
      enum: [data],
      const: data,
    }
    expect(embed(schema)).toEqual({ schema, components: {} })
  })

  it('has no id of its own, which would turn every reference away from the document', () => {
    const schema = {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      $id: 'https://a.example/',
      type: 'null',
    }
    expect(embed(schema).schema).toEqual({ type: 'null' })
  })

  it('gets component names that OpenAPI allows', () => {
    const schema = { $ref: '#/$defs/a%20b~1c', $defs: { 'a b/c': street } }
    expect(embed(schema)).toEqual({
      schema: { $ref: '#/components/schemas/a_b_c' },
      components: { a_b_c: street },
    })
  })

  it('loses a reference that leads nowhere', () => {
    expect(
      embed({ items: { $ref: '#/$defs/Gone' }, contains: { $ref: 'https://a.example/b' } }).schema,
    ).toEqual({
      items: {},
      contains: {},
    })
  })
})
