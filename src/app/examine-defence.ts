import { detectionOptionFaults, detectorNames } from '../detection/index.ts'
import { responseOptionFaults } from '../responses/index.ts'
import type { Violation } from '../route/index.ts'
import type { AppDeclaration } from './declaration.ts'

const retentionMaxDays = 36_500

/** Holds the choices about the audit trail and about detection against what they can be. */
export function examineDefence({
  audit,
  detection,
}: Pick<AppDeclaration, 'audit' | 'detection'>): readonly Violation[] {
  const days = audit?.retentionDays ?? 1
  const isKept = Number.isSafeInteger(days) && days >= 1 && days <= retentionMaxDays
  const retention = {
    option: 'audit.retentionDays',
    fault: 'it is no number of days',
    fix: `a whole number from 1 to ${retentionMaxDays}`,
  }
  const responses = responseOptionFaults(detection?.responses, detectorNames).map(({ option, ...rest }) => ({
    option: `detection.responses.${option}`,
    ...rest,
  }))
  const { responses: _, ...options } = detection ?? {}
  const detectors = detectionOptionFaults(options).map(({ option, ...rest }) => ({
    option: `detection.${option}`,
    ...rest,
  }))
  return [...(isKept ? [] : [retention]), ...detectors, ...responses].map(({ option, fault, fix }) => ({
    rule: 'detection.option',
    subject: option,
    source: 'createApp()',
    fault,
    fix,
  }))
}
