import type { EmitEvent } from '../events/index.ts'
import type { Alert, AlertAct, AlertState } from './alert.ts'

/** What has been done with an alert. */
export type AlertDeed = 'grown' | 'merged' | 'acknowledged' | 'closed' | 'sent again'

/** Notes that an alert was opened, for the audit trail. */
export function noteOpened(note: EmitEvent, alert: Alert): void {
  note({ event: 'alert_opened', reason: alert.summary, details: detailsOf(alert) })
}

/** Notes that an alert was changed, for the audit trail. */
export function noteChange(
  note: EmitEvent,
  alert: Alert,
  {
    what,
    from,
    act,
  }: { readonly what: AlertDeed; readonly from: AlertState; readonly act?: AlertAct | undefined },
): void {
  note({
    event: 'alert_changed',
    ...(act === undefined ? {} : { actorId: act.actorId }),
    reason: act?.reason ?? alert.reason ?? alert.summary,
    details: {
      ...detailsOf(alert),
      what,
      from,
      to: alert.state,
      ...(alert.mergedInto === null ? {} : { mergedInto: alert.mergedInto }),
    },
  })
}

function detailsOf({ id, title, severity, detectors, count }: Alert) {
  return { alertId: id, title, severity, detectors: detectors.join(', '), count }
}
