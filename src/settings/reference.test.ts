import { describe, expect, it } from 'vitest'
import { environmentReference, settingsPlan, withEnvironmentTable } from './reference.ts'
import { settingTable } from './table.ts'

// DESIGN's contract: these names and no others, in this order.
const contract = [
  'NODE_ENV',
  'HOST',
  'PORT',
  'PUBLIC_ORIGIN',
  'HOLDFAST_SECRET',
  'HOLDFAST_SECRET_PREVIOUS',
  'HOLDFAST_DATA_DIR',
  'DATABASE_URL',
  'REDIS_URL',
  'SMTP_URL',
  'MAIL_FROM',
  'TRUSTED_PROXIES',
  'NEVER_BANNED',
  'ALLOWED_ORIGINS',
  'TLS_CERT',
  'TLS_KEY',
  'DETECTION',
  'METRICS_TOKEN',
  'ALERT_MAIL_TO',
  'ALERT_WEBHOOK_URL',
  'ALERT_WEBHOOK_SECRET',
  'ALERT_SLACK_URL',
  'ALERT_PAGERDUTY_KEY',
  'ALERT_PAGERDUTY_URL',
  'ALERT_SYSLOG_URL',
  'LOG_LEVEL',
]

describe('the reference of the environment', () => {
  it('V13.1.1 names every setting of the contract, in every format and in the plan', () => {
    expect(settingTable.map(({ env }) => env)).toEqual(contract)
    expect(settingsPlan().map(({ env }) => env)).toEqual(contract)
    for (const format of ['text', 'markdown', 'json'] as const) {
      const text = environmentReference(format)
      let from = 0
      for (const name of contract) {
        from = text.indexOf(name, from)
        expect(from, `${name} in ${format}`).toBeGreaterThan(-1)
      }
    }
  })

  it('has a default that the setting itself would take', () => {
    for (const { env, fallback, parse } of settingTable) {
      if (fallback.kind === 'text') expect(parse(fallback.text), env).toMatchObject({ ok: true })
    }
  })

  it('fits a terminal', () => {
    for (const line of environmentReference('text').split('\n')) expect(line.length).toBeLessThanOrEqual(100)
  })

  it('is data for a script', () => {
    const parsed: unknown = JSON.parse(environmentReference('json'))
    expect(parsed).toContainEqual(
      expect.objectContaining({ env: 'PORT', fallback: '3000', neededInProduction: false }),
    )
  })

  it('replaces the table of a document between its markers, and only that', () => {
    const document = 'before\n<!-- environment:start -->\nout of date\n<!-- environment:end -->\nafter\n'
    const made = withEnvironmentTable(document)
    expect(made).toMatch(/^before\n<!-- environment:start -->\n\| variable \|/)
    expect(made).toMatch(/<!-- environment:end -->\nafter\n$/)
    expect(made).not.toContain('out of date')
    expect(withEnvironmentTable(made ?? '')).toBe(made)
    expect(withEnvironmentTable('no markers')).toBeNull()
  })
})
