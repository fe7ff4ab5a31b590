import { type JsonSchema, propertiesOf } from '../schema/index.ts'

/** One line about a schema: its type and its bounds. */
export function shapeText(schema: JsonSchema): string {
  const { type, format, minLength, maxLength, minimum, maximum, maxItems, items, pattern } = schema
  const options = schema['enum']
  if (Array.isArray(options)) return `one of ${options.map((option) => JSON.stringify(option)).join(', ')}`
  if ('const' in schema) return `exactly ${JSON.stringify(schema['const'])}`
  const branches = schema['anyOf'] ?? schema['oneOf']
  if (Array.isArray(branches)) return branches.filter(isSchema).map(shapeText).join(' or ')
  if (type === 'array') {
    const inner = isSchema(items) ? shapeText(items) : 'anything'
    return `list of ${inner}${typeof maxItems === 'number' ? `, at most ${maxItems}` : ''}`
  }
  const bounds = [
    typeof minLength === 'number' && minLength > 0 ? `at least ${minLength} characters` : '',
    typeof maxLength === 'number' ? `at most ${maxLength} characters` : '',
    isModest(minimum) ? `from ${minimum}` : '',
    isModest(maximum) ? `to ${maximum}` : '',
    typeof pattern === 'string' && format === undefined ? 'in a set form' : '',
  ].filter((bound) => bound !== '')
  const name =
    typeof format === 'string' ? format : Array.isArray(type) ? type.join(' or ') : String(type ?? 'any')
  return [name, ...bounds].join(', ')
}

function isModest(bound: unknown): bound is number {
  return typeof bound === 'number' && Math.abs(bound) < Number.MAX_SAFE_INTEGER
}

function isSchema(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const formats: Readonly<Record<string, string>> = {
  uuid: '01999f2e-8b6a-7c3d-9e4f-5a6b7c8d9e0f',
  'date-time': '2026-01-31T09:30:00.000Z',
  date: '2026-01-31',
  email: 'ann@example.org',
  uri: 'https://example.org',
}

/** A value that fits a schema, to show what one looks like. */
export function exampleOf(schema: JsonSchema, name = 'text', depth = 0): unknown {
  const options = schema['enum']
  if ('const' in schema) return schema['const']
  if (Array.isArray(options)) return options[0]
  const branches = schema['anyOf'] ?? schema['oneOf']
  if (Array.isArray(branches) && isSchema(branches[0])) return exampleOf(branches[0], name, depth)
  // Deeper than a reader would look; a schema may also contain itself.
  if (depth > 4) return null
  const { type, format, minimum, items } = schema
  if (type === 'integer' || type === 'number') return isModest(minimum) ? minimum : 1
  if (type === 'boolean') return true
  if (type === 'null') return null
  if (type === 'array') return isSchema(items) ? [exampleOf(items, name, depth + 1)] : []
  if (type === 'string') return typeof format === 'string' ? (formats[format] ?? name) : name
  const properties = Object.entries(propertiesOf(schema))
  return Object.fromEntries(properties.map(([key, property]) => [key, exampleOf(property, key, depth + 1)]))
}
