import { describe, expect, it } from 'vitest'
import { type PostureFacts, postureFindings } from './posture.ts'

const good: PostureFacts = {
  mode: 'production',
  isHttps: true,
  database: 'postgres',
  areLimitsShared: true,
  isMailSent: true,
  alertChannels: ['mail'],
  detection: 'on',
  retentionDays: 365,
  administratorCount: 2,
  openRoutes: [],
  routeCount: 40,
  unscopedUses: [],
  keys: [{ name: 'signing key', ageSeconds: 86_400 }],
}

describe('the posture of a server', () => {
  it('has nothing to say of one that is as it should be', () => {
    expect(postureFindings(good)).toEqual([])
  })

  it.each<[string, Partial<PostureFacts>, string, string]>([
    ['plain HTTP in production', { isHttps: false }, 'https', 'critical'],
    ['alerts that go nowhere', { alertChannels: [] }, 'alerts.channel', 'warn'],
    ['detection that is off', { detection: 'off' }, 'detection.mode', 'warn'],
    ['detection that does nothing', { detection: 'dry-run' }, 'detection.mode', 'info'],
    ['one administrator', { administratorCount: 1 }, 'administrators.one', 'info'],
    ['many administrators', { administratorCount: 11 }, 'administrators.many', 'warn'],
    ['an old key', { keys: [{ name: 'signing key', ageSeconds: 366 * 86_400 }] }, 'keys.age', 'warn'],
    ['a development server', { mode: 'development' }, 'mode', 'info'],
  ])('V13.4.2 names %s, and what to do', (_name, difference, rule, severity) => {
    const found = postureFindings({ ...good, ...difference })
    expect(found.map((one) => [one.rule, one.severity])).toEqual([[rule, severity]])
    expect(found[0]?.fix).toMatch(/\.$/)
  })
})
