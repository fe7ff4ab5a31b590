import { isCountFit, isKind, isNameTooLong, isScalarFit, itemShape, kindOf, maxDepth } from './fit.ts'
import { isMembers, type Members } from './own-property.ts'
import { type Alternative, longestText, type Shape } from './shape.ts'

/**
 * True for a value that is, beyond doubt, what a shape declares, and nothing more. `false` says only that it takes a
 * closer look: see {@link import('./inspect.ts').Inspection}, which finds out what is wrong, if anything is.
 */
export type SwiftFit = (value: unknown, depth: number) => boolean

const known = new WeakMap<Shape, SwiftFit>()

/** Compiles the quick look at a value: no object is made for it, since nearly every value passes. */
export function swiftFit(shape: Shape): SwiftFit {
  const made = known.get(shape)
  if (made !== undefined) return made
  let fits: SwiftFit | undefined
  // Made when it is first needed: a shape may contain itself.
  const lazy: SwiftFit = (value, depth) => {
    fits ??= unionFit(shape.alternatives.map(alternativeFit))
    return fits(value, depth)
  }
  known.set(shape, lazy)
  return lazy
}

function unionFit(fits: readonly SwiftFit[]): SwiftFit {
  const [only] = fits
  if (fits.length === 1 && only !== undefined) return only
  return (value, depth) => {
    for (const isFit of fits) if (isFit(value, depth)) return true
    return false
  }
}

function alternativeFit(alternative: Alternative): SwiftFit {
  const { kinds, values, text } = alternative
  if (kinds?.size === 1 && kinds.has('string') && values === null) {
    const { minCount } = text
    const maxCount = longestText(text) ?? Number.POSITIVE_INFINITY
    // A date is a text too, where the schema says so.
    return (value) =>
      typeof value === 'string'
        ? value.length >= minCount && value.length <= maxCount
        : value instanceof Date && isScalarFit(alternative, value)
  }
  const fitsRecord = recordFit(alternative)
  const fitsList = listFit(alternative)
  return (value, depth) => {
    if (!isKind(alternative, kindOf(value))) return false
    if (Array.isArray(value)) return fitsList(value, depth)
    if (isMembers(value) && !(value instanceof Date)) return fitsRecord(value, depth)
    return isScalarFit(alternative, value)
  }
}

function listFit(alternative: Alternative): (items: readonly unknown[], depth: number) => boolean {
  return (items, depth) => {
    if (depth >= maxDepth || !isCountFit(alternative, items)) return false
    for (let index = 0; index < items.length; index++) {
      const shape = itemShape(alternative, index)
      if (shape === undefined || !swiftFit(shape)(items[index], depth + 1)) return false
    }
    return true
  }
}

interface Member {
  readonly fits: SwiftFit
  readonly isRequired: boolean
}

function recordFit(alternative: Alternative): (value: Members, depth: number) => boolean {
  const { properties, required, rest } = alternative.record
  const members = new Map<string, Member>()
  for (const [name, shape] of properties)
    members.set(name, { fits: swiftFit(shape), isRequired: required.includes(name) })
  const requiredCount = new Set(required).size
  const restFits = rest === null ? undefined : swiftFit(rest)
  return (value, depth) => {
    if (depth >= maxDepth) return false
    let seenCount = 0
    for (const name in value) {
      // What is inherited is none of the value's members, and takes a closer look.
      if (!Object.hasOwn(value, name)) return false
      const member = members.get(name)
      const fits = member?.fits ?? restFits
      if (fits === undefined || (member === undefined && isNameTooLong(alternative, name))) return false
      const own = value[name]
      if (own === undefined) continue
      if (!fits(own, depth + 1)) return false
      if (member?.isRequired === true) seenCount += 1
    }
    return seenCount === requiredCount
  }
}
