import { define } from './own-property.ts'
import { readShape } from './read-shape.ts'
import type { Alternative, Shape } from './shape.ts'
import type { JsonSchema } from './standard.ts'

/** Reads one parameter's text as what the schema takes there. */
type Reading = (text: string | readonly string[]) => unknown

/**
 * Compiles the reading of path and query parameters, which arrive as text: numbers and booleans in their one canonical
 * form, and a single value as a list of one, where the schema says so. All else stays text, so that validation refuses
 * it: `1e3`, `01`, ` 1`, `0x1`, the empty text, and what a number cannot hold exactly.
 *
 * @see OWASP ASVS 5.0 §15.3.5 (no type juggling), §1.4.2
 * @example compileText(json)({ limit: '10', tag: 'a' }) // { limit: 10, tag: ['a'] }
 */
export function compileText(
  json: JsonSchema,
): (record: Readonly<Record<string, string | string[]>>) => Record<string, unknown> {
  const objects = readShape(json).alternatives.filter(({ kinds }) => kinds?.has('object') === true)
  const names = new Set(objects.flatMap(({ record }) => [...record.properties.keys()]))
  const readings = new Map([...names].map((name) => [name, readingOf(shapesAt(objects, name))]))
  const others = readingOf(objects.flatMap(({ record }) => record.rest ?? []))
  // Nothing has to be read where all is text: the path of most routes.
  if (objects.every(({ record }) => record.rest === null && [...record.properties.values()].every(isText)))
    return (record) => ({ ...record })
  return (record) => {
    const read: Record<string, unknown> = {}
    for (const name in record) {
      const text = Object.hasOwn(record, name) ? record[name] : undefined
      if (text !== undefined) define(read, name, (readings.get(name) ?? others)(text))
    }
    return read
  }
}

function isText({ alternatives }: Shape): boolean {
  return alternatives.every(({ kinds }) => kinds?.size === 1 && kinds.has('string'))
}

function shapesAt(objects: readonly Alternative[], name: string): Shape[] {
  return objects.flatMap(({ record }) => record.properties.get(name) ?? record.rest ?? [])
}

function readingOf(shapes: readonly Shape[]): Reading {
  const alternatives = shapes.flatMap((shape) => shape.alternatives)
  const lists = alternatives.filter(({ kinds }) => kinds?.has('array') === true)
  const scalars = alternatives.filter((alternative) => !lists.includes(alternative))
  const readScalar = (text: string) => scalarOf(scalars, text)
  if (lists.length === 0) return (text) => (typeof text === 'string' ? readScalar(text) : text)
  const items = lists.flatMap(({ list }) => [...list.first, ...(list.rest === null ? [] : [list.rest])])
  const itemAlternatives = items.flatMap((shape) => shape.alternatives)
  const readItem = (text: string) => scalarOf(itemAlternatives, text)
  if (scalars.length === 0)
    return (text) => (typeof text === 'string' ? [readItem(text)] : text.map(readItem))
  return (text) => (typeof text === 'string' ? readScalar(text) : text.map(readItem))
}

function scalarOf(alternatives: readonly Alternative[], text: string): unknown {
  let found: unknown = text
  for (const { kinds, values } of alternatives) {
    if (kinds === null) continue
    // Text wins where the schema takes text: `?code=10` against string-or-number is not for us to decide.
    if (kinds.has('string') && (values === null || values.includes(text))) return text
    const read = kinds.has('number') ? numberOf(text) : undefined
    if (read !== undefined && (values === null || values.includes(read))) found = read
    if (!kinds.has('boolean') || (text !== 'true' && text !== 'false')) continue
    if (values === null || values.includes(text === 'true')) found = text === 'true'
  }
  return found
}

const canonical = /^-?(?:0|[1-9]\d{0,15})(?:\.\d{1,15})?$/

/** The number that a text is the one canonical form of. */
function numberOf(text: string): number | undefined {
  if (!canonical.test(text)) return undefined
  const read = Number(text)
  // The way back must give the same text: `1.0`, `-0` and 9007199254740993 do not.
  return String(read) === text && Math.abs(read) <= Number.MAX_SAFE_INTEGER ? read : undefined
}
