import type { Resource } from '../resource.ts'
import type { Scope } from '../scope.ts'

/** What the rewriting of one query needs to know. */
export interface Rewriting {
  readonly resources: readonly Resource[]
  readonly scope: Scope
  /** ISO 8601 time for `created` and `changed` columns. */
  readonly now: string
}
