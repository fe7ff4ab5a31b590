import type { EventLevel, RecordedEvent } from '../events/index.ts'

interface OcsfClass {
  readonly uid: number
  readonly name: string
  readonly category: number
  readonly categoryName: string
  /** What the class requires, and what it takes, of what is known of an event. */
  readonly members: (event: RecordedEvent, product: object) => object
  /** Of findings, what has become of them; of all else, the outcome. */
  readonly statusOf: (event: RecordedEvent) => readonly [number, string]
}

const ocsfStatuses = { success: [1, 'Success'], failure: [2, 'Failure'], unknown: [0, 'Unknown'] } as const

const statusOf = ({ outcome }: RecordedEvent): readonly [number, string] => ocsfStatuses[outcome]
const iam = { category: 3, categoryName: 'Identity & Access Management', statusOf } as const
const application = { category: 6, categoryName: 'Application Activity', statusOf } as const

const accountChange: OcsfClass = {
  uid: 3001,
  name: 'Account Change',
  ...iam,
  members: (event) => ({ user: userOf(event), ...actorOf(event), ...requestOf(event) }),
}
const authentication: OcsfClass = {
  uid: 3002,
  name: 'Authentication',
  ...iam,
  members: (event) => ({
    user: userOf(event),
    service: { name: 'Holdfast' },
    is_remote: true,
    ...sessionOf(event),
    ...actorOf(event),
    ...requestOf(event),
  }),
}
const apiActivity: OcsfClass = {
  uid: 6003,
  name: 'API Activity',
  ...application,
  members: (event) => ({
    // The three are required: what was done at the command line or by the server has no address and no route.
    actor: { app_name: 'Holdfast', ...whoOf(event) },
    api: { operation: event.route ?? event.event },
    src_endpoint: event.address === undefined ? { name: 'internal' } : { ip: event.address },
    ...(event.requestId === undefined ? {} : { http_request: { uid: event.requestId } }),
  }),
}
const lifecycle: OcsfClass = {
  uid: 6002,
  name: 'Application Lifecycle',
  ...application,
  members: (_, product) => ({ app: product }),
}
const detectionFinding: OcsfClass = {
  uid: 2004,
  name: 'Detection Finding',
  category: 2,
  categoryName: 'Findings',
  // In this class 1 and 2 are "new" and "in progress".
  statusOf: ({ event }) => (event === 'alert_changed' ? [0, 'Unknown'] : [1, 'New']),
  members: (event) => ({
    finding_info: { uid: event.id, title: event.event },
    is_alert: event.event === 'alert_opened',
    evidences: [{ actor: { app_name: 'Holdfast', ...whoOf(event) }, api: apiOf(event), ...requestOf(event) }],
  }),
}

function userOf({ userId }: RecordedEvent): object {
  return typeof userId === 'string' ? { uid: userId } : { name: 'unknown', type_id: 0 }
}

function sessionOf({ sessionId }: RecordedEvent): object {
  return sessionId === undefined ? {} : { session: { uid: sessionId } }
}

function whoOf(event: RecordedEvent): object {
  const uid = event.actorId ?? event.userId
  return { ...(typeof uid === 'string' ? { user: { uid } } : {}), ...sessionOf(event) }
}

function actorOf({ actorId }: RecordedEvent): object {
  return actorId === undefined ? {} : { actor: { user: { uid: actorId } } }
}

function apiOf({ route, event }: RecordedEvent): object {
  return { operation: route ?? event }
}

function requestOf({ address, requestId }: RecordedEvent): object {
  return {
    ...(address === undefined ? {} : { src_endpoint: { ip: address } }),
    ...(requestId === undefined ? {} : { http_request: { uid: requestId } }),
  }
}

/** The class and activity of an event, by the beginning of its name. @see schema.ocsf.io, 1.3 */
function ocsfClassOf(name: string): readonly [OcsfClass, activityId: number] {
  const found = ocsfClasses.find(([pattern]) => pattern.test(name))
  return found === undefined ? [apiActivity, other] : [found[1], found[2]]
}

// Where the class has no word for the activity; the name of the event stands beside it.
const other = 99
const ocsfClasses: readonly (readonly [RegExp, OcsfClass, number])[] = [
  [/^(session_logout|session_expired)$/, authentication, 2],
  [/^authn_login_lock$/, accountChange, 9],
  [/^(authn_login|session_created$)/, authentication, 1],
  [/^authn_password_change(_fail)?$/, accountChange, 3],
  [/^(authn_|session_)/, authentication, other],
  [/^user_created$/, accountChange, 1],
  [/^user_archived$/, accountChange, 5],
  [/^user_deleted$/, accountChange, 6],
  [/^(user_updated|privilege_permissions_changed)$/, accountChange, other],
  [/^sensitive_create$/, apiActivity, 1],
  [/^sensitive_read$/, apiActivity, 2],
  [/^(sensitive_update|authz_change)$/, apiActivity, 3],
  [/^sensitive_delete$/, apiActivity, 4],
  [/^(malicious_|attack_detected|audit_tampering|alert_opened)/, detectionFinding, 1],
  [/^alert_changed$/, detectionFinding, 2],
  [/^sys_startup$/, lifecycle, 3],
  [/^sys_shutdown$/, lifecycle, 4],
  [/^sys_/, lifecycle, other],
]

const ocsfSeverities: Readonly<Record<EventLevel, readonly [number, string]>> = {
  info: [1, 'Informational'],
  warn: [3, 'Medium'],
  critical: [5, 'Critical'],
}

/** An event in the Open Cybersecurity Schema Framework, with every member that its class requires. */
export function ocsfShape(event: RecordedEvent, version: string): object {
  const [ocsf, activityId] = ocsfClassOf(event.event)
  const [severityId, severity] = ocsfSeverities[event.level]
  const [statusId, status] = ocsf.statusOf(event)
  const { requestId, reason, details } = event
  const product = { name: 'Holdfast', vendor_name: 'Holdfast', version }
  return {
    activity_id: activityId,
    ...(activityId === other ? { activity_name: event.event } : {}),
    category_uid: ocsf.category,
    category_name: ocsf.categoryName,
    class_uid: ocsf.uid,
    class_name: ocsf.name,
    type_uid: ocsf.uid * 100 + activityId,
    severity_id: severityId,
    severity,
    status_id: statusId,
    status,
    ...(reason === undefined ? {} : { status_detail: reason }),
    time: event.atMs,
    message: event.event,
    metadata: {
      uid: event.id,
      version: '1.3.0',
      product,
      log_name: 'audit',
      ...(requestId === undefined ? {} : { correlation_uid: requestId }),
    },
    ...ocsf.members(event, product),
    ...(details === undefined ? {} : { unmapped: details }),
  }
}
