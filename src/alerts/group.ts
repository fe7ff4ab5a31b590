import { newId } from '../base/index.ts'
import type { MigrationDatabase } from '../data/index.ts'
import type { EmitEvent } from '../events/index.ts'
import { type Alert, isHigher } from './alert.ts'
import type { AlertChannel } from './channels/channel.ts'
import { insertDeliveries } from './deliveries.ts'
import { type Gist, joinedSamples, restOf, summaryOf, titleOf, united } from './gist.ts'
import { alertsTable, keysTable } from './migration.ts'
import { noteChange, noteOpened } from './notes.ts'
import type { WrittenGist } from './pending.ts'
import { alertOf, liveStates } from './records.ts'

/** How findings are grouped. */
export interface GroupRules {
  /** A finding joins an alert that had one within this time. */
  readonly windowMs: number
  /** An alert that is older than this takes no more: what never ends is told of again. */
  readonly openMaxMs: number
  /** From so many alerts of one detector on, what belongs to none of them is one alert. */
  readonly sameDetectorMaxCount: number
}

/** What a change of alerts needs, in one transaction. */
export interface AlertChange {
  readonly db: MigrationDatabase
  readonly note: EmitEvent
  readonly channels: readonly AlertChannel[]
  readonly nowMs: number
  readonly lifetimeMs: number
}

/**
 * Another node was faster, and what was read is not true any more. It has the code by which PostgreSQL tells the same,
 * so the transaction is run again.
 */
class Overtaken extends Error {
  readonly code = '40001'

  constructor() {
    super('another node has changed the same alert')
    this.name = 'Overtaken'
  }
}

const keyMaxCount = 500
const detectorMaxCount = 50

/**
 * Adds findings to the alert that they belong to, or opens one. Alerts that they connect become one.
 *
 * Whoever touches an alert locks its row first, by an UPDATE, and whoever opens one has to get its keys, of which each
 * is there once: of two nodes that see the same attack at once, one gives way and finds the alert of the other.
 *
 * @throws Error with code 40001 when the transaction has to be run again
 * @see docs/decisions/0019-one-attack-one-alert.md; OWASP ASVS 5.0 §15.4.2
 */
export async function writeGist(change: AlertChange, gist: Gist, rules: GroupRules): Promise<WrittenGist> {
  const own = await takeFor(change, [...gist.own, ...gist.also], rules)
  if (own.fresh.length > 0) return { alertId: await join(change, gist, own), isRest: gist.isRest }
  if (!gist.isRest && !(await hasTooMany(change, gist, rules)))
    return { alertId: await open(change, gist, own), isRest: false }
  const rest = restOf(gist)
  const taken = await takeFor(change, rest.own, rules)
  const alertId = taken.fresh.length > 0 ? await join(change, rest, taken) : await open(change, rest, taken)
  return { alertId, isRest: true }
}

/** Alerts that were found by their keys, and locked. */
interface Taken {
  /** The oldest first. */
  readonly fresh: readonly Alert[]
  /** Those that take no more, and let go of their keys. */
  readonly staleIds: readonly string[]
}

async function takeFor(
  { db, nowMs }: AlertChange,
  keys: readonly string[],
  { windowMs, openMaxMs }: GroupRules,
): Promise<Taken> {
  const found = await db
    .selectFrom(keysTable)
    .select('alertId')
    .distinct()
    .where('key', 'in', [...keys])
    .execute()
  if (found.length === 0) return { fresh: [], staleIds: [] }
  const ids = found.map(({ alertId }) => String(alertId))
  const rows = await db
    .updateTable(alertsTable)
    .set({ changedAt: iso(nowMs) })
    .where('id', 'in', ids)
    .where('state', 'in', [...liveStates])
    .where('lastAt', '>=', iso(nowMs - windowMs))
    .where('openedAt', '>=', iso(nowMs - openMaxMs))
    .returningAll()
    .execute()
  const fresh = rows.map(alertOf).sort((one, other) => (one.id < other.id ? -1 : 1))
  return { fresh, staleIds: ids.filter((id) => !fresh.some((alert) => alert.id === id)) }
}

async function hasTooMany(
  { db, nowMs }: AlertChange,
  { detectors }: Gist,
  { windowMs, sameDetectorMaxCount }: GroupRules,
): Promise<boolean> {
  const row = await db
    .selectFrom(alertsTable)
    .select((eb) => eb.fn.countAll().as('count'))
    .where('state', 'in', [...liveStates])
    .where('lastAt', '>=', iso(nowMs - windowMs))
    .where('openedBy', '=', detectors[0] ?? '')
    .executeTakeFirstOrThrow()
  return Number(row.count) >= sameDetectorMaxCount
}

async function open(change: AlertChange, gist: Gist, taken: Taken): Promise<string> {
  const { db, note, nowMs } = change
  const { detectors, severity, summary, count, samples } = gist
  const id = newId(nowMs)
  const row = await db
    .insertInto(alertsTable)
    .values({
      ...{ id, state: 'open', severity, title: titleOf(detectors), summary, count },
      ...{ detectors: JSON.stringify(detectors), openedBy: detectors[0] ?? '' },
      ...{ openedAt: iso(nowMs), firstAt: iso(gist.firstMs), lastAt: iso(gist.lastMs) },
      ...{ samples: JSON.stringify(samples), changedAt: iso(nowMs) },
    })
    .returningAll()
    .executeTakeFirstOrThrow()
  await takeKeys(change, id, gist, taken)
  await insertDeliveries(db, { alertId: id, kind: 'opened' }, change)
  noteOpened(note, alertOf(row))
  return id
}

async function join(change: AlertChange, gist: Gist, taken: Taken): Promise<string> {
  const { db, note, nowMs } = change
  const [first, ...others] = taken.fresh
  if (first === undefined) throw new Overtaken()
  for (const other of others) await merge(change, other, first)
  const before = combined([first, ...others])
  const detectors = united(before.detectors, gist.detectors, detectorMaxCount)
  const severity = isHigher(gist.severity, before.severity) ? gist.severity : before.severity
  const count = before.count + gist.count
  const row = await db
    .updateTable(alertsTable)
    .set({
      ...{ severity, count, title: titleOf(detectors), summary: summaryOf(before, gist) },
      detectors: JSON.stringify(detectors),
      firstAt: earliest(before.firstAt, iso(gist.firstMs)),
      lastAt: latest(before.lastAt, iso(gist.lastMs)),
      samples: JSON.stringify(joinedSamples(before.samples, gist.samples)),
      changedAt: iso(nowMs),
    })
    .where('id', '=', first.id)
    .returningAll()
    .executeTakeFirstOrThrow()
  await takeKeys(change, first.id, gist, taken)
  const after = alertOf(row)
  if (!hasGrown(first, after)) return first.id
  await insertDeliveries(db, { alertId: first.id, kind: 'grown' }, change)
  noteChange(note, after, { what: 'grown', from: first.state })
  return first.id
}

/** Worse, of another kind, or ten times as much: anything else is no news. */
function hasGrown(before: Alert, after: Alert): boolean {
  return (
    isHigher(after.severity, before.severity) ||
    after.detectors.length > before.detectors.length ||
    Math.floor(Math.log10(after.count)) > Math.floor(Math.log10(before.count))
  )
}

/** Closes an alert that turned out to be a part of another; its keys lead there from now on. */
async function merge(change: AlertChange, alert: Alert, into: Alert): Promise<void> {
  const { db, note, nowMs } = change
  const now = iso(nowMs)
  const row = await db
    .updateTable(alertsTable)
    .set({ state: 'closed', closedAt: now, closedBy: null, mergedInto: into.id, changedAt: now })
    .set({ reason: 'part of another alert' })
    .where('id', '=', alert.id)
    .returningAll()
    .executeTakeFirstOrThrow()
  await db.updateTable(keysTable).set({ alertId: into.id }).where('alertId', '=', alert.id).execute()
  await insertDeliveries(db, { alertId: alert.id, kind: 'closed' }, change)
  noteChange(note, alertOf(row), { what: 'merged', from: alert.state })
}

type Sum = Pick<Alert, 'detectors' | 'severity' | 'summary' | 'count' | 'firstAt' | 'lastAt' | 'samples'>

function combined(alerts: readonly [Alert, ...Alert[]]): Sum {
  const [first, ...others] = alerts
  return others.reduce<Sum>(
    (one, other) => ({
      detectors: united(one.detectors, other.detectors, detectorMaxCount),
      severity: isHigher(other.severity, one.severity) ? other.severity : one.severity,
      summary: isHigher(other.severity, one.severity) ? other.summary : one.summary,
      count: one.count + other.count,
      firstAt: earliest(one.firstAt, other.firstAt),
      lastAt: latest(one.lastAt, other.lastAt),
      samples: joinedSamples(one.samples, other.samples),
    }),
    first,
  )
}

async function takeKeys(
  { db }: AlertChange,
  alertId: string,
  { own }: Gist,
  { staleIds }: Taken,
): Promise<void> {
  if (staleIds.length > 0)
    await db
      .deleteFrom(keysTable)
      .where('alertId', 'in', [...staleIds])
      .where('key', 'in', [...own])
      .execute()
  const held = await db
    .selectFrom(keysTable)
    .select((eb) => eb.fn.countAll().as('count'))
    .where('alertId', '=', alertId)
    .executeTakeFirstOrThrow()
  const room = keyMaxCount - Number(held.count)
  if (room <= 0) return
  // In one order everywhere: two nodes that take the same keys wait for each other, and not crosswise.
  const wanted = own.slice(0, room).sort()
  await db
    .insertInto(keysTable)
    .values(wanted.map((key) => ({ key, alertId })))
    .onConflict((conflict) => conflict.doNothing())
    .execute()
  const lost = await db
    .selectFrom(keysTable)
    .select('key')
    .where('key', 'in', wanted)
    .where('alertId', '!=', alertId)
    .executeTakeFirst()
  if (lost !== undefined) throw new Overtaken()
}

function earliest(one: string, other: string): string {
  return one < other ? one : other
}

function latest(one: string, other: string): string {
  return one > other ? one : other
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}
