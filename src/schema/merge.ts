import { isKeywords, isRaw, type Raw, rawList } from './expand.ts'
import type { ListRule, NumberRule, RecordRule, Scalar, Shape, TextRule, ValueKind } from './shape.ts'
import type { JsonSchema } from './standard.ts'

/** An alternative whose object rule is settled once every shape is known. */
export interface Draft {
  readonly kinds: ReadonlySet<ValueKind> | null
  readonly values: readonly Scalar[] | null
  readonly text: TextRule
  readonly number: NumberRule
  readonly list: ListRule
  readonly record: RecordDraft
}

interface RecordDraft extends RecordRule {
  properties: Map<string, Shape>
  rest: Shape | null
  nameCount: number | null
  names: Shape | null
  tags: [string, Scalar[]][]
}

/** Gives the shape of schemas that hold together. */
export type ShapeFor = (raws: readonly Raw[]) => Shape

/** Merges schemas that all hold of a value; `null` when nothing can satisfy them. */
export function mergeRaws(raws: readonly Raw[], shapeFor: ShapeFor, unsupported: string[]): Draft | null {
  const parts = raws.filter(isKeywords)
  if (raws.includes(false) || parts.some(({ not }) => isAnything(not))) return null
  const values = mergeValues(parts, unsupported)
  const types = mergeTypes(parts)
  const kinds = types?.kinds ?? (values === null ? null : new Set(values.map(kindOfScalar)))
  if (kinds?.size === 0 || values?.length === 0) return null
  return {
    kinds,
    values,
    text: mergeText(parts),
    number: mergeNumber(parts, types?.whole ?? false),
    list: mergeList(parts, shapeFor),
    record: mergeRecord(parts, shapeFor),
  }
}

function isAnything(raw: unknown): boolean {
  return raw === true || (isKeywords(raw) && Object.keys(raw).length === 0)
}

const kindNames: ReadonlyMap<unknown, ValueKind> = new Map([
  ['string', 'string'],
  ['number', 'number'],
  ['integer', 'number'],
  ['boolean', 'boolean'],
  ['null', 'null'],
  ['array', 'array'],
  ['object', 'object'],
])

function mergeTypes(parts: readonly JsonSchema[]): { kinds: Set<ValueKind>; whole: boolean } | null {
  const declared = parts
    .filter(({ type }) => type !== undefined)
    .map(({ type }) => (Array.isArray(type) ? type : [type]))
  if (declared.length === 0) return null
  const sets = declared.map((names) => new Set(names.flatMap((name) => kindNames.get(name) ?? [])))
  const kinds = new Set([...kindNames.values()].filter((kind) => sets.every((set) => set.has(kind))))
  const whole = declared.some((names) => names.includes('integer') && !names.includes('number'))
  return { kinds, whole }
}

function mergeValues(parts: readonly JsonSchema[], unsupported: string[]): Scalar[] | null {
  let values: Scalar[] | null = null
  for (const part of parts) {
    for (const list of [part['enum'], Object.hasOwn(part, 'const') ? [part['const']] : undefined]) {
      if (!Array.isArray(list)) continue
      const own = list.filter(isScalar)
      if (own.length < list.length) unsupported.push('a list or an object as a fixed value')
      values = values === null ? own : values.filter((value) => own.includes(value))
    }
  }
  return values
}

function isScalar(value: unknown): value is Scalar {
  return (
    value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
  )
}

function kindOfScalar(value: Scalar): ValueKind {
  if (value === null) return 'null'
  return typeof value === 'string' ? 'string' : typeof value === 'number' ? 'number' : 'boolean'
}

// What a message has words for; any other format is "in the required form".
const spokenFormats = ['uuid', 'email', 'uri', 'date', 'date-time', 'time', 'ipv4', 'ipv6']

function mergeText(parts: readonly JsonSchema[]): TextRule {
  const formats = parts.map(({ format }) => format).filter((format) => typeof format === 'string')
  const format = formats.find((name) => spokenFormats.includes(name)) ?? null
  return {
    minCount: highest(parts, 'minLength') ?? 0,
    maxCount: lowest(parts, 'maxLength'),
    format,
    hasForm:
      parts.some(({ pattern }) => typeof pattern === 'string') || formats.some((name) => name !== format),
  }
}

function mergeNumber(parts: readonly JsonSchema[], whole: boolean): NumberRule {
  return {
    // A multiple of a whole number is whole: arktype says so, the others leave it to the reader.
    whole: whole || parts.some(({ multipleOf }) => Number.isInteger(multipleOf)),
    min: worthSaying(highest(parts, 'minimum')),
    max: worthSaying(lowest(parts, 'maximum')),
    above: highest(parts, 'exclusiveMinimum'),
    below: lowest(parts, 'exclusiveMaximum'),
    step: highest(parts, 'multipleOf'),
  }
}

/** The edge of the safe integers holds of every number here; some libraries write it out and some do not. */
function worthSaying(bound: number | null): number | null {
  return bound === null || Math.abs(bound) >= Number.MAX_SAFE_INTEGER ? null : bound
}

function highest(parts: readonly JsonSchema[], keyword: string): number | null {
  const found = numbersAt(parts, keyword)
  return found.length === 0 ? null : Math.max(...found)
}

function lowest(parts: readonly JsonSchema[], keyword: string): number | null {
  const found = numbersAt(parts, keyword)
  return found.length === 0 ? null : Math.min(...found)
}

function numbersAt(parts: readonly JsonSchema[], keyword: string): number[] {
  return parts.map((part) => part[keyword]).filter((value) => typeof value === 'number')
}

function mergeList(parts: readonly JsonSchema[], shapeFor: ShapeFor): ListRule {
  const firsts = parts.map(({ prefixItems }) => rawList(prefixItems))
  const firstCount = Math.max(0, ...firsts.map((list) => list.length))
  const first = Array.from({ length: firstCount }, (_, index) =>
    shapeFor(firsts.map((list) => list[index]).filter(isRaw)),
  )
  // Both mean the same for lists that the libraries write; Joi uses the second.
  const items = ['items', 'unevaluatedItems'].flatMap((keyword) => rawsAt(parts, keyword))
  const declared = items.filter((raw) => raw !== false)
  const closed = declared.length < items.length
  return {
    minCount: highest(parts, 'minItems') ?? 0,
    maxCount: lowest(parts, 'maxItems'),
    first,
    rest: closed || declared.length === 0 ? null : shapeFor(declared),
    open: firstCount === 0 && items.length === 0,
  }
}

function mergeRecord(parts: readonly JsonSchema[], shapeFor: ShapeFor): RecordDraft {
  const declared = new Map<string, Raw[]>()
  for (const { properties } of parts) {
    if (!isKeywords(properties)) continue
    for (const [name, raw] of Object.entries(properties)) {
      if (isRaw(raw)) declared.set(name, [...(declared.get(name) ?? []), raw])
    }
  }
  const others = ['additionalProperties', 'unevaluatedProperties'].flatMap((keyword) =>
    rawsAt(parts, keyword),
  )
  const maps = others.filter((raw) => raw !== false && !isAnything(raw))
  const names = rawsAt(parts, 'propertyNames')
  return {
    properties: new Map([...declared].map(([name, raws]) => [name, shapeFor(raws)])),
    required: [...new Set(parts.flatMap(({ required }) => stringsOf(required)))],
    rest: maps.length === 0 ? null : shapeFor(maps),
    nameCount: null,
    loose: others.some(isAnything) || parts.some(({ patternProperties }) => isKeywords(patternProperties)),
    open: others.length === 0 && !parts.some(({ properties }) => isKeywords(properties)),
    names: names.length === 0 ? null : shapeFor(names),
    tags: [],
  }
}

function rawsAt(parts: readonly JsonSchema[], keyword: string): Raw[] {
  return parts.map((part) => part[keyword]).filter(isRaw)
}

function stringsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []
}
