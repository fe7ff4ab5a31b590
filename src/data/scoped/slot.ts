import type { Scope } from '../scope.ts'

/** What one run of a compiled query brings: everything its parameters can depend on. */
export interface Run {
  /** The values that the query was written with, in the order in which its tree holds them. */
  readonly values: readonly unknown[]
  readonly scope: Scope
  /** ISO 8601 time for `created` and `changed` columns. */
  readonly now: string
  /** The key of the new row with this index; the same each time it is asked for. */
  readonly idOf: (index: number) => string
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
  return Object.freeze(parameters.map((bound) => (bound instanceof Slot ? bound.of(run) : bound)))
}
