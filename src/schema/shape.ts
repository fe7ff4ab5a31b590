/** A value that is no list and no object. */
export type Scalar = string | number | boolean | null

/** The kinds of JSON value. */
export type ValueKind = 'string' | 'number' | 'boolean' | 'null' | 'array' | 'object'

/**
 * What a place in a value may look like: a JSON Schema with its references followed, its `allOf` merged and its
 * unions laid out flat, so that the four readings of it (faults, undeclared keys, projection, messages) agree.
 */
export interface Shape {
  /** One for most places, several for a union, none where nothing is acceptable. */
  readonly alternatives: readonly Alternative[]
  /** What in the schema cannot be read; the boot gate refuses it. */
  readonly unsupported: readonly string[]
}

/** One way a value may look. */
export interface Alternative {
  /** `null` when the schema does not say: an open node. */
  readonly kinds: ReadonlySet<ValueKind> | null
  /** The only acceptable values, from `enum` and `const`. */
  readonly values: readonly Scalar[] | null
  readonly text: TextRule
  readonly number: NumberRule
  readonly list: ListRule
  readonly record: RecordRule
}

/** What holds of a string. Lengths count UTF-16 units, as all four libraries do. */
export interface TextRule {
  readonly minCount: number
  readonly maxCount: number | null
  readonly format: string | null
  /** True when there is a regular expression, or a format that Holdfast has no words for. */
  readonly hasForm: boolean
}

/** What holds of a number. */
export interface NumberRule {
  readonly whole: boolean
  readonly min: number | null
  readonly max: number | null
  readonly above: number | null
  readonly below: number | null
  /** It must be a multiple of this. */
  readonly step: number | null
}

/** What holds of a list. */
export interface ListRule {
  readonly minCount: number
  readonly maxCount: number | null
  /** The shapes of the first items, of a tuple. */
  readonly first: readonly Shape[]
  /** The shape of every further item; `null`: there are none, or nothing says. */
  readonly rest: Shape | null
  /** True when neither items nor their absence is declared. */
  readonly open: boolean
}

/** What holds of an object. */
export interface RecordRule {
  readonly properties: ReadonlyMap<string, Shape>
  readonly required: readonly string[]
  /** The shape of every other value, of a map; `null` when other keys are not declared. */
  readonly rest: Shape | null
  /** The longest name of a map's key, in UTF-16 units; `null` when nothing says. */
  readonly nameCount: number | null
  /** True when the schema admits keys that it does not name. Holdfast refuses them all the same. */
  readonly loose: boolean
  /** True when neither properties nor their absence is declared. */
  readonly open: boolean
  /** The properties that tell alternatives apart, and the values they may have. */
  readonly tags: readonly (readonly [name: string, values: readonly Scalar[]])[]
}

// Longest texts of the formats that have one, in characters: urn:uuid: and a UUID; RFC 3339 with nanoseconds and an
// offset; addresses with a prefix length. The libraries' own patterns let a date-time have a million decimals, so the
// bound is enforced here, not only believed.
const inherentCounts: ReadonlyMap<string, number> = new Map([
  ['uuid', 45],
  ['date', 10],
  ['date-time', 40],
  ['time', 24],
  ['ipv4', 18],
  ['ipv6', 49],
])

/** The most UTF-16 units a text may have; `null` when nothing bounds it (a pattern does not). */
export function longestText({ maxCount, format }: TextRule): number | null {
  if (maxCount !== null) return maxCount
  return format === null ? null : (inherentCounts.get(format) ?? null)
}
