import { type JsonSchema, propertiesOf } from '../schema/index.ts'

/**
 * A schema in a few characters: `{title, body?}`, `[{id, …}]`, `string`.
 *
 * @param nameMaxCount How many names of an object to show before `…`.
 */
export function shapeText(schema: JsonSchema, nameMaxCount: number = Number.POSITIVE_INFINITY): string {
  const names = Object.keys(propertiesOf(schema))
  if (names.length > 0) {
    const required = Array.isArray(schema['required']) ? schema['required'] : []
    const shown = names.slice(0, nameMaxCount).map((name) => (required.includes(name) ? name : `${name}?`))
    return `{${[...shown, ...(names.length > nameMaxCount ? ['…'] : [])].join(', ')}}`
  }
  const { type, items, anyOf, oneOf } = schema
  if (isSchema(items)) return `[${shapeText(items, nameMaxCount)}]`
  const alternatives = [anyOf, oneOf].find((list) => Array.isArray(list))
  if (Array.isArray(alternatives)) {
    return alternatives
      .filter(isSchema)
      .map((part) => shapeText(part, nameMaxCount))
      .join(' | ')
  }
  if (type === 'object') return '{}'
  return typeof type === 'string' ? type : 'value'
}

function isSchema(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
