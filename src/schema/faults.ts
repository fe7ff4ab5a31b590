import { pointerOf } from './pointer.ts'
import { readShape } from './read-shape.ts'
import { type Alternative, longestText, type Shape } from './shape.ts'
import type { JsonSchema } from './standard.ts'

/** What the boot gate finds wrong with a schema. */
export type SchemaRule =
  | 'open-node'
  | 'unbounded-string'
  | 'unbounded-array'
  | 'undeclared-keys'
  | 'unsupported'

/** One fault of a schema. */
export interface SchemaFault {
  readonly rule: SchemaRule
  /** JSON Pointer into the values that it describes, `*` for any item of a list or value of a map. */
  readonly path: string
  /** What to write instead. */
  readonly fix: string
}

const fixes: Readonly<Record<SchemaRule, string>> = {
  'open-node':
    'say what may be here: a type, an enum, or an object with its keys. Dates are ISO strings; an optional key is marked on the key and does not name undefined; what a transform gives is named by a schema after it',
  'unbounded-string':
    'give it a largest length (zod .max(200), valibot v.maxLength(200), arktype "string <= 200", joi .max(200)), an enum, or one of the formats uuid, date, date-time, time, ipv4, ipv6; a pattern alone is no bound',
  'unbounded-array':
    'give it a largest number of items (zod .max(50), valibot v.maxLength(50), arktype "<= 50", joi .max(50)), or make it a tuple',
  'undeclared-keys':
    'name every key, or take a list of { key, value } objects; a map is possible where its names are bounded: z.record(z.string().max(40), …), v.record(v.pipe(v.string(), v.maxLength(40)), …)',
  unsupported: 'write it with objects, lists, unions and references that stand in the same schema; found: ',
}

/**
 * The faults of a schema, by its JSON Schema: what admits more than it names, or without end.
 *
 * An output comes from the application's own rows, so its strings and lists need no bound.
 *
 * @see OWASP ASVS 5.0 §2.2.1, §1.3.3
 * @example schemaFaults({ type: 'object', properties: { name: { type: 'string' } } }, 'input')
 * // [{ rule: 'unbounded-string', path: '/name', fix: 'give it a largest length …' }]
 */
export function schemaFaults(json: JsonSchema, role: 'input' | 'output'): SchemaFault[] {
  const search = new FaultSearch(role)
  search.visit(readShape(json), [])
  return [...search.found.values()]
}

class FaultSearch {
  readonly found = new Map<string, SchemaFault>()
  readonly #seen = new Set<Shape>()
  readonly #role: 'input' | 'output'

  constructor(role: 'input' | 'output') {
    this.#role = role
  }

  visit(shape: Shape, path: readonly (string | number)[]): void {
    // A recursive schema has been looked at where it stands first.
    if (this.#seen.has(shape)) return
    this.#seen.add(shape)
    if (shape.unsupported.length > 0)
      this.#add('unsupported', path, [...new Set(shape.unsupported)].join(', '))
    for (const alternative of shape.alternatives) this.#visitAlternative(alternative, path)
  }

  #visitAlternative(alternative: Alternative, path: readonly (string | number)[]): void {
    const { kinds, values, text } = alternative
    if (kinds === null) {
      this.#add('open-node', path)
      return
    }
    if (values !== null) return
    if (kinds.has('string') && longestText(text) === null) this.#addForInput('unbounded-string', path)
    if (kinds.has('array')) this.#visitList(alternative, path)
    if (kinds.has('object')) this.#visitRecord(alternative, path)
  }

  #visitList({ list }: Alternative, path: readonly (string | number)[]): void {
    if (list.open) this.#add('open-node', path)
    const isBounded = list.maxCount !== null || (list.rest === null && !list.open)
    if (!isBounded) this.#addForInput('unbounded-array', path)
    for (const [index, shape] of list.first.entries()) this.visit(shape, [...path, index])
    if (list.rest !== null) this.visit(list.rest, [...path, '*'])
  }

  #visitRecord({ record }: Alternative, path: readonly (string | number)[]): void {
    const isUnboundedMap = record.rest !== null && record.nameCount === null
    if (record.loose || isUnboundedMap) this.#add('undeclared-keys', path)
    if (record.open) this.#add('open-node', path)
    for (const [name, shape] of record.properties) this.visit(shape, [...path, name])
    if (record.rest !== null) this.visit(record.rest, [...path, '*'])
  }

  #addForInput(rule: SchemaRule, path: readonly (string | number)[]): void {
    if (this.#role === 'input') this.#add(rule, path)
  }

  #add(rule: SchemaRule, path: readonly (string | number)[], detail = ''): void {
    const place = pointerOf(path)
    this.found.set(`${rule} ${place}`, { rule, path: place, fix: `${fixes[rule]}${detail}` })
  }
}
