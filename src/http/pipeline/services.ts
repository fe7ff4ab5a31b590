import type { Kysely } from 'kysely'
import type { Pager, Resource, RowAction, Scope } from '../../data/index.ts'
import type { EmitEvent } from '../../events/index.ts'
import type { Delays, Limiter } from '../../limits/index.ts'
import type { NamedLimit, Principal } from '../../route/index.ts'

/** What to reply. */
export interface Answer {
  readonly status: number
  /** JSON text; `null` for no content. */
  readonly content: string | null
  /** The entity tag of the row, when the route has one. */
  readonly entityTag: string | undefined
  /** True for a reply that was given before. */
  readonly isReplayed?: boolean
}

/** A request that must be carried out once, however often it is sent. */
export interface OnceRequest {
  readonly userId: string
  readonly tenantId: string | null
  /** `POST /api/notes` */
  readonly route: string
  /** The `Idempotency-Key` field as it came. */
  readonly field: string
  /** Everything that the request says. */
  readonly payload: string
}

/** What the first of them does. */
export interface OnceWork {
  /** Decides for whom the transaction runs. */
  readonly prepare: () => Promise<{ readonly scope: Scope }>
  /** Carries it out inside of the transaction. */
  readonly run: (db: Kysely<never>) => Promise<Answer>
}

/** What responses to findings ask of requests. */
export interface RequestResponses {
  /** Whether anybody is slowed down: then the end of a reply has to be seen. */
  slowsDown(): boolean
  /** For how long a request is held back, in milliseconds; 0 for most. */
  slowedByMs(address: string, userId: string | null): number
  /** Since when a session has to authenticate again, in milliseconds since 1970; `undefined` for most. */
  stepUpSinceMs(userId: string, sessionId: string): number | undefined
}

/** What the pipeline needs from the capabilities; `app/` hands it over, so that none imports another. */
export interface PipelineServices {
  /** The limiter of a class; the same one for the same name. Asked once for each route. */
  readonly limiterFor: (limit: NamedLimit) => Limiter
  /** Where admitted requests wait that are slowed down. */
  readonly delays: Delays
  /** For how long an account is still banned, in milliseconds; `undefined` for one that is not. */
  readonly accountBannedForMs: (userId: string) => number | undefined
  /** What responses to findings ask of a request, from memory. */
  readonly responses: RequestResponses
  /** Who the request's credential proves its sender to be; `null` without a valid one. */
  readonly identify: (headers: CredentialHeaders) => Principal | null | Promise<Principal | null>
  /**
   * The same for a credential that this process has seen and found good a moment ago, and is still good: from memory,
   * without a computation worth counting. `undefined` for any other, which `identify` has to look at.
   */
  readonly recall?: ((headers: CredentialHeaders) => Principal | undefined) | undefined
  /** The database as this scope may see it. */
  readonly scoped: (scope: Scope) => Kysely<never>
  /** Runs in one transaction as this scope. */
  readonly transaction: <T>(scope: Scope, run: (db: Kysely<never>) => Promise<T>) => Promise<T>
  /** Carries a request with an idempotency key out once. @throws `IDEMPOTENCY_RUNNING`, `IDEMPOTENCY_MISMATCH` */
  readonly once: (request: OnceRequest, work: OnceWork) => Promise<{ reply: Answer; isReplayed: boolean }>
  /** A pager whose cursors belong to this route and caller. */
  readonly pager: (route: string, userId: string | null) => Pager
  /** One row under an action's rules, or `undefined`; a promise of it where the database has to be waited for. */
  readonly loadRow: (resource: Resource, action: RowAction, key: string, scope: Scope) => unknown
  /** Takes a security event of a handler. It never throws and never makes the request wait. */
  readonly emit: EmitEvent
  /** Told of every row that was asked for and not given; it must not make the request wait. */
  readonly refusedRow: (
    resource: Resource,
    action: RowAction,
    key: string,
    scope: Scope,
    requestId: string,
  ) => void
}

/** The request headers that can hold a credential. A credential is never read from anywhere else. */
export interface CredentialHeaders {
  readonly authorization?: string | undefined
  readonly cookie?: string | undefined
}
