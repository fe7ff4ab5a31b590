import type { AuditTrail } from '../audit/index.ts'
import { type MigrationDatabase, withRetries } from '../data/index.ts'
import type { Finding } from '../detection/index.ts'
import { type Alert, type AlertAct, AlertFault } from './alert.ts'
import { acknowledge, checkedAct, close, closeIfQuiet } from './change.ts'
import type { AlertChannel } from './channels/channel.ts'
import {
  type AlertDelivery,
  buryAbandoned,
  readDead,
  readDeliveries,
  readDelivery,
  revive,
} from './deliveries.ts'
import { gistOf } from './gist.ts'
import { type AlertChange, type GroupRules, writeGist } from './group.ts'
import type { IsShared } from './keys.ts'
import { noteChange } from './notes.ts'
import { type AlertSearch, deleteClosed, readAlert, readAlerts, readQuiet } from './records.ts'
import { type DeliverySchedule, defaultSchedule } from './schedule.ts'
import { DeliveryWorker } from './worker.ts'
import { FindingWriter } from './writer.ts'

/** Attacks, one alert each, for detectors, administrators and the application. */
export interface Alerts {
  /**
   * Takes what a detector has found. It never throws and never waits: the first finding of an attack is written at
   * once, and those that follow once a second.
   *
   * @example alerts.raise(finding)
   */
  raise(finding: Finding): void
  /**
   * Alerts, those opened last first.
   *
   * @throws AlertFault `unfit`
   * @example const { items, nextCursor } = await alerts.list({ severity: 'warn', limit: 50 })
   */
  list(search?: AlertSearch): Promise<AlertPage<Alert>>
  /** One alert; `null` when there is none. */
  byId(id: string): Promise<Alert | null>
  /**
   * Says that somebody looks at an open alert. It goes on taking findings.
   *
   * @returns `null` when there is no such alert
   * @throws AlertFault `unfit`, or `conflict` when it is not open
   * @example await alerts.acknowledge(id, { actorId: caller.id, reason: 'looking into it' })
   */
  acknowledge(id: string, act: AlertAct): Promise<Alert | null>
  /**
   * Closes an alert: the same attack, found again, is another alert.
   *
   * @returns `null` when there is no such alert
   * @throws AlertFault `unfit`, or `conflict` when it is closed
   */
  close(id: string, act: AlertAct): Promise<Alert | null>
  /** What channels are told of an alert, or have been; the oldest first, 1,000 at most. */
  deliveries(alertId: string): Promise<readonly AlertDelivery[]>
  /** Deliveries that were given up, the newest first. @throws AlertFault `unfit` */
  deadLetters(search?: Pick<AlertSearch, 'limit' | 'cursor'>): Promise<AlertPage<AlertDelivery>>
  /**
   * Delivers a dead letter after all, with what its alert is now.
   *
   * @returns `null` when there is no such delivery
   * @throws AlertFault `unfit`, or `conflict` when it is no dead letter
   */
  redeliver(id: string, act: AlertAct): Promise<AlertDelivery | null>
}

/** Alerts, running. */
export interface OpenAlerts extends Alerts {
  /** Closes alerts without news for a day, gives up what nobody delivers, and forgets what was closed 90 days ago. */
  upkeep(): Promise<void>
  /** Resolves when all that was raised is written, and all that is due delivered or put off. */
  idle(): Promise<void>
  /** Writes what was raised, and ends. What is being delivered gets a few seconds. */
  end(): Promise<void>
}

/** One page. */
export interface AlertPage<Item> {
  readonly items: readonly Item[]
  /** `null` on the last page. */
  readonly nextCursor: string | null
}

/** What alerts are opened with. */
export interface AlertsParts {
  readonly db: MigrationDatabase
  readonly trail: Pick<AuditTrail, 'transact'>
  readonly channels: readonly AlertChannel[]
  /** Told of what could not be delivered, in fixed words, and of a database that fails. */
  readonly onFailure: (error: unknown) => void
  /** Whether many clients share an address: the trusted proxies. Nobody unless given. */
  readonly isShared?: IsShared
  readonly rules?: GroupRules
  readonly schedule?: DeliverySchedule
  /** The wall clock, in milliseconds since 1970. */
  readonly nowMs?: () => number
}

/** An hour of grouping, a day for one alert, ten alerts of one detector. */
export const defaultRules: GroupRules = {
  windowMs: 3_600_000,
  openMaxMs: 86_400_000,
  sameDetectorMaxCount: 10,
}

const maxLimit = 1_000
const defaultLimit = 100
const quietMs = 86_400_000
const keptMs = 90 * 86_400_000
const graceMs = 3_600_000
const quietCount = 100

/**
 * Opens alerts. An attack is one alert with a count, however many findings, detectors and nodes have seen it.
 *
 * @see OWASP ASVS 5.0 §16.3; docs/decisions/0019-one-attack-one-alert.md
 * @example
 * const alerts = openAlerts({ db, trail, channels: alertChannels(settings.alerts, { source, sendMail }), onFailure })
 * alerts.raise(finding)
 */
export function openAlerts(parts: AlertsParts): OpenAlerts {
  const { db, trail, channels, onFailure } = parts
  const nowMs = parts.nowMs ?? Date.now
  const rules = parts.rules ?? defaultRules
  const schedule = parts.schedule ?? defaultSchedule
  const isShared = parts.isShared ?? (() => false)
  const { lifetimeMs } = schedule
  const worker = new DeliveryWorker({ db, channels, schedule, nowMs, onFailure })
  const inOne = async <T>(work: (change: AlertChange) => Promise<T>): Promise<T> => {
    const done = await withRetries(() =>
      trail.transact((trx, note) => work({ db: trx, note, channels, nowMs: nowMs(), lifetimeMs })),
    )
    worker.wake()
    return done
  }
  const write = (gist: Parameters<typeof writeGist>[1]) => inOne((change) => writeGist(change, gist, rules))
  const writer = new FindingWriter({ write, nowMs, onFailure })
  const closeQuiet = async (): Promise<void> => {
    const before = iso(nowMs() - quietMs)
    for (const id of await readQuiet(db, before, quietCount))
      await inOne((change) => closeIfQuiet(change, id, before))
  }
  return {
    raise: (finding) => writer.add(gistOf(finding, nowMs(), isShared)),
    async list(search = {}) {
      const limit = checkedLimit(search.limit)
      requireCursor(search.cursor)
      return pageOf(await readAlerts(db, search, limit + 1), limit)
    },
    byId: (id) => readAlert(db, id),
    async acknowledge(id, act) {
      const checked = checkedAct(act)
      return await inOne((change) => acknowledge(change, id, checked))
    },
    async close(id, act) {
      const checked = checkedAct(act)
      return await inOne((change) => close(change, id, checked))
    },
    deliveries: (alertId) => readDeliveries(db, alertId),
    async deadLetters({ limit: given, cursor } = {}) {
      const limit = checkedLimit(given)
      requireCursor(cursor)
      return pageOf(await readDead(db, cursor, limit + 1), limit)
    },
    async redeliver(id, act) {
      const checked = checkedAct(act)
      return await inOne((change) => redeliver(change, id, checked))
    },
    async upkeep() {
      await closeQuiet()
      await buryAbandoned(db, iso(nowMs() - graceMs))
      await deleteClosed(db, iso(nowMs() - keptMs))
    },
    async idle() {
      await writer.idle()
      await worker.idle()
    },
    async end() {
      await writer.end()
      await worker.close()
    },
  }
}

async function redeliver(change: AlertChange, id: string, act: AlertAct): Promise<AlertDelivery | null> {
  const { db, note } = change
  const revived = await revive(db, id, change)
  if (revived === null) {
    if ((await readDelivery(db, id)) === null) return null
    throw new AlertFault('conflict', 'It is no dead letter.')
  }
  const alert = await readAlert(db, revived.alertId)
  if (alert !== null) noteChange(note, alert, { what: 'sent again', from: alert.state, act })
  return revived
}

function checkedLimit(limit: number = defaultLimit): number {
  if (Number.isInteger(limit) && limit >= 1 && limit <= maxLimit) return limit
  throw new AlertFault('unfit', `A page has 1 to ${maxLimit} entries.`)
}

function requireCursor(cursor: string | undefined): void {
  if (cursor === undefined || /^[0-9a-f-]{36}$/.test(cursor)) return
  throw new AlertFault('unfit', 'It is no cursor of ours.')
}

function pageOf<Item extends { readonly id: string }>(
  found: readonly Item[],
  limit: number,
): AlertPage<Item> {
  const items = found.slice(0, limit)
  return { items, nextCursor: found.length > limit ? (items.at(-1)?.id ?? null) : null }
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}
