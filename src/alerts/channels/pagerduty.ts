import type { Secret } from '../../base/index.ts'
import type { EventLevel } from '../../events/index.ts'
import { type AlertChannel, type AlertMessage, allNews } from './channel.ts'
import { factsOf } from './facts.ts'
import { type Post, postJson, requireSafeUrl } from './post.ts'

/** Where events for PagerDuty go. */
export interface PagerDutyTarget {
  /** `https://events.pagerduty.com/v2/enqueue`, or the one of another region. */
  readonly url: Secret
  /** The integration key of the service. */
  readonly key: Secret
}

/**
 * PagerDuty's Events API v2, or another that takes the same.
 *
 * @param source What is attacked: `notes.example.com`.
 * @throws AlertFault for an address that is neither https nor this machine
 * @see https://developer.pagerduty.com/docs/events-api-v2/trigger-events/
 */
export function pagerDutyChannel({ url, key }: PagerDutyTarget, source: string): AlertChannel {
  requireSafeUrl(url)
  return {
    name: 'pagerduty',
    news: allNews,
    send: (message, signal) => postJson(url, pagerDutyPost(message, { key, source }), signal),
  }
}

const severityOf: Readonly<Record<EventLevel, string>> = {
  info: 'info',
  warn: 'warning',
  critical: 'critical',
}
const summaryMaxChars = 1024

/** What is posted. One alert is one incident, because its id is the `dedup_key`. */
export function pagerDutyPost(
  message: AlertMessage,
  { key, source }: { readonly key: Secret; readonly source: string },
): Post {
  const { alert } = message
  const { headline, summary, lines } = factsOf(message)
  const body = {
    routing_key: key.reveal(),
    event_action: actionOf(message),
    dedup_key: alert.id,
    client: 'Holdfast',
    payload: {
      summary: `${headline}. ${summary}`.slice(0, summaryMaxChars),
      source,
      severity: severityOf[alert.severity],
      timestamp: alert.firstAt,
      component: 'holdfast',
      class: alert.detectors[0] ?? 'alert',
      custom_details: Object.fromEntries(lines),
    },
  }
  return { headers: {}, body: JSON.stringify(body) }
}

// By the state and not by the news alone: what arrives late must not call somebody out for what is over.
function actionOf({ news, alert }: AlertMessage): 'trigger' | 'acknowledge' | 'resolve' {
  if (alert.state === 'closed') return 'resolve'
  return news === 'acknowledged' ? 'acknowledge' : 'trigger'
}
