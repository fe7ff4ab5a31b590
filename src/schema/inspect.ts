import type { InputFault } from '../errors/index.ts'
import { expectationOf, undeclaredKey } from './expectation.ts'
import {
  Chooser,
  isCountFit,
  isKind,
  isNameTooLong,
  isScalarFit,
  itemShape,
  kindOf,
  maxDepth,
  nearest,
  propertyShape,
} from './fit.ts'
import { isMembers, type Members, ownValue } from './own-property.ts'
import { pointerOf } from './pointer.ts'
import { readShape } from './read-shape.ts'
import type { Alternative, Shape } from './shape.ts'
import type { JsonSchema } from './standard.ts'

/** An error reply names at most this many places; a hostile body must not be answered with a longer one. */
export const maxFaultCount = 20

const nothing: readonly string[] = Object.freeze([])

/**
 * Compiles the search for keys that a schema does not declare. The answer is the same for every schema library and
 * for schemas that would strip such keys or let them through.
 *
 * The function gives JSON Pointers to the objects (or lists) that hold an undeclared key (or item), at most 20, never
 * the key itself: the client chose it, and an error does not echo input. It allocates nothing lasting when all is well.
 *
 * @see OWASP ASVS 5.0 §15.3.3 (mass assignment), OWASP API3:2023
 * @example compileUndeclared(json)({ title: 'x', who: { isAdmin: true } }) // ['/who']
 */
export function compileUndeclared(json: JsonSchema): (value: unknown) => readonly string[] {
  const shape = readShape(json)
  return (value) => {
    const inspection = new Inspection()
    inspection.look(shape, value)
    return inspection.undeclared === null ? nothing : [...inspection.undeclared]
  }
}

/** Looks a value over, once, for undeclared keys and for everything the schema says but the form of strings. */
export class Inspection {
  /** Pointers to what holds something undeclared. */
  undeclared: Set<string> | null = null
  faults: InputFault[] | null = null
  readonly #closed = new Chooser('no others')
  #open: Chooser | null = null
  readonly #path: (string | number)[] = []

  /** Looks at a value and at everything in it. */
  look(shape: Shape, value: unknown): void {
    if (this.#path.length > maxDepth) {
      // What is not looked at counts as undeclared: the guard must not become a hiding place.
      this.#addUndeclared()
      return
    }
    const alternative = this.#alternativeOf(shape, value)
    if (alternative === undefined || !isKind(alternative, kindOf(value))) this.#lookAtStranger(shape, value)
    else if (Array.isArray(value)) this.#lookAtList(shape, alternative, value)
    else if (isMembers(value) && !(value instanceof Date)) {
      this.#lookAtRecord(alternative, value)
    } else if (!isScalarFit(alternative, value)) this.#addFault(expectationOf(shape))
  }

  #alternativeOf(shape: Shape, value: unknown): Alternative | undefined {
    if (shape.alternatives.length === 1) return shape.alternatives[0]
    const chosen = this.#closed.choose(shape, value)
    if (chosen !== undefined) return chosen
    this.#open ??= new Chooser('and others')
    return this.#open.choose(shape, value) ?? nearest(shape, value)
  }

  /** A value that no alternative is meant for. Only a key that none of them declares is called undeclared. */
  #lookAtStranger({ alternatives }: Shape, value: unknown): void {
    this.#addFault(expectationOf({ alternatives }))
    if (!isMembers(value)) return
    const objects = alternatives.filter(
      (alternative) => isKind(alternative, 'object') || alternative.kinds === null,
    )
    if (objects.length === 0) return
    const declares = (name: string) =>
      objects.some((alternative) => propertyShape(alternative, name) !== undefined)
    if (!Object.keys(value).every(declares)) this.#addUndeclared()
  }

  #lookAtList(shape: Shape, alternative: Alternative, items: readonly unknown[]): void {
    if (!isCountFit(alternative, items)) this.#addFault(expectationOf(shape))
    for (let index = 0; index < items.length; index++) {
      if (this.#isFull()) return
      const rule = itemShape(alternative, index)
      if (rule === undefined) {
        this.#addUndeclared()
        return
      }
      this.#enter(index, rule, items[index])
    }
  }

  #lookAtRecord(alternative: Alternative, value: Members): void {
    const { record } = alternative
    for (const name of Object.keys(value)) {
      if (this.#isFull()) return
      const rule = propertyShape(alternative, name)
      if (rule === undefined || isNameTooLong(alternative, name)) {
        this.#addUndeclared()
        continue
      }
      const own = value[name]
      // A map's key is the client's choice and does not come back in an error.
      if (own !== undefined) this.#enter(record.properties.has(name) ? name : '*', rule, own)
    }
    for (const name of record.required) {
      if (ownValue(value, name) !== undefined) continue
      this.#path.push(name)
      this.#addFault('required')
      this.#path.pop()
    }
  }

  #enter(step: string | number, shape: Shape, value: unknown): void {
    this.#path.push(step)
    this.look(shape, value)
    this.#path.pop()
  }

  #isFull(): boolean {
    return (this.undeclared?.size ?? 0) >= maxFaultCount
  }

  #addUndeclared(): void {
    this.undeclared ??= new Set()
    this.undeclared.add(pointerOf(this.#path))
  }

  #addFault(message: string): void {
    this.faults ??= []
    if (this.faults.length < maxFaultCount) this.faults.push({ path: pointerOf(this.#path), message })
  }
}

/** What is wrong with a value, if anything is: `null` for one that is what its shape declares. */
export function faultsIn(shape: Shape, value: unknown): readonly InputFault[] | null {
  const inspection = new Inspection()
  inspection.look(shape, value)
  return faultsOf(inspection)
}

/** The faults of an inspection, undeclared keys before all else; `null` when there are none. */
function faultsOf({ undeclared, faults }: Inspection): readonly InputFault[] | null {
  if (undeclared !== null) return [...undeclared].map((path) => ({ path, message: undeclaredKey }))
  return faults === null ? null : inOrder(faults)
}

/** Sorted by place and without repetition, because every library finds them in an order of its own. */
export function inOrder(faults: readonly InputFault[]): InputFault[] {
  const sorted = faults.toSorted((a, b) => compare(a.path, b.path) || compare(a.message, b.message))
  return sorted
    .filter(
      (fault, index) =>
        fault.path !== sorted[index - 1]?.path || fault.message !== sorted[index - 1]?.message,
    )
    .slice(0, maxFaultCount)
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
