/**
 * Something that happened which matters for security, in the words of the OWASP Logging Vocabulary. It names who and
 * what, never a secret and never what was sent.
 */
export type SecurityEvent = RefusedRowEvent | AccountEvent | BanEvent

/** Somebody asked for a row that is not theirs. */
export interface RefusedRowEvent {
  readonly event: 'authz_fail'
  /** Who asked; `null` for somebody unknown. */
  readonly userId: string | null
  /** The resource by name. */
  readonly resource: string
  /** The row's key. */
  readonly key: string
  /** What they wanted to do to it. */
  readonly action: string
  readonly requestId: string
}

/** Somebody has been banned, had the ban extended, or is free again. */
export interface BanEvent {
  readonly event: 'authz_change'
  readonly from: 'free' | 'banned'
  readonly to: 'free' | 'banned'
  readonly banId: string
  readonly kind: 'address' | 'range' | 'account'
  /** The address, the range, or the account's id. */
  readonly target: string
  /** `manual`, or the name of the detector that has banned. */
  readonly origin: string
  readonly reason: string
  /** When the ban ends by itself; `null` for never. */
  readonly until: string | null
  /** Who did it, where that is known by an id. */
  readonly actorId?: string
}

/** What can happen to an account, its credentials and its sessions. */
export type AccountEventName =
  | 'authn_login_success'
  | 'authn_login_successafterfail'
  | 'authn_login_fail'
  | 'authn_login_fail_max'
  | 'authn_login_lock'
  | 'authn_password_change'
  | 'authn_password_change_fail'
  | 'authn_token_created'
  | 'authn_token_revoked'
  | 'authn_token_reuse'
  | 'excess_sessions_exceeded'
  | 'privilege_permissions_changed'
  | 'session_created'
  | 'session_renewed'
  | 'session_logout'
  | 'session_use_after_expire'
  | 'user_archived'
  | 'user_created'
  | 'user_deleted'
  | 'user_updated'

/** Something that happened to an account. */
export interface AccountEvent {
  readonly event: AccountEventName
  /** Whose account; `null` when there is none. */
  readonly userId: string | null
  /** Who did it, where that is somebody else: an administrator. */
  readonly actorId?: string
  readonly sessionId?: string
  /** The client's address. */
  readonly address?: string
  /** What came of it or why, in fixed words. */
  readonly reason?: string
  readonly requestId?: string
}

/** Takes an event. It never throws and never makes a request wait. */
export type EmitEvent = (event: SecurityEvent) => void
