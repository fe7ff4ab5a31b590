import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { Detector } from './detector.ts'
import { detectors } from './detectors.ts'

const guide = readFileSync(new URL('../../docs/guide/detection.md', import.meta.url), 'utf8')

function timeOf(timeMs: number): string {
  return timeMs % 3_600_000 === 0 ? `${timeMs / 3_600_000} h` : `${timeMs / 60_000} min`
}

function rowOf(detector: Detector): string {
  const { name, points, counts, by, thresholdCount, windowMs, responses, escalation, allowance } = detector
  const what = counts === 'signals' ? 'signals' : `different ${counts}`
  const raised = allowance === undefined ? '' : ` + ${allowance.eachPercent}%`
  const more =
    escalation === undefined
      ? ''
      : `; at ${escalation.thresholdCount}${raised}: ${escalation.responses.join(', ')}`
  return `| \`${name}\` | ${points.join(' ')} | ${what} by ${by} | ${thresholdCount}${raised} | ${timeOf(windowMs)} | ${responses.join(', ')}${more} |`
}

describe('the guide', () => {
  it('V16.3.3 has the detectors as they are', () => {
    const heads = ['detector', 'AppSensor', 'counts', 'threshold', 'window', 'responses']
    const lines = [`| ${heads.join(' | ')} |`, `|${' --- |'.repeat(heads.length)}`, ...detectors.map(rowOf)]
    const table = /<!-- detectors:start -->\n([\s\S]*)\n<!-- detectors:end -->/.exec(guide)?.[1]
    expect(table).toBe(lines.join('\n'))
  })

  it('V16.3.3 names only points that OWASP AppSensor has', () => {
    for (const { points } of detectors)
      for (const point of points)
        expect(point).toMatch(/^(?:RE|AE|SE|ACE|IE|EE|CIE|FIO|HT|UT|STE|RP)\d{1,2}$/)
  })

  it('V6.3.5 no detector by account locks it because strangers guess at its password', () => {
    const guessed = detectors.filter(({ signals }) => signals.includes('login-failed'))
    for (const { responses, escalation } of guessed)
      for (const response of [...responses, ...(escalation?.responses ?? [])])
        expect(['alert', 'slow-down', 'ban-address']).toContain(response)
  })
})
