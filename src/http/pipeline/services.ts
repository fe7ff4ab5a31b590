import type { Kysely } from 'kysely'
import type { Pager, Resource, RowAction, Scope } from '../../data/index.ts'
import type { LimitClass, Principal } from '../../route/index.ts'

/** The limiter's answer about one request. */
export interface LimitOutcome {
  readonly allowed: boolean
  /** Header fields for the reply: `retry-after`, `ratelimit`, `ratelimit-policy`; lower-case names. */
  readonly fields: Readonly<Record<string, string>>
}

/** What the pipeline needs from the capabilities; `app/` hands it over, so that none imports another. */
export interface PipelineServices {
  /** Takes one request from a bucket; the key says whose. */
  readonly count: (name: string, limit: LimitClass, key: string) => LimitOutcome | Promise<LimitOutcome>
  /** Who the request's credential proves its sender to be; `null` without a valid one. */
  readonly identify: (headers: CredentialHeaders) => Principal | null | Promise<Principal | null>
  /** The database as this scope may see it. */
  readonly scoped: (scope: Scope) => Kysely<never>
  /** A pager whose cursors belong to this route and caller. */
  readonly pager: (route: string, userId: string | null) => Pager
  /** One row under an action's rules, or `undefined`. */
  readonly loadRow: (resource: Resource, action: RowAction, key: string, scope: Scope) => Promise<unknown>
}

/** The request headers that can hold a credential. A credential is never read from anywhere else. */
export interface CredentialHeaders {
  readonly authorization?: string | undefined
  readonly cookie?: string | undefined
}
