/**
 * Something that happened which matters for security, in the words of the OWASP Logging Vocabulary. It names who and
 * what, never a secret and never what was sent.
 */
export type SecurityEvent = RefusedRowEvent | AccountEvent

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
