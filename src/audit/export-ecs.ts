import type { RecordedEvent } from '../events/index.ts'

/** Kinds, categories and types of the Elastic Common Schema, by the beginning of a name. @see ECS 8.17, the allowed values of event.category */
const ecsWords: readonly (readonly [RegExp, category: string, type: string])[] = [
  [/^authn_/, 'authentication', 'info'],
  [/^session_created$/, 'session', 'start'],
  [/^session_(logout|expired)$/, 'session', 'end'],
  [/^session_/, 'session', 'info'],
  [/^user_created$/, 'iam', 'creation'],
  [/^user_deleted$/, 'iam', 'deletion'],
  [/^(user_|privilege_)/, 'iam', 'change'],
  [/^(authz_change|response_)/, 'configuration', 'change'],
  [/^authz_fail$/, 'api', 'denied'],
  [/^(authz_|sensitive_)/, 'api', 'admin'],
  [/^(malicious_|attack_detected|audit_tampering|alert_)/, 'intrusion_detection', 'info'],
  [/^(input_|excess_)/, 'api', 'denied'],
  [/^sys_startup$/, 'process', 'start'],
  [/^sys_shutdown$/, 'process', 'end'],
]

/** An event in the Elastic Common Schema. */
export function ecsShape(event: RecordedEvent, version: string): object {
  const { userId, actorId, sessionId, address, route, requestId, reason, details } = event
  const [, category, type] = ecsWords.find(([pattern]) => pattern.test(event.event)) ?? [null, 'api', 'info']
  const isAlert = event.event.startsWith('alert_')
  // Who did it is the user of an event; whose account it was done to, its target.
  const users =
    actorId === undefined
      ? typeof userId === 'string' && { user: { id: userId } }
      : { user: { id: actorId, ...(typeof userId === 'string' ? { target: { id: userId } } : {}) } }
  return {
    '@timestamp': new Date(event.atMs).toISOString(),
    ecs: { version: '8.17.0' },
    event: {
      id: event.id,
      kind: isAlert ? 'alert' : 'event',
      category: [category],
      type: [type],
      action: event.event,
      outcome: event.outcome,
      dataset: 'holdfast.audit',
      module: 'holdfast',
      ...(reason === undefined ? {} : { reason }),
    },
    log: { level: event.level },
    message: event.event,
    observer: { product: 'Holdfast', vendor: 'Holdfast', version },
    ...users,
    ...(address === undefined ? {} : { source: { ip: address } }),
    ...(requestId === undefined ? {} : { http: { request: { id: requestId } } }),
    labels: {
      ...(sessionId === undefined ? {} : { session_id: sessionId }),
      ...(route === undefined ? {} : { route }),
      ...Object.fromEntries(
        Object.entries(details ?? {}).map(([name, value]) => [`detail_${name}`, String(value)]),
      ),
    },
  }
}
