import type { Resource, RowAction } from '../data/resource.ts'

/** Who may call a route, as inert data. */
export type AccessRule =
  /** Anyone, for the reason given. */
  | { readonly kind: 'open'; readonly reason: string }
  /** Anyone with valid credentials. */
  | { readonly kind: 'signed-in' }
  /** Anyone who holds one of these roles. */
  | { readonly kind: 'role'; readonly roles: readonly string[]; readonly permission?: string }
  /** Whoever the row's rules let do this to it. `action` follows the method unless the route names it. */
  | { readonly kind: 'owns'; readonly resource: Resource; readonly action: RowAction | undefined }
  /** Any one of these. */
  | { readonly kind: 'any'; readonly of: readonly AccessRule[] }

declare const gives: unique symbol

/** What an open route knows of its caller. */
export type Nobody = Record<never, never>

/** What a route for signed-in callers knows: who it is. */
export interface Caller<Role extends string = string> {
  /** The verified caller. */
  readonly user: Principal<Role>
}

/** Who a verified request is. */
export interface Principal<Role extends string = string> {
  /** The user id. */
  readonly id: string
  /** The roles held at this moment. */
  readonly roles: readonly Role[]
  /** The tenant that the credential belongs to, never one that a request names; none outside of any. */
  readonly tenantId?: string | undefined
  /** The session that the credential belongs to; none for an identity that knows no sessions. */
  readonly session?: SessionFacts | undefined
  /** The API key that the credential is, by its id. */
  readonly apiKeyId?: string | undefined
}

/** What is known of a caller's session. */
export interface SessionFacts {
  readonly id: string
  /** When the caller last proved who they are, in seconds since 1970. */
  readonly authTimeSeconds: number
  /** How, in the words of RFC 8176: `pwd`, `otp` … */
  readonly methods: readonly string[]
  /** How the client keeps its tokens. */
  readonly transport: 'bearer' | 'cookie'
}

/**
 * An access value. Only the access words (`open`, `signedIn`, `role`, `owns`) can make one, so that a route's
 * policy is always one of the declared kinds and can be read back as data.
 */
export interface Access<Gives> {
  readonly [gives]: Gives
  readonly rule: AccessRule
}

/** Access for known callers; it can be widened with another such value. */
export interface KnownAccess<Gives> extends Access<Gives> {
  /** Also lets in whoever the other value lets in. @example owns(Note).or(role('editor')) */
  or(other: KnownAccess<unknown>): KnownAccess<Gives>
}

const made = new WeakSet<object>()

/** True for a value that an access word made; the boot gate asks, for callers who bypass the types. */
export function isAccess(value: unknown): value is Access<unknown> {
  return typeof value === 'object' && value !== null && made.has(value)
}

export function openAccess<Gives>(reason: string): Access<Gives> {
  return mark<Access<Gives>>({ rule: { kind: 'open', reason } })
}

export function knownAccess<Gives>(rule: AccessRule): KnownAccess<Gives> {
  return mark<KnownAccess<Gives>>({
    rule,
    or: (other: KnownAccess<unknown>): KnownAccess<Gives> =>
      knownAccess<Gives>({ kind: 'any', of: [...partsOf(rule), ...partsOf(other.rule)] }),
  })
}

/** Access for anyone with valid credentials. */
export function signedInAccess<Role extends string = string>(): KnownAccess<Caller<Role>> {
  return knownAccess({ kind: 'signed-in' })
}

/** Access for anyone who holds one of the roles. */
export function roleAccess<Role extends string>(
  ...roles: readonly [Role, ...Role[]]
): KnownAccess<Caller<Role>> {
  return knownAccess({ kind: 'role', roles })
}

/** Access for anyone who holds one of the roles that have a permission. */
export function permissionAccess<Role extends string>(
  permission: string,
  roles: readonly Role[],
): KnownAccess<Caller<Role>> {
  return knownAccess({ kind: 'role', roles, permission })
}

/** The alternatives of a rule, flat. */
export function partsOf(rule: AccessRule): readonly AccessRule[] {
  return rule.kind === 'any' ? rule.of : [rule]
}

// The brand exists for the compiler only; this is the one place that grants it.
function mark<A extends Access<unknown>>(value: Omit<A, typeof gives>): A {
  Object.freeze(value)
  made.add(value)
  return value as A
}
