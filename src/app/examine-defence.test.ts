import { describe, expect, it } from 'vitest'
import { examineDefence } from './examine-defence.ts'

describe('choices about the trail and detection', () => {
  it('take the defaults, and what is in bounds', () => {
    expect(examineDefence({})).toEqual([])
    expect(
      examineDefence({ audit: { retentionDays: 30 }, detection: { responses: { mode: 'dry-run' } } }),
    ).toEqual([])
  })

  it.each([0, -1, 1.5, Number.NaN, 100_000])('V16.1.1 refuse to keep events for %s days', (retentionDays) => {
    expect(examineDefence({ audit: { retentionDays } })).toMatchObject([{ subject: 'audit.retentionDays' }])
  })

  it('V16.5.3 name everything that is wrong at once', () => {
    const found = examineDefence({
      audit: { retentionDays: 0 },
      detection: { responses: { graceMs: -1, maxTargetCount: 0 } },
    })
    expect(found.map(({ subject }) => subject)).toEqual([
      'audit.retentionDays',
      'detection.responses.graceMs',
      'detection.responses.maxTargetCount',
    ])
  })
})
