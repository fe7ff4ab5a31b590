import { describe, expect, it } from 'vitest'
import { SettingsFault } from './fault.ts'
import { loadSettings } from './load.ts'

const random = 'q7Jf0cN2xW8sK4mZ1vB6tY9rD3hL5gPaUoEiQwRjXkM='

function load(environment: Readonly<Record<string, string>>) {
  return loadSettings({ NODE_ENV: 'test', HOLDFAST_SECRET: random, ...environment })
}

function faultsOf(environment: Readonly<Record<string, string>>): readonly string[] {
  try {
    load(environment)
    return []
  } catch (error) {
    if (!(error instanceof SettingsFault)) throw error
    return error.faults.map(({ env }) => env)
  }
}

describe('where alerts go', () => {
  it('is nowhere unless something is set', () => {
    const { alerts, metricsToken } = load({})
    expect({ ...alerts, metricsToken }).toEqual({
      mailTo: [],
      webhook: null,
      slack: null,
      pagerDuty: null,
      syslog: null,
      metricsToken: null,
    })
  })

  it('takes each channel by its setting', () => {
    const { alerts, metricsToken } = load({
      ALERT_MAIL_TO: 'ops@example.com, night@example.com',
      ALERT_WEBHOOK_URL: 'https://hooks.example.com/a',
      ALERT_WEBHOOK_SECRET: `whsec_${random}`,
      ALERT_SLACK_URL: 'https://chat.example.com/hooks/x',
      ALERT_PAGERDUTY_KEY: 'a1b2c3d4e5f6a7b8c9d0e1f2a3b4c5d6',
      ALERT_SYSLOG_URL: 'tls://[2001:db8::1]',
      METRICS_TOKEN: 'f3a9c07d51e84b26f3a9c07d51e84b26',
    })
    expect(alerts.mailTo).toEqual(['ops@example.com', 'night@example.com'])
    expect(alerts.webhook?.secret.reveal()).toEqual(Buffer.from(random, 'base64'))
    expect(alerts.slack?.reveal()).toBe('https://chat.example.com/hooks/x')
    expect(alerts.pagerDuty?.url.reveal()).toBe('https://events.pagerduty.com/v2/enqueue')
    expect(alerts.syslog).toEqual({ protocol: 'tls', host: '2001:db8::1', port: 6514 })
    expect(metricsToken?.reveal()).toHaveLength(32)
  })

  it.each([
    ['a webhook without its key', { ALERT_WEBHOOK_URL: 'https://a.example' }, ['ALERT_WEBHOOK_SECRET']],
    ['a key without its webhook', { ALERT_WEBHOOK_SECRET: random }, ['ALERT_WEBHOOK_URL']],
    ['http to another machine', { ALERT_SLACK_URL: 'http://chat.example.com/x' }, ['ALERT_SLACK_URL']],
    ['a file', { ALERT_SLACK_URL: 'file:///etc/passwd' }, ['ALERT_SLACK_URL']],
    ['a name and password in the URL', { ALERT_SLACK_URL: 'https://a:b@c.example/' }, ['ALERT_SLACK_URL']],
    ['no mail address', { ALERT_MAIL_TO: 'ops@example.com,Bcc: x' }, ['ALERT_MAIL_TO']],
    ['eleven mail addresses', { ALERT_MAIL_TO: Array(11).fill('a@b.example').join() }, ['ALERT_MAIL_TO']],
    ['a short key', { ALERT_PAGERDUTY_KEY: 'abc' }, ['ALERT_PAGERDUTY_KEY']],
    ['a syslog of another protocol', { ALERT_SYSLOG_URL: 'https://a.example' }, ['ALERT_SYSLOG_URL']],
  ])('V13.2.3 refuses %s', (_name, environment, faults) => {
    expect(faultsOf(environment)).toEqual(faults)
  })

  it.each([
    'short',
    'a'.repeat(40),
    'abababababababababababababababababababab',
    `has blanks ${random}`,
    `${random}${'x'.repeat(300)}`,
  ])('V13.2.3 refuses a token for metrics that can be guessed or is none: %s', (token) => {
    expect(faultsOf({ METRICS_TOKEN: token })).toEqual(['METRICS_TOKEN'])
  })

  it('V16.2.5 tells no value of any of them', () => {
    const secrets = {
      ALERT_WEBHOOK_SECRET: 'canary-1',
      METRICS_TOKEN: 'canary-2',
      ALERT_SLACK_URL: 'canary-3',
    }
    let told = ''
    try {
      load(secrets)
    } catch (error) {
      told = String(error)
    }
    expect(told).toContain('METRICS_TOKEN')
    expect(told).not.toContain('canary')
    const good = load({
      ALERT_SLACK_URL: 'https://chat.example.com/canary',
      METRICS_TOKEN: 'canary-f3a9c07d51e84b26f3a9c07d5',
    })
    expect(JSON.stringify(good)).not.toContain('canary')
  })
})
