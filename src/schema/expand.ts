import { stepsOf } from './pointer.ts'
import type { JsonSchema } from './standard.ts'

/** A JSON Schema as it is written: an object of keywords, or `true` and `false`. */
export type Raw = JsonSchema | boolean

/** A schema as a union of conjunctions: a value fits when all members of any one set hold of it. */
export interface Expansion {
  readonly sets: readonly (readonly Raw[])[]
  readonly unsupported: readonly string[]
}

// Unions multiply when they are combined with allOf; nobody can read more alternatives than this.
const maxSetCount = 64

// Keywords that declare keys depending on the value; no reading of them could be the same for every library.
const conditional = ['if', 'then', 'else', 'dependentSchemas', '$dynamicRef', '$recursiveRef']

/** Follows references and lays out `allOf`, `anyOf` and `oneOf`. */
export function expand(raws: readonly Raw[], root: JsonSchema): Expansion {
  const unsupported: string[] = []
  let sets: readonly (readonly Raw[])[] = [[]]
  for (const raw of raws) sets = product(sets, expandOne(raw, new Set([raw])))
  return { sets, unsupported }

  function expandOne(raw: Raw, seen: ReadonlySet<Raw>): readonly (readonly Raw[])[] {
    if (typeof raw === 'boolean') return [[raw]]
    for (const keyword of conditional) {
      if (Object.hasOwn(raw, keyword)) unsupported.push(`the keyword "${keyword}"`)
    }
    let found: readonly (readonly Raw[])[] = [[raw]]
    const { $ref, allOf, anyOf, oneOf } = raw
    if (typeof $ref === 'string') found = product(found, follow($ref, seen))
    for (const part of rawList(allOf)) found = product(found, enter(part, seen))
    for (const union of [anyOf, oneOf]) {
      if (!Array.isArray(union)) continue
      found = product(
        found,
        rawList(union).flatMap((branch) => enter(branch, seen)),
      )
    }
    return found
  }

  function enter(raw: Raw, seen: ReadonlySet<Raw>): readonly (readonly Raw[])[] {
    return expandOne(raw, new Set([...seen, raw]))
  }

  function follow(ref: string, seen: ReadonlySet<Raw>): readonly (readonly Raw[])[] {
    const target = resolve(ref, root)
    if (target === undefined) {
      unsupported.push(`the reference "${ref}", which leads nowhere`)
      return [[]]
    }
    if (typeof target === 'object' && seen.has(target)) {
      unsupported.push(`the reference "${ref}", which leads to itself`)
      return [[]]
    }
    return enter(target, seen)
  }

  function product(
    left: readonly (readonly Raw[])[],
    right: readonly (readonly Raw[])[],
  ): readonly (readonly Raw[])[] {
    if (left.length * right.length > maxSetCount) {
      unsupported.push(`a union of more than ${maxSetCount} alternatives`)
      return left
    }
    return left.flatMap((a) => right.map((b) => [...a, ...b]))
  }
}

function resolve(ref: string, root: JsonSchema): Raw | undefined {
  const steps = ref.startsWith('#') ? stepsOf(ref.slice(1)) : undefined
  if (steps === undefined) return undefined
  let target: unknown = root
  for (const step of steps) {
    if (typeof target !== 'object' || target === null || !Object.hasOwn(target, step)) return undefined
    target = Reflect.get(target, step)
  }
  return isRaw(target) ? target : undefined
}

/** The schemas of a list. */
export function rawList(value: unknown): Raw[] {
  return Array.isArray(value) ? value.filter(isRaw) : []
}

/** True for a schema: an object of keywords, or a boolean. */
export function isRaw(value: unknown): value is Raw {
  return typeof value === 'boolean' || isKeywords(value)
}

/** True for an object of keywords. */
export function isKeywords(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
