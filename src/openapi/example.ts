import type { JsonSchema } from '../schema/index.ts'
import { flatten, isNode, membersOf, nodesIn } from './schema-nodes.ts'

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

/** Where a schema stands: what its references count from, and which of them have been followed to get here. */
interface Place {
  readonly root: JsonSchema
  readonly name: string
  readonly followed: ReadonlySet<unknown>
}

/** A value that a schema takes. Where it has a pattern of its own, only the length is right. */
export function exampleOf(schema: JsonSchema, root: JsonSchema = schema, name = 'text'): unknown {
  return sampleOf(schema, { root, name, followed: new Set(schema === root ? ['#'] : []) })
}

function sampleOf(schema: JsonSchema, { root, name, followed: before }: Place): unknown {
  const followed = new Set([...before, schema['$ref']])
  const place = { root, name, followed }
  const node = flatten(schema, root)
  const given = givenExample(node)
  if (given !== undefined) return given
  const branch = [...nodesIn(node['anyOf']), ...nodesIn(node['oneOf'])].find(
    (candidate) => flatten(candidate, root)['type'] !== 'null',
  )
  if (branch !== undefined && node['properties'] === undefined)
    return leadsBack(branch, place) ? null : sampleOf(branch, place)
  switch (typeOf(node)) {
    case 'string':
      return textExample(node, name)
    case 'integer':
    case 'number':
      return numberExample(node)
    case 'boolean':
      return true
    case 'array':
      return listExample(node, place)
    case 'object':
      return recordExample(node, place)
    default:
      return null
  }
}

/** True for a reference that has been followed already: a schema that refers to itself must come to an end. */
function leadsBack({ $ref }: JsonSchema, { followed }: Place): boolean {
  return $ref !== undefined && followed.has($ref)
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

function listExample({ items, prefixItems, minItems }: JsonSchema, place: Place): readonly unknown[] {
  const one = { ...place, name: place.name.replace(/s$/, '') }
  const first = nodesIn(prefixItems).map((item) => sampleOf(item, one))
  if (first.length > 0 || !isNode(items) || leadsBack(items, place)) return first
  const count = typeof minItems === 'number' ? Math.min(Math.max(minItems, 1), 3) : 1
  return Array.from({ length: count }, () => sampleOf(items, one))
}

function recordExample(node: JsonSchema, place: Place): JsonSchema {
  const members = membersOf(node, place.root).filter(({ schema }) => !leadsBack(schema, place))
  const { additionalProperties } = node
  if (members.length === 0 && isNode(additionalProperties) && !leadsBack(additionalProperties, place))
    return { key: sampleOf(additionalProperties, { ...place, name: 'value' }) }
  return Object.fromEntries(members.map(({ name, schema }) => [name, sampleOf(schema, { ...place, name })]))
}
