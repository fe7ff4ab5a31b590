import type { Resource } from '../resource.ts'
import type { CallerTerms } from './caller.ts'
import type { Judging } from './predicate.ts'
import type { Slot } from './slot.ts'
import type { FieldVault } from './vault.ts'

/** What the rewriting of one query needs to know. Nothing in it is about one caller or one value. */
export interface Rewriting extends Judging {
  readonly resources: readonly Resource[]
  readonly caller: CallerTerms
  readonly dialect: 'sqlite' | 'postgres'
  /** ISO 8601 time for `created` and `changed` columns. */
  readonly now: Slot
  /** The row that `If-Match` is about, when there is one. */
  readonly expected: { readonly table: string; readonly key: Slot; readonly revision: Slot } | undefined
  readonly vault: FieldVault | undefined
}

/** What has to happen when a rewritten query runs, found out while it is rewritten. */
export interface Consequences {
  /** How many rows it must change. */
  mustChangeCount: number | undefined
  /** Tables whose second wall is lifted for the statement. */
  readonly lifts: Set<string>
  /** Whether its rows can hold values that have to be opened. */
  opens: boolean
}
