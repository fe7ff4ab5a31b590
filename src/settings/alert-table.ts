import { Secret } from '../base/index.ts'
import { isLoopback } from './network.ts'
import { bad, type Fallback, good, listOf, oneOf, type Parsed, type Setting } from './setting.ts'
import { parseMailbox } from './targets.ts'

const none: Fallback = { kind: 'rule', says: 'none' }
const optional = { fallback: none, neededInProduction: false } as const

/** What comes of what detectors find. */
export type DetectionMode = 'on' | 'dry-run' | 'off'

const detectionModes: readonly DetectionMode[] = ['on', 'dry-run', 'off']

export const detection: Setting<DetectionMode> = {
  name: 'detection',
  env: 'DETECTION',
  fallback: { kind: 'text', text: 'on' },
  unit: 'word',
  range: detectionModes.join(', '),
  neededInProduction: false,
  help: '`dry-run`: findings and alerts, and what would be done is written down instead of done. `off`: no detectors.',
  parse: oneOf(detectionModes),
}

/** The bearer token of whoever scrapes metrics. */
export const metricsToken: Setting<Secret> = {
  ...optional,
  name: 'metricsToken',
  env: 'METRICS_TOKEN',
  unit: 'text',
  range: '32 to 256 characters of A-Z, a-z, 0-9, `-`, `.`, `_`, `~`, `+`, `/`, `=`',
  help: 'The bearer token with which `/metrics` may be read. Administrators may read it without.',
  parse: parseToken,
}

export const alertMailTo: Setting<readonly string[]> = {
  ...optional,
  name: 'alertMailTo',
  env: 'ALERT_MAIL_TO',
  unit: 'mail addresses',
  range: 'up to 10, comma separated',
  help: 'Who gets alerts by mail.',
  parse: listOf(parseMailbox, 10),
}

export const alertWebhookUrl: Setting<Secret> = {
  ...optional,
  name: 'alertWebhookUrl',
  env: 'ALERT_WEBHOOK_URL',
  unit: 'URL',
  range: 'https, or http to a loopback host; goes with ALERT_WEBHOOK_SECRET',
  help: 'Where alerts are posted as JSON, signed.',
  parse: parseHttpUrl,
}

export const alertWebhookSecret: Setting<Secret<Buffer>> = {
  ...optional,
  name: 'alertWebhookSecret',
  env: 'ALERT_WEBHOOK_SECRET',
  unit: 'base64',
  range: '24 to 64 random bytes, with or without `whsec_` in front',
  help: 'The key that signs what is posted to ALERT_WEBHOOK_URL.',
  parse: parseWebhookSecret,
}

export const alertSlackUrl: Setting<Secret> = {
  ...optional,
  name: 'alertSlackUrl',
  env: 'ALERT_SLACK_URL',
  unit: 'URL',
  range: 'https, or http to a loopback host',
  help: 'An incoming webhook of Slack, Mattermost or another that takes the same.',
  parse: parseHttpUrl,
}

export const alertPagerDutyKey: Setting<Secret> = {
  ...optional,
  name: 'alertPagerDutyKey',
  env: 'ALERT_PAGERDUTY_KEY',
  unit: 'text',
  range: '20 to 64 letters and digits',
  help: 'The integration key of a PagerDuty service (Events API v2).',
  parse: (text) =>
    /^[A-Za-z0-9]{20,64}$/.test(text)
      ? good(new Secret(text))
      : bad('is no integration key', 'copy the key of the integration "Events API v2"'),
}

export const alertPagerDutyUrl: Setting<Secret> = {
  ...optional,
  name: 'alertPagerDutyUrl',
  env: 'ALERT_PAGERDUTY_URL',
  fallback: { kind: 'text', text: 'https://events.pagerduty.com/v2/enqueue' },
  unit: 'URL',
  range: 'https, or http to a loopback host',
  help: 'Where events for PagerDuty go: its EU region, or another that takes the same.',
  parse: parseHttpUrl,
}

export const alertSyslogUrl: Setting<SyslogTarget> = {
  ...optional,
  name: 'alertSyslogUrl',
  env: 'ALERT_SYSLOG_URL',
  unit: 'URL',
  range: '`udp://HOST:PORT`, `tcp://HOST:PORT` or `tls://HOST:PORT`',
  help: 'A syslog receiver (RFC 5424).',
  parse: parseSyslog,
}

/** A syslog receiver. */
export interface SyslogTarget {
  readonly protocol: 'udp' | 'tcp' | 'tls'
  readonly host: string
  readonly port: number
}

/** The settings of detection, alerts and metrics, in the order of the reference. */
export const alertSettings: readonly Setting<unknown>[] = [
  detection,
  metricsToken,
  alertMailTo,
  alertWebhookUrl,
  alertWebhookSecret,
  alertSlackUrl,
  alertPagerDutyKey,
  alertPagerDutyUrl,
  alertSyslogUrl,
]

function parseToken(text: string): Parsed<Secret> {
  const isToken = /^[A-Za-z0-9._~+/-]{31,255}[A-Za-z0-9._~+/=-]$/.test(text)
  // Anything that a person thinks of has few different characters, or is a word.
  return isToken && new Set(text).size >= 12
    ? good(new Secret(text))
    : bad('is no token that is hard to guess', 'make one with: openssl rand -hex 32')
}

function parseHttpUrl(text: string): Parsed<Secret> {
  const url = URL.parse(text)
  const isHttp = url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback(url.hostname))
  return url !== null && isHttp && url.hash === '' && url.username === ''
    ? good(new Secret(text))
    : bad('is no https URL', 'write https://HOST/PATH')
}

function parseWebhookSecret(text: string): Parsed<Secret<Buffer>> {
  const base64 = text.replace(/^whsec_/, '')
  const bytes = Buffer.from(base64, 'base64')
  const isGood = /^[A-Za-z0-9+/]+={0,2}$/.test(base64) && bytes.length >= 24 && bytes.length <= 64
  return isGood && new Set(bytes).size >= 12
    ? good(new Secret(bytes))
    : bad('is not 24 to 64 random bytes in base64', 'make one with: openssl rand -base64 32')
}

const syslogPorts = { 'udp:': 514, 'tcp:': 601, 'tls:': 6514 } as const

function parseSyslog(text: string): Parsed<SyslogTarget> {
  const url = URL.parse(text)
  const fix = 'write udp://HOST:PORT, tcp://HOST:PORT or tls://HOST:PORT'
  if (url === null || url.hostname === '' || url.username !== '' || url.search !== '' || url.hash !== '')
    return bad('is no syslog URL', fix)
  const { protocol, hostname, port } = url
  if (protocol !== 'udp:' && protocol !== 'tcp:' && protocol !== 'tls:') return bad('is no syslog URL', fix)
  const name = protocol === 'udp:' ? 'udp' : protocol === 'tcp:' ? 'tcp' : 'tls'
  const host = hostname.replace(/^\[|\]$/g, '')
  return good({ protocol: name, host, port: port === '' ? syslogPorts[protocol] : Number(port) })
}
