import { isMembers, type Members, ownValue } from './own-property.ts'
import { type Alternative, longestText, type Scalar, type Shape, type ValueKind } from './shape.ts'

/**
 * Nothing is read below this many levels. The JSON parser refuses at half of it; this holds for values that did not
 * come through the parser, and for cycles.
 */
export const maxDepth = 64

/** The kind of a value; `null` for what JSON cannot hold. */
export function kindOf(value: unknown): ValueKind | null {
  switch (typeof value) {
    case 'string':
    case 'number':
    case 'boolean':
      return typeof value === 'number' ? 'number' : typeof value === 'string' ? 'string' : 'boolean'
    case 'object':
      if (value === null) return 'null'
      return Array.isArray(value) ? 'array' : value instanceof Date ? 'string' : 'object'
    default:
      return null
  }
}

/** True when the kind of a value is one that the alternative declares. An open node declares none. */
export function isKind(alternative: Alternative, kind: ValueKind | null): boolean {
  return kind !== null && alternative.kinds?.has(kind) === true
}

/** True when a string, number, boolean or null holds what the schema says of it, but for its form. */
export function isScalarFit({ values, text, number }: Alternative, value: unknown): boolean {
  if (values !== null && !values.some((option) => option === value)) return false
  if (typeof value === 'string') {
    return value.length >= text.minCount && value.length <= (longestText(text) ?? Number.POSITIVE_INFINITY)
  }
  if (typeof value === 'number') return isNumberFit(number, value)
  // A date is text only where the schema says so; JSON.stringify writes it in ISO 8601.
  if (value instanceof Date) return text.format === 'date-time' && !Number.isNaN(value.getTime())
  return true
}

function isNumberFit({ whole, min, max, above, below, step }: Alternative['number'], value: number): boolean {
  // Beyond the safe integers two numbers look alike; RFC 8259 §6, ASVS 1.4.2. NaN fails the comparison too.
  if (!(Math.abs(value) <= Number.MAX_SAFE_INTEGER)) return false
  if (whole && !Number.isInteger(value)) return false
  if ((min !== null && value < min) || (max !== null && value > max)) return false
  if ((above !== null && value <= above) || (below !== null && value >= below)) return false
  return step === null || !Number.isInteger(step) || step === 0 || value % step === 0
}

/** True when the number of items is one that the schema admits. */
export function isCountFit({ list }: Alternative, items: readonly unknown[]): boolean {
  return items.length >= list.minCount && items.length <= (list.maxCount ?? Number.POSITIVE_INFINITY)
}

/** The shape of an item; `undefined` where none is declared. */
export function itemShape({ list }: Alternative, index: number): Shape | undefined {
  return list.first[index] ?? list.rest ?? undefined
}

/** The shape of a property; `undefined` where none is declared. */
export function propertyShape({ record }: Alternative, name: string): Shape | undefined {
  return record.properties.get(name) ?? record.rest ?? undefined
}

/** True for a map's key that is longer than the schema lets it be. */
export function isNameTooLong({ record }: Alternative, name: string): boolean {
  return record.nameCount !== null && name.length > record.nameCount && !record.properties.has(name)
}

/** Which declared keys count: an input must have no others, an output may have more than it will show. */
export type Keys = 'no others' | 'and others'

/**
 * Finds the alternative of a union that a value belongs to: by its kind, its tags and its required keys; where these
 * leave several, by looking at everything inside it. One instance serves one value, because it remembers its answers:
 * without that, unions inside unions would take exponential time over a hostile value.
 */
export class Chooser {
  readonly #keys: Keys
  #answers: Map<object, Map<Alternative, boolean>> | null = null

  constructor(keys: Keys) {
    this.#keys = keys
  }

  /** The alternative that a value belongs to; `undefined` when it belongs to none. */
  choose({ alternatives }: Shape, value: unknown): Alternative | undefined {
    const kind = kindOf(value)
    let likely: Alternative | undefined
    let likelyCount = 0
    for (const alternative of alternatives) {
      if (!isLikely(alternative, value, kind)) continue
      likely ??= alternative
      likelyCount++
    }
    if (likelyCount <= 1) return likely
    return alternatives.find(
      (alternative) => isLikely(alternative, value, kind) && this.fits(alternative, value, 0),
    )
  }

  /** True when everything inside a value is as an alternative declares it, but for the form of its strings. */
  fits(alternative: Alternative, value: unknown, depth: number): boolean {
    if (depth > maxDepth || !isKind(alternative, kindOf(value))) return false
    if (typeof value !== 'object' || value === null || value instanceof Date)
      return isScalarFit(alternative, value)
    this.#answers ??= new Map()
    const answers = this.#answers.get(value) ?? new Map<Alternative, boolean>()
    this.#answers.set(value, answers)
    const known = answers.get(alternative)
    if (known !== undefined) return known
    const answer = isMembers(value)
      ? this.#fitsRecord(alternative, value, depth)
      : Array.isArray(value) && this.#fitsList(alternative, value, depth)
    answers.set(alternative, answer)
    return answer
  }

  #fitsShape({ alternatives }: Shape, value: unknown, depth: number): boolean {
    return alternatives.some((alternative) => this.fits(alternative, value, depth))
  }

  #fitsList(alternative: Alternative, items: readonly unknown[], depth: number): boolean {
    if (!isCountFit(alternative, items)) return false
    return items.every((item, index) => {
      const shape = itemShape(alternative, index)
      return shape === undefined ? this.#keys === 'and others' : this.#fitsShape(shape, item, depth + 1)
    })
  }

  #fitsRecord(alternative: Alternative, value: Members, depth: number): boolean {
    if (!hasRequired(alternative, value)) return false
    return Object.keys(value).every((name) => {
      const shape = propertyShape(alternative, name)
      if (shape === undefined || isNameTooLong(alternative, name)) return this.#keys === 'and others'
      const own = value[name]
      return own === undefined || this.#fitsShape(shape, own, depth + 1)
    })
  }
}

/**
 * The one alternative that declares a value's kind, where {@link Chooser.choose} finds none: good for naming what is
 * wrong inside it.
 */
export function nearest({ alternatives }: Shape, value: unknown): Alternative | undefined {
  const kind = kindOf(value)
  const near = alternatives.filter((alternative) => isKind(alternative, kind))
  if (near.length <= 1) return near[0]
  const tagged = near.filter(({ record }) => record.tags.length > 0)
  if (!isMembers(value) || tagged.length < near.length) return undefined
  const told = near.filter((alternative) => hasTags(alternative, value))
  return told.length === 1 ? told[0] : undefined
}

function isLikely(alternative: Alternative, value: unknown, kind: ValueKind | null): boolean {
  if (!isKind(alternative, kind)) return false
  if (kind !== 'object' && kind !== 'array') return isScalarFit(alternative, value)
  if (kind === 'array') return Array.isArray(value) && isCountFit(alternative, value)
  return isMembers(value) && hasTags(alternative, value) && hasRequired(alternative, value)
}

function hasTags({ record }: Alternative, value: Members): boolean {
  for (const [name, values] of record.tags) {
    const own = ownValue(value, name)
    // An absent tag says nothing; whether it may be absent is for the required keys to say.
    if (own !== undefined && !values.some((option: Scalar) => option === own)) return false
  }
  return true
}

function hasRequired({ record }: Alternative, value: Members): boolean {
  for (const name of record.required) if (ownValue(value, name) === undefined) return false
  return true
}
