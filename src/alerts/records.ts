import type { MigrationDatabase } from '../data/index.ts'
import type { EventLevel } from '../events/index.ts'
import type { Alert, AlertSamples, AlertState } from './alert.ts'
import { severities } from './alert.ts'
import { alertsTable, deliveriesTable, keysTable } from './migration.ts'

type Row = Readonly<Record<string, unknown>>

/** States in which an alert takes findings. */
export const liveStates: readonly AlertState[] = ['open', 'acknowledged']

/** Which alerts, and where the page begins. */
export interface AlertSearch {
  /** Those that are not closed unless given. */
  readonly state?: AlertState | 'all' | undefined
  /** At least this severe. */
  readonly severity?: EventLevel | undefined
  /** How many, 1 to 1,000; 100 unless given. */
  readonly limit?: number | undefined
  /** The cursor of the page before. */
  readonly cursor?: string | undefined
}

/** Reads one alert. */
export async function readAlert(db: MigrationDatabase, id: string): Promise<Alert | null> {
  const row = await db.selectFrom(alertsTable).selectAll().where('id', '=', id).executeTakeFirst()
  return row === undefined ? null : alertOf(row)
}

/** Alerts by the time they were opened, newest first. */
export async function readAlerts(
  db: MigrationDatabase,
  { state, severity, cursor }: AlertSearch,
  rowCount: number,
): Promise<readonly Alert[]> {
  let query = db.selectFrom(alertsTable).selectAll().orderBy('id', 'desc').limit(rowCount)
  if (state !== 'all') query = query.where('state', 'in', state === undefined ? [...liveStates] : [state])
  if (severity !== undefined)
    query = query.where('severity', 'in', severities.slice(severities.indexOf(severity)))
  if (cursor !== undefined) query = query.where('id', '<', cursor)
  return (await query.execute()).map(alertOf)
}

/** Live alerts that nothing has been added to since a time, the oldest first. */
export async function readQuiet(
  db: MigrationDatabase,
  before: string,
  rowCount: number,
): Promise<readonly string[]> {
  const rows = await db
    .selectFrom(alertsTable)
    .select('id')
    .where('state', 'in', [...liveStates])
    .where('lastAt', '<', before)
    .orderBy('lastAt')
    .limit(rowCount)
    .execute()
  return rows.map(({ id }) => String(id))
}

/** Deletes alerts that were closed before a time, and what hangs on them. */
export async function deleteClosed(db: MigrationDatabase, before: string): Promise<void> {
  const over = db
    .selectFrom(alertsTable)
    .select('id')
    .where('state', '=', 'closed')
    .where('closedAt', '<', before)
  await db.deleteFrom(deliveriesTable).where('alertId', 'in', over).execute()
  await db.deleteFrom(keysTable).where('alertId', 'in', over).execute()
  await db.deleteFrom(alertsTable).where('state', '=', 'closed').where('closedAt', '<', before).execute()
}

/** An alert as its row says it. */
export function alertOf(row: Row): Alert {
  return {
    id: String(row['id']),
    state: stateOf(row['state']),
    severity: severityOf(row['severity']),
    title: String(row['title']),
    summary: String(row['summary']),
    detectors: namesIn(parsed(row['detectors'])),
    count: Number(row['count']),
    openedAt: String(row['openedAt']),
    firstAt: String(row['firstAt']),
    lastAt: String(row['lastAt']),
    samples: samplesOf(parsed(row['samples'])),
    acknowledgedAt: textOrNull(row['acknowledgedAt']),
    acknowledgedBy: textOrNull(row['acknowledgedBy']),
    closedAt: textOrNull(row['closedAt']),
    closedBy: textOrNull(row['closedBy']),
    reason: textOrNull(row['reason']),
    mergedInto: textOrNull(row['mergedInto']),
    changedAt: String(row['changedAt']),
  }
}

function samplesOf(value: unknown): AlertSamples {
  const listOf = (name: string): readonly string[] =>
    typeof value === 'object' && value !== null && name in value ? namesIn(Reflect.get(value, name)) : []
  return {
    addresses: listOf('addresses'),
    accounts: listOf('accounts'),
    sessions: listOf('sessions'),
    routes: listOf('routes'),
  }
}

// A row that was written by hand may hold anything; one that cannot be read must not hide the others.
function parsed(text: unknown): unknown {
  try {
    return JSON.parse(String(text))
  } catch {
    return null
  }
}

function namesIn(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((name) => typeof name === 'string') : []
}

function stateOf(value: unknown): AlertState {
  return value === 'open' || value === 'acknowledged' ? value : 'closed'
}

function severityOf(value: unknown): EventLevel {
  return value === 'info' || value === 'warn' ? value : 'critical'
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}
