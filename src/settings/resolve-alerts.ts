import type { Secret } from '../base/index.ts'
import * as table from './alert-table.ts'
import type { Reading, SettingReader } from './reader.ts'

/** Where alerts go; nowhere unless something is set. */
export interface AlertTargets {
  /** Who gets them by mail. */
  readonly mailTo: readonly string[]
  readonly webhook: { readonly url: Secret; readonly secret: Secret<Buffer> } | null
  /** An incoming webhook of Slack or another that takes the same. */
  readonly slack: Secret | null
  readonly pagerDuty: { readonly url: Secret; readonly key: Secret } | null
  readonly syslog: table.SyslogTarget | null
}

/** Where alerts go. A webhook needs both of its settings: unsigned, anybody could post what looks like an alert. */
export function resolveAlerts(reader: SettingReader): AlertTargets | undefined {
  const mailTo = reader.read(table.alertMailTo)
  const webhookUrl = reader.read(table.alertWebhookUrl)
  const webhookSecret = reader.read(table.alertWebhookSecret)
  const slack = reader.read(table.alertSlackUrl)
  const pagerDutyKey = reader.read(table.alertPagerDutyKey)
  const pagerDutyUrl = reader.read(table.alertPagerDutyUrl)
  const syslog = reader.read(table.alertSyslogUrl)
  if (webhookUrl.kind === 'absent' && webhookSecret.kind !== 'absent')
    reader.refuse(table.alertWebhookUrl.env, 'is missing: ALERT_WEBHOOK_SECRET is set', 'set both or none')
  if (webhookSecret.kind === 'absent' && webhookUrl.kind !== 'absent')
    reader.refuse(table.alertWebhookSecret.env, 'is missing: ALERT_WEBHOOK_URL is set', 'set both or none')
  return Object.freeze({
    mailTo: givenIn(mailTo) ?? [],
    webhook:
      webhookUrl.kind === 'given' && webhookSecret.kind === 'given'
        ? { url: webhookUrl.value, secret: webhookSecret.value }
        : null,
    slack: givenIn(slack),
    pagerDuty:
      pagerDutyKey.kind === 'given' && pagerDutyUrl.kind === 'given'
        ? { url: pagerDutyUrl.value, key: pagerDutyKey.value }
        : null,
    syslog: givenIn(syslog),
  })
}

/** The token of whoever scrapes metrics; `null` for none. */
export function resolveMetricsToken(reader: SettingReader): Secret | null {
  return givenIn(reader.read(table.metricsToken))
}

function givenIn<T>(reading: Reading<T>): T | null {
  return reading.kind === 'given' ? reading.value : null
}
