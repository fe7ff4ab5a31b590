import { newId } from '../../base/index.ts'
import type { Scope } from '../scope.ts'

/** What one run of a compiled query brings: everything its parameters can depend on. */
export interface Run {
  /** The values that the query was written with, in the order in which its tree holds them. */
  readonly values: readonly unknown[]
  readonly scope: Scope
  /** ISO 8601 time for `created` and `changed` columns. */
  readonly now: string
  /** The key of the new row with this index; the same each time it is asked for. */
  idOf(index: number): string
}

/**
 * A parameter whose value is known only when the query runs. A tree whose every value is a slot depends on its shape
 * alone, so that it is rewritten and compiled once for all callers and values.
 */
export class Slot {
  readonly of: (run: Run) => unknown

  constructor(of: (run: Run) => unknown) {
    this.of = of
  }
}

/** The parameters of a compiled query for one run. Frozen: what runs is what was compiled. */
export function boundParameters(parameters: readonly unknown[], run: Run): readonly unknown[] {
  const bound: unknown[] = []
  for (const parameter of parameters) bound.push(parameter instanceof Slot ? parameter.of(run) : parameter)
  return Object.freeze(bound)
}

/** One run. The time and the keys are made when a parameter asks for them: a read asks for neither. */
export class OneRun implements Run {
  readonly values: readonly unknown[]
  readonly scope: Scope
  readonly #nowMs: () => number
  #now: string | undefined
  #ids: string[] | undefined

  /** @param nowMs Gives Unix milliseconds. */
  constructor(values: readonly unknown[], scope: Scope, nowMs: () => number) {
    this.values = values
    this.scope = scope
    this.#nowMs = nowMs
  }

  get now(): string {
    this.#now ??= new Date(this.#nowMs()).toISOString()
    return this.#now
  }

  idOf(index: number): string {
    this.#ids ??= []
    this.#ids[index] ??= newId()
    return this.#ids[index]
  }
}
