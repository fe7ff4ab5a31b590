/** How much an event matters, in the words of the OWASP Logging Vocabulary. */
export type EventLevel = 'info' | 'warn' | 'critical'

/** What came of it. */
export type EventOutcome = 'success' | 'failure' | 'unknown'

/** What is known of every event of a name. */
export interface EventKind {
  readonly level: EventLevel
  readonly outcome: EventOutcome
  /**
   * Whether the audit trail must hold each of them. The others can be caused by anybody, as often as they like, without
   * any work of ours behind it: under overload they are counted instead of kept.
   */
  readonly isImportant: boolean
}

const good = kind('info', 'success', true)
const goodChange = kind('warn', 'success', true)
const refused = kind('warn', 'failure', true)
const attack = kind('critical', 'failure', true)
const cheapRefusal = kind('warn', 'failure', false)
const cheapAttack = kind('critical', 'failure', false)
const notice = kind('warn', 'unknown', true)

/**
 * The events that Holdfast emits or has a word for: names and levels are those of the OWASP Logging Vocabulary. What
 * the vocabulary has no word for stands at the end.
 *
 * @see OWASP Logging Vocabulary Cheat Sheet; OWASP ASVS 5.0 §16.2.1, §16.3
 */
export const eventCatalogue = {
  authn_login_success: good,
  authn_login_successafterfail: good,
  authn_login_fail: refused,
  authn_login_fail_max: refused,
  authn_login_lock: notice,
  authn_password_change: good,
  authn_password_change_fail: attack,
  authn_impossible_travel: kind('critical', 'unknown', true),
  authn_token_created: good,
  authn_token_revoked: good,
  authn_token_reuse: attack,
  authn_token_delete: goodChange,
  authz_fail: cheapAttack,
  authz_change: goodChange,
  authz_admin: goodChange,
  crypt_decrypt_fail: refused,
  crypt_encrypt_fail: refused,
  excess_rate_limit_exceeded: cheapRefusal,
  excess_sessions_exceeded: notice,
  upload_complete: good,
  upload_stored: good,
  upload_validation: kind('info', 'unknown', true),
  upload_delete: good,
  input_validation_fail: cheapRefusal,
  input_validation_discrete_fail: cheapRefusal,
  malicious_excess_404: refused,
  malicious_extraneous: attack,
  malicious_attack_tool: attack,
  malicious_sqli: attack,
  malicious_cors: cheapAttack,
  malicious_direct_reference: attack,
  malicious_csrf: cheapRefusal,
  malicious_csp_violation: cheapRefusal,
  privilege_permissions_changed: goodChange,
  sensitive_create: goodChange,
  sensitive_read: goodChange,
  sensitive_update: goodChange,
  sensitive_delete: goodChange,
  sequence_fail: attack,
  session_created: good,
  session_renewed: good,
  session_expired: good,
  session_logout: good,
  session_use_after_expire: attack,
  sys_startup: notice,
  sys_shutdown: notice,
  sys_restart: notice,
  sys_crash: notice,
  sys_monitor_disabled: notice,
  sys_monitor_enabled: notice,
  user_created: goodChange,
  user_updated: goodChange,
  user_archived: goodChange,
  user_deleted: goodChange,
  // Not in the vocabulary: what a detector has found, and what came of it.
  attack_detected: attack,
  response_applied: notice,
  response_undone: notice,
  alert_opened: notice,
  alert_changed: notice,
  // Not in the vocabulary: the trail about itself.
  audit_events_dropped: notice,
  audit_pruned: notice,
  audit_tampering: attack,
} as const satisfies Readonly<Record<string, EventKind>>

/** The name of an event of Holdfast's. */
export type KnownEventName = keyof typeof eventCatalogue

/** The name of an event of the application's own: `app_` and what it is. */
export type AppEventName = `app_${string}`

/** The name of an event. */
export type EventName = KnownEventName | AppEventName

const ofApplication = kind('info', 'unknown', true)

/** What is known of the events of a name. */
export function kindOfEvent(name: EventName): EventKind {
  return isKnownEvent(name) ? eventCatalogue[name] : ofApplication
}

/** Whether a name is one of the catalogue. */
export function isKnownEvent(name: string): name is KnownEventName {
  return Object.hasOwn(eventCatalogue, name)
}

/** Whether a text can be the name of an event: one of the catalogue, or `app_` and up to 60 of a-z, 0-9 and _. */
export function isEventName(name: string): name is EventName {
  return isKnownEvent(name) || /^app_[a-z0-9_]{1,60}$/.test(name)
}

function kind(level: EventLevel, outcome: EventOutcome, isImportant: boolean): EventKind {
  return { level, outcome, isImportant }
}
