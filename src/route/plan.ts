import type { JsonSchema } from '../schema/standard.ts'
import type { RouteCost } from './limit-of.ts'

/**
 * Everything an application declares, as inert data: no functions, no secrets, the same on every machine.
 * `holdfast routes` prints it, a committed copy of it can be diffed, and every later command reads it.
 */
export interface Plan {
  readonly title: string
  readonly version: string
  readonly routes: readonly RoutePlan[]
  readonly resources: readonly ResourcePlan[]
  readonly limits: Readonly<Record<string, LimitPlan>>
  readonly roles: readonly string[]
  readonly settings: readonly SettingPlan[]
}

/** One route. */
export interface RoutePlan {
  readonly method: string
  /** The path as declared, parameters as `:name`. */
  readonly path: string
  readonly access: AccessPlan
  /** The limit class by name; the route's own address for one of its own. */
  readonly limit: string
  /** How much of it one request takes; absent for 1. */
  readonly cost?: RouteCost
  /** The one success status. */
  readonly status: number
  /** Whether a client may, or must, send an `Idempotency-Key`; absent where it does not count. */
  readonly idempotency?: 'optional' | 'required'
  /** Input and output as JSON Schema (draft 2020-12); absent where the route takes none. */
  readonly schemas: {
    readonly params?: JsonSchema
    readonly query?: JsonSchema
    readonly body?: JsonSchema
    /** Absent for 204 and for a plugin's adopted route. */
    readonly output?: JsonSchema
  }
  /** Where it is declared: `examples/notes/notes.ts:41`, relative to the working folder. */
  readonly source: string
  /** Who made it: the application, Holdfast itself, or a Fastify plugin with the reason it was adopted for. */
  readonly origin: 'application' | 'holdfast' | { readonly adopted: string }
}

/** Anyone may call it. */
export interface OpenPlan {
  readonly kind: 'open'
  readonly reason: string
}

/** Anyone with valid credentials may call it. */
export interface SignedInPlan {
  readonly kind: 'signed-in'
}

/** Anyone who holds one of the roles may call it. */
export interface RolePlan {
  readonly kind: 'role'
  readonly roles: readonly string[]
  /** The permission that they have it by; absent where the roles themselves are named. */
  readonly permission?: string
}

/** Whoever the row rules let do this may call it. */
export interface OwnsPlan {
  readonly kind: 'owns'
  /** The resource by name. */
  readonly resource: string
  readonly action: 'read' | 'update' | 'delete' | 'owner'
}

/** Whoever one of these lets in may call it. */
export interface AnyPlan {
  readonly kind: 'any'
  readonly of: readonly AccessPlan[]
}

/** Who may call a route. */
export type AccessPlan = OpenPlan | SignedInPlan | RolePlan | OwnsPlan | AnyPlan

/** One resource and its row rules, each as one English clause. */
export interface ResourcePlan {
  readonly name: string
  readonly table: string
  readonly owner: string
  readonly read: readonly string[]
  readonly update: readonly string[]
  readonly delete: readonly string[]
  /** The wall between tenants, when there is one. */
  readonly tenant?: string
  /** What must hold of a new row, besides that the caller owns it. */
  readonly insert?: readonly string[]
  /** Who may give a row to another owner. */
  readonly transfer?: readonly string[]
  /** What is special about single columns. */
  readonly columns?: readonly string[]
  /** Columns no input may set. */
  readonly server: readonly string[]
}

/** One rule of a limit class: so many in a window, for each of whom it counts. */
export interface LimitRulePlan {
  /** Requests in the window. */
  readonly count: number
  readonly windowSeconds: number
  /** Whom it counts: words, and the names of the application's own keys; each address and each account unless given. */
  readonly by?: readonly string[]
  readonly algorithm?: string
  readonly burst?: number
  readonly counts?: 'requests' | 'failures'
}

/** A limit class. */
export interface LimitPlan extends LimitRulePlan {
  readonly and?: Readonly<Record<string, LimitRulePlan>>
  readonly slowDown?: { readonly after: number; readonly maxDelayMs: number }
  readonly concurrentCount?: number
  readonly outage?: 'share' | 'strict'
}

/** A setting, without its value. */
export interface SettingPlan {
  readonly env: string
  readonly help: string
  readonly fallback: string
}
