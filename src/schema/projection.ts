import { Problem } from '../errors/index.ts'
import { Chooser, isKind, itemShape, kindOf, maxDepth, nearest } from './fit.ts'
import { define, isMembers, type Members } from './own-property.ts'
import { pointerOf } from './pointer.ts'
import { readShape } from './read-shape.ts'
import type { Alternative, Shape } from './shape.ts'
import type { JsonSchema } from './standard.ts'

/**
 * Compiles the cut to what a schema declares: a column that the schema does not name cannot get out.
 *
 * The function copies own, enumerable, declared keys into plain objects, through lists, unions, maps and references;
 * everything else is dropped, prototypes and `undefined` members too. Scalars are copied as they are: whether they fit
 * is for the validation that follows.
 *
 * The function throws `INTERNAL` where an object, a list or a function stands that the schema has no place for.
 *
 * @see OWASP ASVS 5.0 §15.3.1, OWASP API3:2023
 * @example compileProjection(json)({ id: 'n1', title: 'x', passwordHash: '…' }) // { id: 'n1', title: 'x' }
 */
export function compileProjection(json: JsonSchema): (value: unknown) => unknown {
  const shape = readShape(json)
  const cut = swiftCut(shape)
  return (value) => {
    const copy = cut(value)
    return copy === undefined ? new Projection().cut(shape, value) : copy
  }
}

/**
 * The cut of what most handlers return, an object whose members are all scalars. `undefined` for anything else, which
 * takes a closer look.
 */
function swiftCut({ alternatives }: Shape): (value: unknown) => Members | undefined {
  const [only] = alternatives
  if (alternatives.length !== 1 || only?.kinds?.has('object') !== true || only.record.rest !== null)
    return () => undefined
  const { properties } = only.record
  return (value) => {
    if (!isMembers(value) || value instanceof Date) return undefined
    const copy: Record<string, unknown> = {}
    for (const name in value) {
      if (!properties.has(name) || !Object.hasOwn(value, name)) continue
      const own = value[name]
      if (!isScalar(own)) return undefined
      if (own !== undefined) define(copy, name, own)
    }
    return copy
  }
}

/** A value without members; a function is none, since nothing can write it. */
export function isScalar(value: unknown): boolean {
  return (
    value === null || (typeof value !== 'object' && typeof value !== 'function' && typeof value !== 'symbol')
  )
}

class Projection {
  readonly #chooser = new Chooser('and others')
  readonly #path: (string | number)[] = []

  cut(shape: Shape, value: unknown): unknown {
    if (typeof value === 'function' || typeof value === 'symbol')
      throw this.#refusal('a function or a symbol')
    if (typeof value !== 'object' || value === null) return value
    const alternative = this.#alternativeOf(shape, value)
    if (alternative === undefined || !isKind(alternative, kindOf(value))) {
      throw this.#refusal(Array.isArray(value) ? 'a list' : 'an object')
    }
    if (this.#path.length > maxDepth) throw this.#refusal(`more than ${maxDepth} levels`)
    if (Array.isArray(value)) return this.#cutList(alternative, value)
    return isMembers(value) && !(value instanceof Date) ? this.#cutRecord(alternative, value) : value
  }

  #alternativeOf(shape: Shape, value: object): Alternative | undefined {
    if (shape.alternatives.length === 1) return shape.alternatives[0]
    return this.#chooser.choose(shape, value) ?? nearest(shape, value)
  }

  #cutList(alternative: Alternative, items: readonly unknown[]): unknown[] {
    const copy: unknown[] = []
    for (let index = 0; index < items.length; index++) {
      const rule = itemShape(alternative, index)
      if (rule === undefined) break
      copy.push(this.#cutAt(index, rule, items[index]))
    }
    return copy
  }

  #cutRecord({ record }: Alternative, value: Members): Members {
    const copy: Record<string, unknown> = {}
    for (const [name, rule] of record.properties) this.#copyMember(value, name, name, rule, copy)
    if (record.rest === null) return copy
    for (const name of Object.keys(value)) {
      if (!record.properties.has(name)) this.#copyMember(value, name, '*', record.rest, copy)
    }
    return copy
  }

  #copyMember(from: Members, name: string, step: string, rule: Shape, copy: Record<string, unknown>): void {
    // Never `in`: an inherited `constructor` or a getter of a class is not a column.
    if (!Object.prototype.propertyIsEnumerable.call(from, name)) return
    const own = from[name]
    if (own !== undefined) define(copy, name, this.#cutAt(step, rule, own))
  }

  #cutAt(step: string | number, rule: Shape, value: unknown): unknown {
    this.#path.push(step)
    const copy = this.cut(rule, value)
    this.#path.pop()
    return copy
  }

  #refusal(what: string): Problem {
    const place = pointerOf(this.#path)
    return new Problem('INTERNAL', `the output has ${what} at "${place}" that its schema has no place for`)
  }
}
