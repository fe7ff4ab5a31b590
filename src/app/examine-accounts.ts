import type { Violation } from '../route/index.ts'
import { defaultSessionLimits } from '../sessions/index.ts'
import type { AccountsOptions } from './declaration.ts'

const hashMaxMs = 5_000
const sessionMaxCount = 1_000

/** Holds the choices about accounts against what they can be: a session that never ends would be open by accident. */
export function examineAccounts({ hashMs, sessions = {} }: AccountsOptions = {}): readonly Violation[] {
  const { idleMs, absoluteMs, maxCount } = { ...defaultSessionLimits, ...sessions }
  const faults: (readonly [option: string, fault: string, fix: string])[] = []
  for (const [option, value] of Object.entries({ idleMs, absoluteMs }))
    if (!isWhole(value, 1)) faults.push([`sessions.${option}`, 'it is no time', 'whole milliseconds above 0'])
  if (isWhole(idleMs, 1) && isWhole(absoluteMs, 1) && idleMs > absoluteMs)
    faults.push([
      'sessions.idleMs',
      'a session cannot rest longer than it lives',
      'at most sessions.absoluteMs',
    ])
  if (!isWhole(maxCount, 1) || maxCount > sessionMaxCount)
    faults.push([
      'sessions.maxCount',
      'it is no number of sessions',
      `a whole number from 1 to ${sessionMaxCount}`,
    ])
  if (hashMs !== undefined && (!isWhole(hashMs, 0) || hashMs > hashMaxMs))
    faults.push(['hashMs', 'it is no time for a hash', `whole milliseconds up to ${hashMaxMs}`])
  return faults.map(([option, fault, fix]) => ({
    rule: 'accounts.option',
    subject: `accounts.${option}`,
    source: 'createApp()',
    fault,
    fix,
  }))
}

function isWhole(value: number, least: number): boolean {
  return Number.isSafeInteger(value) && value >= least
}
