/** What is known of a metric. */
export interface MetricKind {
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly labels: readonly string[]
  /** What it counts or measures, in one sentence. */
  readonly help: string
}

/**
 * The metrics of Holdfast's own. A test holds the table in docs/guide/metrics.md, the dashboard and the alert rules to
 * them. No label is filled with what a client sent: each has a bounded number of values, whatever is asked.
 *
 * @see https://prometheus.io/docs/practices/naming/
 */
export const metricCatalogue = {
  holdfast_build_info: gauge('1, with the version as a label.', ['version']),
  holdfast_http_requests_total: counter('Requests that were answered.', ['method', 'route', 'status']),
  holdfast_http_request_duration_seconds: {
    type: 'histogram',
    labels: ['method', 'route'],
    help: 'From the head of a request to the end of its reply.',
  },
  holdfast_problems_total: counter('Requests that were refused or failed, by the code of the problem.', [
    'code',
  ]),
  holdfast_security_events_total: counter('Events of the audit trail that this process emitted.', ['event']),
  holdfast_logins_total: counter('Attempts to log in that were decided.', ['result']),
  holdfast_denials_total: counter('Requests that were not allowed what they asked for.', ['kind']),
  holdfast_limiter_refusals_total: counter('Requests refused because of a limit, or of a ban.', ['kind']),
  holdfast_findings_total: counter('Findings of detectors.', ['detector']),
  holdfast_responses_total: counter('Responses to findings, also those that were only tried.', [
    'response',
    'mode',
    'outcome',
  ]),
  holdfast_tokens_issued_total: counter('Access tokens that were issued.', ['grant']),
  holdfast_tokens_refused_total: counter('Refresh tokens that were refused.', ['kind']),
  holdfast_bans: gauge('Bans in force.', ['kind']),
  holdfast_responses_in_force: gauge('Slow-downs and step-ups in force, as this node knows them.'),
  holdfast_alerts_open: gauge('Alerts that nobody has acknowledged or closed.'),
  holdfast_alert_deliveries: gauge('Messages about alerts that wait, or that were given up.', ['state']),
  holdfast_hashing_waiting: gauge('Passwords that wait to be hashed.'),
  holdfast_hashing_running: gauge('Passwords that are being hashed.'),
  holdfast_hashing_refused_total: counter(
    'Passwords that were not hashed because too many waited, or too long.',
  ),
  holdfast_database_up: gauge('1 when the database answers.'),
  holdfast_database_connections: gauge('Connections of the pool.', ['state']),
  holdfast_database_waiting: gauge('Requests that wait for a connection.'),
  holdfast_database_errors_total: counter('Statements that failed.'),
  holdfast_redis_up: gauge('1 when Redis answers.'),
  holdfast_shed_requests_total: counter('Requests turned away because the event loop was late.'),
  holdfast_event_loop_delay_seconds: gauge(
    'The 99th percentile of how late the event loop was, last measured.',
  ),
  holdfast_sockets: gauge('Open connections of clients.'),
  holdfast_mail_waiting: gauge('Mails that wait to be sent.'),
  holdfast_key_age_seconds: gauge('How long the key that signs or seals now has been in use.', ['key']),
  holdfast_audit_events_waiting: gauge('Events that are not in the audit trail yet.'),
  holdfast_audit_events_dropped_total: counter('Unimportant events that were counted instead of kept.'),
  holdfast_audit_events_rows: gauge('Rows of the audit trail.'),
  holdfast_active_users: gauge('People with a session that was used within a quarter of an hour.'),
  holdfast_active_sessions: gauge('Sessions that have not ended.'),
  holdfast_metric_source_up: gauge('1 when the source of other metrics could be read for this scrape.', [
    'source',
  ]),
} as const satisfies Readonly<Record<`holdfast_${string}`, MetricKind>>

/** The name of a metric of Holdfast's own. */
export type MetricName = keyof typeof metricCatalogue

/** One number of a metric. */
export type Sample = {
  readonly labels: Readonly<Record<string, string | number>>
  readonly value: number
  /** Where it differs from the metric's: `…_bucket`, `…_sum` and `…_count` of a histogram. */
  readonly metricName?: string | undefined
}

/** A metric with its numbers. */
export interface Family {
  readonly name: string
  readonly kind: MetricKind
  readonly samples: readonly Sample[]
}

/** A metric of the catalogue with its numbers. */
export function family(name: MetricName, samples: readonly Sample[]): Family {
  return { name, kind: metricCatalogue[name], samples }
}

/** A metric without labels. */
export function single(name: MetricName, value: number): Family {
  return family(name, [{ labels: {}, value }])
}

function counter<const L extends readonly string[] = []>(help: string, labels?: L) {
  return { type: 'counter', labels: labels ?? [], help } as const
}

function gauge<const L extends readonly string[] = []>(help: string, labels?: L) {
  return { type: 'gauge', labels: labels ?? [], help } as const
}
