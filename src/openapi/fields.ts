import type { JsonSchema } from '../schema/index.ts'
import { flatten, isNode, membersOf, nodesIn } from './schema-nodes.ts'

/** One line about a schema: a property, or a heading over the properties of one of several shapes. */
export interface Field {
  /** The property's name; `[]` for what a list holds; empty for a heading. */
  readonly name: string
  /** Levels below the schema itself. */
  readonly depthCount: number
  /** `text`, `whole number`, `list of objects`. */
  readonly type: string
  /** `1 to 200 characters`, `default 20`. */
  readonly bounds: readonly string[]
  readonly isRequired: boolean
  readonly description: string
  /** True for a heading. */
  readonly isHeading: boolean
}

const maxDepth = 5
const maxFieldCount = 200

/** What a schema says, as a list for readers. */
export function fieldsOf(schema: JsonSchema): readonly Field[] {
  const found: Field[] = []
  const top = flatten(schema, schema)
  if (describesMembers(top, schema)) descend(top, schema, 0, new Set([schema]), found)
  else {
    found.push(fieldOf('', top, { root: schema, depthCount: 0, isRequired: true }))
    descend(top, schema, 1, new Set([schema]), found)
  }
  return found.slice(0, maxFieldCount)
}

function describesMembers(node: JsonSchema, root: JsonSchema): boolean {
  return membersOf(node, root).length > 0
}

function descend(
  node: JsonSchema,
  root: JsonSchema,
  depthCount: number,
  above: ReadonlySet<JsonSchema>,
  found: Field[],
): void {
  if (depthCount > maxDepth || found.length > maxFieldCount) return
  const shapes = unionOf(node).map((part) => flatten(part, root))
  const records = shapes.filter((shape) => describesMembers(shape, root))
  if (records.length > 1) {
    for (const [index, record] of records.entries()) {
      found.push(headingOf(record, root, index, depthCount))
      descend(record, root, depthCount + 1, above, found)
    }
    return
  }
  for (const { name, schema, isRequired } of membersOf(records[0] ?? node, root)) {
    const member = flatten(schema, root)
    found.push(fieldOf(name, member, { root, depthCount, isRequired }))
    const inner = innermost(member, root)
    // A schema that refers to itself is told once.
    if (!above.has(schema) && !above.has(inner))
      descend(inner, root, depthCount + 1, new Set([...above, schema, inner]), found)
  }
  if (node === root && node['type'] === 'array')
    descend(innermost(node, root), root, depthCount, above, found)
}

function unionOf(node: JsonSchema): readonly JsonSchema[] {
  return [...nodesIn(node['anyOf']), ...nodesIn(node['oneOf'])]
}

/** What a list of lists holds in the end, or the value of a map, or the one shape beside null. */
function innermost(node: JsonSchema, root: JsonSchema, depth = 0): JsonSchema {
  const { items, additionalProperties } = node
  const [only, ...others] = unionOf(node).filter((part) => part['type'] !== 'null')
  const inner = isNode(items) ? items : isNode(additionalProperties) ? additionalProperties : only
  if (inner === undefined || others.length > 0 || depth > maxDepth) return node
  return innermost(flatten(inner, root), root, depth + 1)
}

function headingOf(record: JsonSchema, root: JsonSchema, index: number, depthCount: number): Field {
  const tags = membersOf(record, root).flatMap(({ name, schema }) => {
    const { const: only } = flatten(schema, root)
    return only === undefined ? [] : [`${name} is ${JSON.stringify(only)}`]
  })
  const type = `${index === 0 ? 'either' : 'or'}${tags.length > 0 ? `, when ${tags.join(' and ')}` : ''}`
  return { name: '', depthCount, type, bounds: [], isRequired: true, description: '', isHeading: true }
}

interface FieldPlace {
  readonly root: JsonSchema
  readonly depthCount: number
  readonly isRequired: boolean
}

function fieldOf(name: string, node: JsonSchema, { root, depthCount, isRequired }: FieldPlace): Field {
  const { description, default: fallback } = node
  return {
    name,
    depthCount,
    type: typeText(node, root),
    bounds: [
      ...boundsOf(node, root),
      ...(fallback === undefined ? [] : [`default ${JSON.stringify(fallback)}`]),
    ],
    isRequired: isRequired && fallback === undefined,
    description: typeof description === 'string' ? description : '',
    isHeading: false,
  }
}

const formatNames: ReadonlyMap<string, string> = new Map([
  ['uuid', 'UUID'],
  ['email', 'e-mail address'],
  ['uri', 'URL'],
  ['date-time', 'date and time'],
  ['ipv4', 'IPv4 address'],
  ['ipv6', 'IPv6 address'],
])

const typeNames: ReadonlyMap<unknown, string> = new Map<unknown, string>([
  ['string', 'text'],
  ['integer', 'whole number'],
  ['boolean', 'true or false'],
])

function typeText(node: JsonSchema, root: JsonSchema, depth = 0): string {
  const { type, format, items, prefixItems, additionalProperties, const: only, enum: options } = node
  if (only !== undefined) return JSON.stringify(only)
  if (Array.isArray(options)) return options.map((option) => JSON.stringify(option)).join(' or ')
  if (depth > maxDepth) return 'value'
  const enter = (part: JsonSchema): string => typeText(flatten(part, root), root, depth + 1)
  const union = unionOf(node)
  if (union.length > 0) return [...new Set(union.map(enter))].join(' or ')
  if (Array.isArray(type))
    return type.map((one) => typeText({ ...node, type: one }, root, depth + 1)).join(' or ')
  if (type === 'array' && nodesIn(prefixItems).length > 0)
    return `list: ${nodesIn(prefixItems).map(enter).join(', ')}`
  if (type === 'array') return isNode(items) ? `list of ${several(enter(items))}` : 'list'
  if (type === 'string' && typeof format === 'string') return formatNames.get(format) ?? format
  if (isNode(additionalProperties)) return `map of ${several(enter(additionalProperties))}`
  return typeNames.get(type) ?? (typeof type === 'string' ? type : 'value')
}

function several(type: string): string {
  return type === 'object' || type.endsWith('number') || type === 'UUID' ? `${type}s` : type
}

function boundsOf(node: JsonSchema, root: JsonSchema): readonly string[] {
  const { type, format, pattern, multipleOf, minLength, maxLength, minItems, maxItems, uniqueItems } = node
  const [only, ...others] = unionOf(node).filter((part) => part['type'] !== 'null')
  if (only !== undefined && others.length === 0) return boundsOf(flatten(only, root), root)
  const isFixedFormat = typeof format === 'string' && format !== 'email' && format !== 'uri'
  const isNumber = type === 'integer' || type === 'number'
  return [
    ...(isFixedFormat ? [] : rangeText(minLength, maxLength, 'character')),
    ...(typeof pattern === 'string' && format === undefined ? [`matches ${pattern}`] : []),
    ...rangeText(minItems, maxItems, 'item'),
    ...(uniqueItems === true ? ['no two alike'] : []),
    ...(isNumber ? numberText(node) : []),
    ...(typeof multipleOf === 'number' && multipleOf !== 1 ? [`in steps of ${multipleOf}`] : []),
  ]
}

function rangeText(min: unknown, max: unknown, noun: string): readonly string[] {
  const least = typeof min === 'number' && min > 0 ? min : undefined
  const most = typeof max === 'number' ? max : undefined
  if (least === undefined && most === undefined) return []
  const nouns = (most ?? least) === 1 ? noun : `${noun}s`
  if (least === most) return [`exactly ${grouped(least)} ${nouns}`]
  if (least === undefined) return [`at most ${grouped(most)} ${nouns}`]
  return [
    most === undefined
      ? `at least ${grouped(least)} ${nouns}`
      : `${grouped(least)} to ${grouped(most)} ${nouns}`,
  ]
}

function numberText({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }: JsonSchema): readonly string[] {
  // Every whole number has these; shown, they would hide the bounds that somebody chose.
  const low = minimum === Number.MIN_SAFE_INTEGER ? undefined : minimum
  const high = maximum === Number.MAX_SAFE_INTEGER ? undefined : maximum
  const both = typeof low === 'number' && typeof high === 'number'
  return [
    ...(both ? [`${grouped(low)} to ${grouped(high)}`] : []),
    ...(!both && typeof low === 'number' ? [`at least ${grouped(low)}`] : []),
    ...(!both && typeof high === 'number' ? [`at most ${grouped(high)}`] : []),
    ...(typeof exclusiveMinimum === 'number' ? [`above ${grouped(exclusiveMinimum)}`] : []),
    ...(typeof exclusiveMaximum === 'number' ? [`below ${grouped(exclusiveMaximum)}`] : []),
  ]
}

function grouped(count: number | undefined): string {
  return count === undefined ? '' : count.toLocaleString('en', { maximumFractionDigits: 10 })
}
