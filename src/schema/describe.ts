import type { StandardJSONSchemaV1 } from '@standard-schema/spec'
import { isKeywords } from './expand.ts'
import { define } from './own-property.ts'
import type { JsonSchema, Schema } from './standard.ts'

/** A schema as JSON Schema, or why it cannot be written so. */
export type Description =
  | { readonly ok: true; readonly json: JsonSchema }
  | { readonly ok: false; readonly reason: string }

/**
 * Has a schema write itself as JSON Schema, draft 2020-12.
 *
 * @param side What it takes (`input`) or what it gives (`output`); they differ by defaults and transforms.
 * @see https://standardschema.dev/json-schema
 * @example describeSchema(z.strictObject({ id: z.uuid() }), 'input')
 */
export function describeSchema(schema: Schema, side: 'input' | 'output'): Description {
  const standard = standardOf(schema)
  if (standard === undefined) return { ok: false, reason: 'it is not a Standard Schema' }
  const { vendor, jsonSchema } = standard
  if (!isConverter(jsonSchema)) return { ok: false, reason: missingConverter(vendor) }
  try {
    // Draft 2020-12 is the draft of OpenAPI 3.1, and the only one that Joi writes.
    const written: unknown = jsonSchema[side]({ target: 'draft-2020-12' })
    // A round trip makes it inert: no function, no prototype, nothing shared with the library.
    const json: unknown = JSON.parse(JSON.stringify(written))
    if (!isKeywords(json)) return { ok: false, reason: 'its JSON Schema is not an object' }
    const { $schema: _, ...keywords } = json
    return { ok: true, json: vendor === 'joi' ? tidyJoi(keywords) : keywords }
  } catch (error) {
    return { ok: false, reason: `it cannot be written as JSON Schema: ${sentenceOf(error)}` }
  }
}

function standardOf(schema: unknown): { readonly vendor: unknown; readonly jsonSchema: unknown } | undefined {
  if ((typeof schema !== 'object' && typeof schema !== 'function') || schema === null) return undefined
  const standard: unknown = Reflect.get(schema, '~standard')
  if (typeof standard !== 'object' || standard === null) return undefined
  if (typeof Reflect.get(standard, 'validate') !== 'function') return undefined
  return { vendor: Reflect.get(standard, 'vendor'), jsonSchema: Reflect.get(standard, 'jsonSchema') }
}

function isConverter(value: unknown): value is StandardJSONSchemaV1.Converter {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof Reflect.get(value, 'input') === 'function' &&
    typeof Reflect.get(value, 'output') === 'function'
  )
}

function missingConverter(vendor: unknown): string {
  const advice =
    vendor === 'valibot'
      ? 'wrap it: toStandardJsonSchema(schema) from @valibot/to-json-schema'
      : 'use a version of its library that has "~standard".jsonSchema (zod 4.2, arktype 2.1.28, joi 18 or later)'
  return `it does not write itself as JSON Schema; ${advice}`
}

function sentenceOf(error: unknown): string {
  return error instanceof Error ? (error.message.split('\n')[0] ?? '') : 'the library threw'
}

/**
 * Puts right what Joi 18 writes differently from what it means: `allow(null)` adds a type but not the value, types
 * nest, and a link to the root is `#/`.
 */
function tidyJoi(json: JsonSchema): JsonSchema {
  const tidied: Record<string, unknown> = {}
  for (const [keyword, value] of Object.entries(json)) define(tidied, keyword, tidyValue(value))
  const { type, $ref } = tidied
  if (Array.isArray(type)) tidied['type'] = type.flat()
  if ($ref === '#/') tidied['$ref'] = '#'
  const list = tidied['enum']
  const types: unknown = tidied['type']
  if (Array.isArray(list) && Array.isArray(types) && types.includes('null') && !list.includes(null)) {
    tidied['enum'] = [...list, null]
  }
  return tidied
}

function tidyValue(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(tidyValue)
  return isKeywords(value) ? tidyJoi(value) : value
}
