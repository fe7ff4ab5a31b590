import { expect, it } from 'vitest'
import type { RecordedEvent } from '../events/index.ts'
import { exportLine } from './index.ts'

it.each([
  // Of findings, 1 and 2 mean "new" and "in progress"; "failure" would tell a SIEM that somebody works on it.
  ['malicious_sqli', 'failure', 1, 'New'],
  ['audit_tampering', 'failure', 1, 'New'],
  ['alert_changed', 'unknown', 0, 'Unknown'],
  ['authn_login_fail', 'failure', 2, 'Failure'],
  ['user_created', 'success', 1, 'Success'],
] as const)('V16.2.4 gives %s the status of its OCSF class', (event, outcome, statusId, status) => {
  const recorded: RecordedEvent = { event, outcome, id: 'id', atMs: 0, level: 'warn' }
  expect(JSON.parse(exportLine(recorded, 'ocsf', '1'))).toMatchObject({ status_id: statusId, status })
})
