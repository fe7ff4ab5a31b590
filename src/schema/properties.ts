import type { JsonSchema } from './standard.ts'

/** The named members of an object schema, through `$ref` and `allOf` at its root. */
export function propertiesOf(
  json: JsonSchema,
  root: JsonSchema = json,
  depth = 0,
): Readonly<Record<string, JsonSchema>> {
  // A schema may refer to itself; eight steps are more than any root needs.
  if (depth > 8) return {}
  const found: Record<string, JsonSchema> = {}
  const { $ref, allOf, properties } = json
  if (typeof $ref === 'string') {
    const target = $ref === '#' ? root : followRef($ref, root)
    if (target !== undefined) Object.assign(found, propertiesOf(target, root, depth + 1))
  }
  if (Array.isArray(allOf)) {
    for (const part of allOf.filter(isObject)) Object.assign(found, propertiesOf(part, root, depth + 1))
  }
  if (isObject(properties)) {
    for (const [name, schema] of Object.entries(properties)) found[name] = isObject(schema) ? schema : {}
  }
  return found
}

function followRef(ref: string, root: JsonSchema): JsonSchema | undefined {
  const name = /^#\/\$defs\/([^/]+)$/.exec(ref)?.[1]
  const { $defs } = root
  if (name === undefined || !isObject($defs)) return undefined
  const target = $defs[name.replaceAll('~1', '/').replaceAll('~0', '~')]
  return isObject(target) ? target : undefined
}

function isObject(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
