import type { JsonSchema } from '../schema/index.ts'
import { isNode, pointerSteps, targetOf } from './schema-nodes.ts'

// Where a schema stands inside a schema. Everything else is data (`const`, `enum`, `default`, `examples`), and a "$ref"
// in data is no reference.
const single = new Set([
  'additionalProperties',
  'contains',
  'contentSchema',
  'else',
  'if',
  'items',
  'not',
  'propertyNames',
  'then',
  'unevaluatedItems',
  'unevaluatedProperties',
])
const lists = new Set(['allOf', 'anyOf', 'oneOf', 'prefixItems'])
const maps = new Set(['dependentSchemas', 'patternProperties', 'properties'])
// An id would make the embedded schema a document of its own, in which no pointer of ours leads anywhere.
const dropped = new Set(['$schema', '$id', '$defs', 'definitions'])

// Names that a library made up because the author gave none.
const madeUp = /^_*schema\d*$/i

/**
 * The shared schemas of one OpenAPI document. A schema that is embedded is no longer the root that its references
 * count from, so what they lead to moves here under a name of its own, and they are rewritten.
 */
export class Components {
  readonly #schemas = new Map<string, JsonSchema>()
  /** By what it is: the same definition in two schemas is one component, a namesake is not. */
  readonly #names = new Map<string, string>()

  /** Takes a name for a schema of the document's own. */
  define(name: string, schema: JsonSchema): void {
    this.#schemas.set(name, schema)
  }

  /**
   * A schema ready to stand in the document.
   *
   * @param root The schema that it was written in, which its references count from.
   * @param hint What to call it where it needs a name.
   */
  embed(schema: JsonSchema, root: JsonSchema, hint: string): JsonSchema {
    const rewritten = this.#rewrite(schema, root, hint)
    const own = schema === root ? this.#names.get(identityOf('#', root)) : undefined
    // It refers to itself as a whole: one copy, not two.
    return own === undefined ? rewritten : { $ref: `#/components/schemas/${own}` }
  }

  /** All of them by name. */
  toJson(): JsonSchema {
    return Object.fromEntries(this.#schemas)
  }

  #rewrite(schema: JsonSchema, root: JsonSchema, hint: string): JsonSchema {
    const enter = (value: unknown): unknown => (isNode(value) ? this.#rewrite(value, root, hint) : value)
    return Object.fromEntries(
      Object.entries(schema).flatMap(([keyword, value]): [string, unknown][] => {
        if (dropped.has(keyword)) return []
        if (keyword === '$ref' && typeof value === 'string') return this.#reference(value, root, hint)
        if (single.has(keyword)) return [[keyword, enter(value)]]
        if (lists.has(keyword) && Array.isArray(value)) return [[keyword, value.map(enter)]]
        if (!maps.has(keyword) || !isNode(value)) return [[keyword, value]]
        const entries = Object.entries(value).map(([name, part]) => [name, enter(part)])
        return [[keyword, Object.fromEntries(entries)]]
      }),
    )
  }

  #reference(ref: string, root: JsonSchema, hint: string): [string, unknown][] {
    const [first, name, ...rest] = pointerSteps(ref) ?? []
    const isDefinition = (first === '$defs' || first === 'definitions') && name !== undefined
    const pointer = isDefinition ? ref.split('/').slice(0, 3).join('/') : '#'
    const target = targetOf(ref, root) === undefined ? undefined : targetOf(pointer, root)
    // The boot gate refuses what leads nowhere; a document with such a reference would not load anywhere.
    if (target === undefined) return []
    const component = this.#hoist(
      pointer,
      target,
      root,
      isDefinition ? (madeUp.test(name) ? `${hint}Part` : name) : hint,
    )
    const steps = isDefinition ? rest : (pointerSteps(ref) ?? [])
    const inside = steps.map(
      (step) => `/${encodeURIComponent(step.replaceAll('~', '~0').replaceAll('/', '~1'))}`,
    )
    return [['$ref', `#/components/schemas/${component}${inside.join('')}`]]
  }

  #hoist(pointer: string, target: JsonSchema, root: JsonSchema, wanted: string): string {
    const identity = identityOf(pointer, root)
    const known = this.#names.get(identity)
    if (known !== undefined) return known
    // OpenAPI 3.1.1 §4.8.7.1: component names are of these characters only.
    const plain = wanted.replaceAll(/[^A-Za-z0-9._-]/g, '_') || 'Schema'
    let name = plain
    for (let number = 2; this.#schemas.has(name); number++) name = `${plain}_${number}`
    // Named before it is rewritten, because it may lead back to itself.
    this.#names.set(identity, name)
    this.#schemas.set(name, {})
    this.#schemas.set(name, this.#rewrite(target, root, wanted))
    return name
  }
}

/** What a place in a schema is: its text and that of everything it leads to. */
function identityOf(pointer: string, root: JsonSchema): string {
  const reached = new Map<string, string>()
  const visit = (ref: string): void => {
    if (reached.has(ref)) return
    const text = JSON.stringify(targetOf(ref, root) ?? null)
    reached.set(ref, text)
    for (const [, found] of text.matchAll(/"\$ref":("(?:[^"\\]|\\.)*")/g)) {
      if (found !== undefined) visit(String(JSON.parse(found)))
    }
  }
  visit(pointer)
  return JSON.stringify([...reached])
}
