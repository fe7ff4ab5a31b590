import type { EventLevel, RecordedEvent } from '../events/index.ts'

/** The forms in which events leave. */
export type ExportFormat = 'jsonl' | 'ocsf' | 'ecs'

/** Every form. */
export const exportFormats: readonly ExportFormat[] = ['jsonl', 'ocsf', 'ecs']

/**
 * An event as one line of JSON, without a line break in it.
 *
 * @param version The version of Holdfast, for the forms that name a product.
 * @example exportLine(event, 'ocsf', '1.0.0')
 */
export function exportLine(event: RecordedEvent, format: ExportFormat, version: string): string {
  return JSON.stringify(shapes[format](event, version))
}

const shapes: Readonly<Record<ExportFormat, (event: RecordedEvent, version: string) => object>> = {
  jsonl: plainShape,
  ocsf: ocsfShape,
  ecs: ecsShape,
}

function plainShape({ atMs, ...event }: RecordedEvent): object {
  return { time: new Date(atMs).toISOString(), ...event }
}

interface OcsfClass {
  readonly uid: number
  readonly name: string
  readonly category: number
  readonly categoryName: string
}

const iam = { category: 3, categoryName: 'Identity & Access Management' } as const
const accountChange: OcsfClass = { uid: 3001, name: 'Account Change', ...iam }
const authentication: OcsfClass = { uid: 3002, name: 'Authentication', ...iam }
const authorizeSession: OcsfClass = { uid: 3003, name: 'Authorize Session', ...iam }
const detectionFinding: OcsfClass = {
  uid: 2004,
  name: 'Detection Finding',
  category: 2,
  categoryName: 'Findings',
}
const application = { category: 6, categoryName: 'Application Activity' } as const
const apiActivity: OcsfClass = { uid: 6003, name: 'API Activity', ...application }
const lifecycle: OcsfClass = { uid: 6002, name: 'Application Lifecycle', ...application }

/** The class and activity of an event, by the beginning of its name. @see schema.ocsf.io, 1.3 */
function ocsfClassOf(name: string): readonly [OcsfClass, activityId: number] {
  const found = ocsfClasses.find(([pattern]) => pattern.test(name))
  return found === undefined ? [apiActivity, 99] : [found[1], found[2]]
}

// The activity is 99, "other", where the class has no word for it.
const ocsfClasses: readonly (readonly [RegExp, OcsfClass, number])[] = [
  [/^(session_logout|session_expired)$/, authentication, 2],
  [/^(authn_login|session_created)/, authentication, 1],
  [/^authn_password_change$/, accountChange, 3],
  [/^(authn_|session_)/, authentication, 99],
  [/^user_created$/, accountChange, 1],
  [/^user_archived$/, accountChange, 5],
  [/^user_deleted$/, accountChange, 6],
  [/^(user_updated|privilege_permissions_changed)$/, accountChange, 99],
  [/^authz_change$/, authorizeSession, 99],
  [/^(malicious_|attack_detected|audit_tampering)/, detectionFinding, 1],
  [/^alert_opened$/, detectionFinding, 1],
  [/^alert_changed$/, detectionFinding, 2],
  [/^sys_startup$/, lifecycle, 3],
  [/^sys_shutdown$/, lifecycle, 4],
  [/^sys_/, lifecycle, 99],
]

const ocsfSeverities: Readonly<Record<EventLevel, readonly [number, string]>> = {
  info: [1, 'Informational'],
  warn: [3, 'Medium'],
  critical: [5, 'Critical'],
}

const ocsfStatuses = { success: [1, 'Success'], failure: [2, 'Failure'], unknown: [0, 'Unknown'] } as const

function ocsfShape(event: RecordedEvent, version: string): object {
  const [ocsf, activityId] = ocsfClassOf(event.event)
  const [severityId, severity] = ocsfSeverities[event.level]
  const [statusId, status] = ocsfStatuses[event.outcome]
  const { userId, actorId, sessionId, address, route, requestId, reason, details } = event
  const subject = typeof userId === 'string' ? { user: { uid: userId } } : {}
  const session = sessionId === undefined ? {} : { session: { uid: sessionId } }
  const isFinding = ocsf === detectionFinding
  return {
    activity_id: activityId,
    category_uid: ocsf.category,
    category_name: ocsf.categoryName,
    class_uid: ocsf.uid,
    class_name: ocsf.name,
    type_uid: ocsf.uid * 100 + activityId,
    severity_id: severityId,
    severity,
    status_id: statusId,
    status,
    time: event.atMs,
    message: event.event,
    ...(reason === undefined ? {} : { status_detail: reason }),
    metadata: {
      uid: event.id,
      version: '1.3.0',
      product: { name: 'Holdfast', vendor_name: 'Holdfast', version },
      log_name: 'audit',
      ...(requestId === undefined ? {} : { correlation_uid: requestId }),
    },
    ...(isFinding ? { finding_info: { uid: event.id, title: event.event } } : {}),
    ...subject,
    ...(actorId === undefined ? session : { actor: { user: { uid: actorId }, ...session } }),
    ...(address === undefined ? {} : { src_endpoint: { ip: address } }),
    ...(route === undefined ? {} : { api: { operation: route } }),
    ...(details === undefined ? {} : { unmapped: details }),
  }
}

/** Kinds, categories and types of the Elastic Common Schema, by the beginning of a name. @see ECS 8.17 */
const ecsWords: readonly (readonly [RegExp, category: string, type: string])[] = [
  [/^(authn_login|authn_)/, 'authentication', 'info'],
  [/^session_created$/, 'session', 'start'],
  [/^session_(logout|expired)$/, 'session', 'end'],
  [/^session_/, 'session', 'info'],
  [/^user_created$/, 'iam', 'creation'],
  [/^user_deleted$/, 'iam', 'deletion'],
  [/^(user_|privilege_)/, 'iam', 'change'],
  [/^(authz_change|response_)/, 'configuration', 'change'],
  [/^authz_/, 'web', 'denied'],
  [/^(malicious_|attack_detected|audit_tampering|alert_)/, 'intrusion_detection', 'info'],
  [/^(input_|excess_)/, 'web', 'denied'],
  [/^sys_startup$/, 'process', 'start'],
  [/^sys_shutdown$/, 'process', 'end'],
]

function ecsShape(event: RecordedEvent, version: string): object {
  const { userId, actorId, sessionId, address, route, requestId, reason, details } = event
  const [, category, type] = ecsWords.find(([pattern]) => pattern.test(event.event)) ?? [null, 'web', 'info']
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
