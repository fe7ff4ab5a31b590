import { type Alert, type AlertAct, AlertFault, type AlertState } from './alert.ts'
import { insertDeliveries } from './deliveries.ts'
import type { AlertChange } from './group.ts'
import { alertsTable, keysTable } from './migration.ts'
import { noteChange } from './notes.ts'
import { alertOf, liveStates, readAlert } from './records.ts'
import { oneLine } from './words.ts'

const actorMaxChars = 200
const reasonMaxChars = 500

/**
 * Checks who changes an alert, and why.
 *
 * @throws AlertFault `unfit`
 */
export function checkedAct({ actorId, reason }: AlertAct): AlertAct {
  if (!isLine(actorId, actorMaxChars))
    throw new AlertFault(
      'unfit',
      `Who changes an alert is an id of up to ${actorMaxChars} characters on one line.`,
    )
  if (!isLine(reason, reasonMaxChars))
    throw new AlertFault(
      'unfit',
      `A change of an alert needs a reason: up to ${reasonMaxChars} characters on one line.`,
    )
  return { actorId, reason: reason.trim() }
}

function isLine(text: unknown, maxChars: number): boolean {
  return (
    typeof text === 'string' &&
    text.trim() !== '' &&
    text.length <= maxChars &&
    oneLine(text, maxChars) === text.trim()
  )
}

/**
 * Says that somebody looks at an alert. Whether it is still open is asked in the UPDATE itself: of two administrators
 * at once, one has done it.
 *
 * @returns `null` when there is no such alert
 * @throws AlertFault `conflict` when it is not open
 */
export async function acknowledge(change: AlertChange, id: string, act: AlertAct): Promise<Alert | null> {
  const now = iso(change.nowMs)
  const acknowledged = { state: 'acknowledged', acknowledgedAt: now, acknowledgedBy: act.actorId }
  const row = await change.db
    .updateTable(alertsTable)
    .set({ ...acknowledged, reason: act.reason, changedAt: now })
    .where('id', '=', id)
    .where('state', '=', 'open')
    .returningAll()
    .executeTakeFirst()
  if (row === undefined) return await refuse(change, id, 'It is not open any more.')
  return await tell(change, alertOf(row), { what: 'acknowledged', from: 'open', act })
}

/**
 * Closes an alert: what comes after it is another one.
 *
 * @returns `null` when there is no such alert
 * @throws AlertFault `conflict` when it is closed
 */
export async function close(change: AlertChange, id: string, act: AlertAct): Promise<Alert | null> {
  for (const from of liveStates) {
    const closed = await closeFrom(change, id, { from, act })
    if (closed !== null) return closed
  }
  return await refuse(change, id, 'It is closed already.')
}

const quietReason = 'nothing new for a day'

/** Closes an alert to which nothing has been added since a time. @returns whether it did */
export async function closeIfQuiet(change: AlertChange, id: string, before: string): Promise<boolean> {
  for (const from of liveStates) if ((await closeFrom(change, id, { from, before })) !== null) return true
  return false
}

interface Closing {
  readonly from: AlertState
  readonly act?: AlertAct
  /** Only when nothing has come since. */
  readonly before?: string
}

async function closeFrom(
  change: AlertChange,
  id: string,
  { from, act, before }: Closing,
): Promise<Alert | null> {
  const now = iso(change.nowMs)
  let query = change.db
    .updateTable(alertsTable)
    .set({ state: 'closed', closedAt: now, closedBy: act?.actorId ?? null, changedAt: now })
    .set({ reason: act?.reason ?? quietReason })
    .where('id', '=', id)
    .where('state', '=', from)
  if (before !== undefined) query = query.where('lastAt', '<', before)
  const row = await query.returningAll().executeTakeFirst()
  if (row === undefined) return null
  await change.db.deleteFrom(keysTable).where('alertId', '=', id).execute()
  return await tell(change, alertOf(row), { what: 'closed', from, act })
}

async function tell(
  change: AlertChange,
  alert: Alert,
  done: { what: 'acknowledged' | 'closed'; from: AlertState; act: AlertAct | undefined },
): Promise<Alert> {
  await insertDeliveries(change.db, { alertId: alert.id, kind: done.what }, change)
  noteChange(change.note, alert, done)
  return alert
}

async function refuse({ db }: AlertChange, id: string, message: string): Promise<null> {
  if ((await readAlert(db, id)) === null) return null
  throw new AlertFault('conflict', message)
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}
