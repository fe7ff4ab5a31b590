import { type Family, family, type Sample, single } from './catalogue.ts'
import type { DatabaseReading, Reading, SourceReadings } from './sources.ts'

/** The metrics of what the sources gave. What they did not give is absent, not zero. */
export function sourceFamilies({ values, isUp }: Reading): Family[] {
  const { bans, responses, alerts, hashing, database, redis, load, sockets, mail, keys, trail, sessions } =
    values
  return [
    ...(bans === undefined ? [] : [bansFamily(bans)]),
    ...(responses === undefined ? [] : [single('holdfast_responses_in_force', responses.inForceCount)]),
    ...(alerts === undefined ? [] : alertFamilies(alerts)),
    ...(hashing === undefined ? [] : hashingFamilies(hashing)),
    ...(database === undefined ? silentDatabase(isUp) : databaseFamilies(database)),
    ...(redis === undefined ? [] : [single('holdfast_redis_up', redis.isUp ? 1 : 0)]),
    ...(load === undefined ? [] : loadFamilies(load)),
    ...(sockets === undefined ? [] : [single('holdfast_sockets', sockets.openCount)]),
    ...(mail === undefined ? [] : [single('holdfast_mail_waiting', mail.waitingCount)]),
    ...(keys === undefined ? [] : [keysFamily(keys)]),
    ...(trail === undefined ? [] : trailFamilies(trail)),
    ...(sessions === undefined ? [] : sessionFamilies(sessions)),
    family(
      'holdfast_metric_source_up',
      [...isUp].map(([source, isAnswered]) => ({ labels: { source }, value: isAnswered ? 1 : 0 })),
    ),
  ]
}

function bansFamily({ addressCount, accountCount }: SourceReadings['bans']): Family {
  return family('holdfast_bans', by('kind', { address: addressCount, account: accountCount }))
}

function alertFamilies(alerts: SourceReadings['alerts']): Family[] {
  const { openCount, deliveriesWaitingCount, deliveriesDeadCount } = alerts
  const states = { waiting: deliveriesWaitingCount, dead: deliveriesDeadCount }
  return [single('holdfast_alerts_open', openCount), family('holdfast_alert_deliveries', by('state', states))]
}

function hashingFamilies({ waitingCount, runningCount, refusedCount }: SourceReadings['hashing']): Family[] {
  return [
    single('holdfast_hashing_waiting', waitingCount),
    single('holdfast_hashing_running', runningCount),
    single('holdfast_hashing_refused_total', refusedCount),
  ]
}

function databaseFamilies({ isUp, pool, errorCount }: DatabaseReading): Family[] {
  const up = single('holdfast_database_up', isUp ? 1 : 0)
  const errors = errorCount === null ? [] : [single('holdfast_database_errors_total', errorCount)]
  if (pool === null) return [up, ...errors]
  const states = { in_use: pool.inUseCount, idle: pool.idleCount }
  return [
    up,
    ...errors,
    family('holdfast_database_connections', by('state', states)),
    single('holdfast_database_waiting', pool.waitingCount),
  ]
}

// A database that hangs does not say that it is down: without a series, a rule that waits for 0 would wait for ever.
function silentDatabase(isUp: Reading['isUp']): Family[] {
  return isUp.get('database') === false ? [single('holdfast_database_up', 0)] : []
}

function loadFamilies({ shedCount, delayMs }: SourceReadings['load']): Family[] {
  return [
    single('holdfast_shed_requests_total', shedCount),
    single('holdfast_event_loop_delay_seconds', delayMs / 1_000),
  ]
}

function keysFamily(keys: SourceReadings['keys']): Family {
  const samples = keys.map(({ name, ageSeconds }) => ({
    labels: { key: name.replaceAll(' ', '_') },
    value: ageSeconds,
  }))
  return family('holdfast_key_age_seconds', samples)
}

function trailFamilies({ waitingCount, droppedCount, rowCount }: SourceReadings['trail']): Family[] {
  return [
    single('holdfast_audit_events_waiting', waitingCount),
    single('holdfast_audit_events_dropped_total', droppedCount),
    ...(rowCount === null ? [] : [single('holdfast_audit_events_rows', rowCount)]),
  ]
}

function sessionFamilies({ userCount, sessionCount }: SourceReadings['sessions']): Family[] {
  return [single('holdfast_active_users', userCount), single('holdfast_active_sessions', sessionCount)]
}

function by(label: string, counts: Readonly<Record<string, number>>): Sample[] {
  return Object.entries(counts).map(([word, value]) => ({ labels: { [label]: word }, value }))
}
