import type { JsonSchema } from '../schema/index.ts'

/** One property of an object schema. */
export interface Member {
  readonly name: string
  readonly schema: JsonSchema
  readonly isRequired: boolean
}

// References can lead in a circle; no root needs more steps than this.
const maxDepth = 8

/** True for an object of keywords. */
export function isNode(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The schemas of a list, without `true` and `false`. */
export function nodesIn(value: unknown): readonly JsonSchema[] {
  return Array.isArray(value) ? value.filter(isNode) : []
}

/** A JSON Pointer's steps, from the fragment of a `$ref` (RFC 6901 §6); `undefined` when it is none. */
export function pointerSteps(ref: string): readonly string[] | undefined {
  if (ref !== '#' && !ref.startsWith('#/')) return undefined
  try {
    return decodeURIComponent(ref)
      .split('/')
      .slice(1)
      .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
  } catch {
    return undefined
  }
}

/** The schema that a `$ref` leads to, inside the schema it was written in. */
export function targetOf(ref: string, root: JsonSchema): JsonSchema | undefined {
  const steps = pointerSteps(ref)
  if (steps === undefined) return undefined
  let target: unknown = root
  for (const step of steps) {
    if (typeof target !== 'object' || target === null || !Object.hasOwn(target, step)) return undefined
    target = Reflect.get(target, step)
  }
  return isNode(target) ? target : undefined
}

/** A schema with its `$ref` followed and its `allOf` laid over each other; what stands beside a `$ref` wins. */
export function flatten(schema: JsonSchema, root: JsonSchema, depth = 0): JsonSchema {
  const { $ref, allOf, ...own } = schema
  if (depth > maxDepth || ($ref === undefined && allOf === undefined)) return schema
  const target = typeof $ref === 'string' ? targetOf($ref, root) : undefined
  const parts = [...(target === undefined ? [] : [target]), ...nodesIn(allOf)]
  return Object.assign(
    {},
    ...parts.map((part) => flatten(part, root, depth + 1)),
    own,
    membersMerged(schema, root),
  )
}

/** `properties` and `required` of all parts together: laid over each other, the last would hide the others. */
function membersMerged(schema: JsonSchema, root: JsonSchema): JsonSchema {
  const members = membersOf(schema, root)
  if (members.length === 0) return {}
  return {
    properties: Object.fromEntries(members.map((member) => [member.name, member.schema])),
    required: members.filter(({ isRequired }) => isRequired).map(({ name }) => name),
  }
}

/** The properties of an object schema, through `$ref` and `allOf`; those of a union's parts count as optional. */
export function membersOf(schema: JsonSchema, root: JsonSchema = schema, depth = 0): readonly Member[] {
  if (depth > maxDepth) return []
  const found = new Map<string, Member>()
  const add = ({ name, schema, isRequired }: Member): void => {
    const before = found.get(name)
    found.set(name, { name, schema, isRequired: isRequired || before?.isRequired === true })
  }
  const { $ref, allOf, anyOf, oneOf, properties, required } = schema
  const target = typeof $ref === 'string' ? targetOf($ref, root) : undefined
  for (const part of [...(target === undefined ? [] : [target]), ...nodesIn(allOf)])
    for (const member of membersOf(part, root, depth + 1)) add(member)
  for (const part of [...nodesIn(anyOf), ...nodesIn(oneOf)])
    for (const member of membersOf(part, root, depth + 1)) add({ ...member, isRequired: false })
  const names: readonly unknown[] = Array.isArray(required) ? required : []
  if (isNode(properties))
    for (const [name, value] of Object.entries(properties))
      add({ name, schema: isNode(value) ? value : {}, isRequired: names.includes(name) })
  return [...found.values()]
}
