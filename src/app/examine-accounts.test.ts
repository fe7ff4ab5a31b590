import { expect, it } from 'vitest'
import { examineAccounts } from './examine-accounts.ts'

it('V7.1.1 refuses sessions that would not end as they say, and hashing that would stop the server', () => {
  const subjects = (options: Parameters<typeof examineAccounts>[0]) =>
    examineAccounts(options).map(({ subject }) => subject)
  expect(subjects(undefined)).toEqual([])
  expect(subjects({ hashMs: 0, sessions: { idleMs: 1, absoluteMs: 1, maxCount: 1 } })).toEqual([])
  expect(subjects({ sessions: { idleMs: Number.POSITIVE_INFINITY } })).toEqual(['accounts.sessions.idleMs'])
  expect(subjects({ sessions: { idleMs: 2, absoluteMs: 1 } })).toEqual(['accounts.sessions.idleMs'])
  expect(subjects({ hashMs: -1, sessions: { absoluteMs: 0, maxCount: 1.5 } })).toEqual([
    'accounts.sessions.absoluteMs',
    'accounts.sessions.maxCount',
    'accounts.hashMs',
  ])
})
