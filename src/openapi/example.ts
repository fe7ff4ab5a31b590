import type { JsonSchema } from '../schema/index.ts'
import { flatten, isNode, membersOf, nodesIn } from './schema-nodes.ts'

const maxDepth = 6

const formats: ReadonlyMap<string, string> = new Map([
  ['uuid', '0199f3b2-7c1e-7000-9d3b-5a1b0c2d3e4f'],
  ['email', 'ann@example.com'],
  ['uri', 'https://example.com/'],
  ['url', 'https://example.com/'],
  ['date-time', '2026-01-31T12:00:00.000Z'],
  ['date', '2026-01-31'],
  ['time', '12:00:00'],
  ['ipv4', '192.0.2.1'],
  ['ipv6', '2001:db8::1'],
  ['hostname', 'example.com'],
])

/** A value that a schema takes. Where it has a pattern of its own, only the length is right. */
export function exampleOf(schema: JsonSchema, root: JsonSchema = schema, name = 'text', depth = 0): unknown {
  const node = flatten(schema, root)
  const given = givenExample(node)
  if (given !== undefined) return given
  const branch = [...nodesIn(node['anyOf']), ...nodesIn(node['oneOf'])].find(
    (candidate) => flatten(candidate, root)['type'] !== 'null',
  )
  if (branch !== undefined && node['properties'] === undefined)
    return exampleOf(branch, root, name, depth + 1)
  switch (typeOf(node)) {
    case 'string':
      return textExample(node, name)
    case 'integer':
    case 'number':
      return numberExample(node)
    case 'boolean':
      return true
    case 'array':
      return listExample(node, root, name, depth)
    case 'object':
      return recordExample(node, root, depth)
    default:
      return null
  }
}

function givenExample({ examples, const: only, enum: options, default: fallback }: JsonSchema): unknown {
  if (Array.isArray(examples) && examples.length > 0) return examples[0]
  if (only !== undefined) return only
  if (Array.isArray(options) && options.length > 0) return options[0]
  return fallback
}

function typeOf({ type, properties, items, prefixItems }: JsonSchema): unknown {
  if (Array.isArray(type)) return type.find((one) => one !== 'null')
  if (type !== undefined) return type
  if (properties !== undefined) return 'object'
  return items !== undefined || prefixItems !== undefined ? 'array' : undefined
}

function textExample({ format, minLength, maxLength }: JsonSchema, name: string): string {
  const formatted = typeof format === 'string' ? formats.get(format) : undefined
  if (formatted !== undefined) return formatted
  const words = name.replaceAll(/([a-z])([A-Z])/g, '$1 $2').toLowerCase()
  const text = `${/^[aeiou]/.test(words) ? 'An' : 'A'} ${words}`
  const least = typeof minLength === 'number' ? Math.min(minLength, 200) : 0
  const most = typeof maxLength === 'number' ? maxLength : 200
  return text.padEnd(least, ' and so on').slice(0, most)
}

function numberExample(node: JsonSchema): number {
  const { minimum, exclusiveMinimum, maximum, exclusiveMaximum, multipleOf } = node
  const step = typeof multipleOf === 'number' && multipleOf > 0 ? multipleOf : 1
  // The bounds of a safe integer are everybody's; they say nothing of this number.
  const isLow = (bound: unknown): bound is number =>
    typeof bound === 'number' && bound > Number.MIN_SAFE_INTEGER
  if (isLow(minimum)) return Math.ceil(minimum / step) * step
  if (isLow(exclusiveMinimum)) return (Math.floor(exclusiveMinimum / step) + 1) * step
  if (typeof maximum === 'number' && maximum < step) return Math.floor(maximum / step) * step
  if (typeof exclusiveMaximum === 'number' && exclusiveMaximum <= step)
    return (Math.ceil(exclusiveMaximum / step) - 1) * step
  return step
}

function listExample(node: JsonSchema, root: JsonSchema, name: string, depth: number): readonly unknown[] {
  const { items, prefixItems, minItems } = node
  const one = name.replace(/s$/, '')
  const first = nodesIn(prefixItems).map((item) => exampleOf(item, root, one, depth + 1))
  if (first.length > 0 || !isNode(items) || depth > maxDepth) return first
  const count = typeof minItems === 'number' ? Math.min(Math.max(minItems, 1), 3) : 1
  return Array.from({ length: count }, () => exampleOf(items, root, one, depth + 1))
}

function recordExample(node: JsonSchema, root: JsonSchema, depth: number): JsonSchema {
  // Below a few levels only what must be there, so that a schema that refers to itself comes to an end.
  const members = membersOf(node, root).filter(({ isRequired }) => isRequired || depth < 3)
  if (depth > maxDepth) return {}
  const { additionalProperties } = node
  if (members.length === 0 && isNode(additionalProperties))
    return { key: exampleOf(additionalProperties, root, 'value', depth + 1) }
  return Object.fromEntries(
    members.map(({ name, schema }) => [name, exampleOf(schema, root, name, depth + 1)]),
  )
}
