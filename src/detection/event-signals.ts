import type { RecordedEvent } from '../events/index.ts'
import type { TakeSignal } from './request-signals.ts'
import type { Signal, SignalName } from './signal.ts'

/** What is looked at beside the event itself. */
export interface EventView {
  /** Ids and pseudonyms of accounts that nobody uses. */
  readonly trapAccounts: ReadonlySet<string>
  /** Names of inputs that no form shows. */
  readonly trapFields: readonly string[]
  /** `undefined`: privileges can be changed at any time. */
  readonly isWorkingTime: ((atMs: number) => boolean) | undefined
}

/** Tells of everything in an event that some detector counts. */
export function eventSignals(event: RecordedEvent, view: EventView, take: TakeSignal): void {
  const { details } = event
  // What a detector has found is an event as well: to count it would be to find oneself.
  if (details?.['detector'] !== undefined) return
  const tell = (name: SignalName, what: string, account = event.userId ?? null): void =>
    take(signalFrom(event, name, what, account))
  const pseudonym = textOf(details?.['account'])
  const tried = event.userId ?? pseudonym
  // A decoy that has an account is named by both.
  const isTrap = view.trapAccounts.has(tried) || view.trapAccounts.has(pseudonym)
  switch (event.event) {
    case 'authn_login_fail':
    case 'authn_password_change_fail':
      tell('login-failed', tried)
      if (isTrap) tell('honeytoken-touched', tried)
      break
    case 'authn_login_success':
    case 'authn_login_successafterfail':
      tell('login-succeeded', tried)
      if (isTrap) tell('honeytoken-touched', tried)
      break
    case 'session_logout':
      tell('session-ended', event.sessionId ?? '')
      break
    case 'authn_token_reuse':
      tell('token-reused', event.sessionId ?? '')
      break
    case 'authz_fail':
      if (details?.['resource'] !== undefined)
        tell('object-foreign', `${textOf(details['resource'])}:${textOf(details['key'])}`)
      break
    case 'upload_validation':
      if (event.outcome === 'failure')
        tell((event.userId ?? null) === null ? 'malware-uploaded-by-stranger' : 'malware-uploaded', event.id)
      break
    case 'malicious_extraneous':
      if (view.trapFields.includes(textOf(details?.['field']))) tell('honeytoken-touched', event.id)
      break
    case 'privilege_permissions_changed':
      if (view.isWorkingTime?.(event.atMs) === false)
        tell('privileges-off-hours', event.id, event.actorId ?? event.userId ?? null)
      break
    default:
  }
}

function signalFrom(event: RecordedEvent, name: SignalName, what: string, account: string | null): Signal {
  return {
    name,
    atMs: event.atMs,
    address: event.address ?? '',
    account,
    session: event.sessionId ?? null,
    route: event.route ?? null,
    what,
  }
}

function textOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : ''
}
