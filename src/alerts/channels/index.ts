import type { Secret } from '../../base/index.ts'
import type { AlertChannel } from './channel.ts'
import { type AlertLetter, mailChannel } from './mail.ts'
import { type PagerDutyTarget, pagerDutyChannel } from './pagerduty.ts'
import { slackChannel } from './slack.ts'
import { syslogChannel } from './syslog.ts'
import type { SyslogTarget } from './syslog-wire.ts'
import { type WebhookTarget, webhookChannel } from './webhook.ts'

/** Where alerts go. */
export interface ChannelTargets {
  readonly mailTo: readonly string[]
  readonly webhook: WebhookTarget | null
  /** An incoming webhook of Slack or another that takes the same. */
  readonly slack: Secret | null
  readonly pagerDuty: PagerDutyTarget | null
  readonly syslog: SyslogTarget | null
}

/** What channels need besides. */
export interface ChannelParts {
  /** What is attacked, for whoever watches several: `notes.example.com`. */
  readonly source: string
  /** Notes mails in the outbox, all or none of them. */
  readonly sendMail: (to: readonly string[], letter: AlertLetter) => Promise<void>
}

/**
 * The channels that have been set up.
 *
 * @throws AlertFault for an address that is neither https nor this machine
 * @example alertChannels(settings.alerts, { source: new URL(settings.publicOrigin).host, sendMail })
 */
export function alertChannels(
  targets: ChannelTargets,
  { source, sendMail }: ChannelParts,
): readonly AlertChannel[] {
  const { mailTo, webhook, slack, pagerDuty, syslog } = targets
  return [
    ...(mailTo.length === 0 ? [] : [mailChannel({ to: mailTo, sendMail })]),
    ...(webhook === null ? [] : [webhookChannel(webhook)]),
    ...(slack === null ? [] : [slackChannel(slack)]),
    ...(pagerDuty === null ? [] : [pagerDutyChannel(pagerDuty, source)]),
    ...(syslog === null ? [] : [syslogChannel(syslog, source)]),
  ]
}
